"""Another name of a model is as good as its own wherever a client may write one, and is charged as its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.embedded.changing import change
from tests.embedded.sdk import HELLO, openai_client, record_of
from tests.embedded.test_endpoints import Provider, providing
from tests.running import Running, bearer, running


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    with running() as platform:
        change(platform, lambda d: d["models"]["other"].update(aliases=["alike"]))
        yield platform


def _ask(up: Running, path: str, model: str | None, host: str | None = None) -> httpx.Response:
    body: dict[str, Any] = {"messages": HELLO, "max_tokens": 3} | ({"model": model} if model else {})
    headers = bearer(up.key("asks", "open")) | ({"host": host} if host else {})
    return httpx.post(f"{up.url}{path}", json=body, headers=headers, timeout=20)


@pytest.mark.parametrize(
    ("path", "model", "host"),
    [
        ("/v1/chat/completions", "alike", None),
        ("/alike/v1/chat/completions", None, None),
        ("/alike/v1/chat/completions", "other", None),
        ("/other/v1/chat/completions", "alike", None),
        ("/llm/alike/v1/chat/completions", "alike", None),
        ("/v1/chat/completions", None, "alike.maas.local"),
        ("/v1/chat/completions", "other", "alike.maas.local"),
    ],
)
def test_it_is_understood_everywhere(up: Running, path: str, model: str | None, host: str | None) -> None:
    answer = _ask(up, path, model, host)
    assert (answer.status_code, answer.json().get("model")) == (200, "other")
    assert record_of(up, answer.headers["x-request-id"])["model"] == "other"


def test_two_models_are_still_two(up: Running) -> None:
    assert _ask(up, "/alike/v1/chat/completions", "simulator").status_code == 400


def test_a_client_may_look_it_up(up: Running) -> None:
    key = up.key("looks", "open")
    with openai_client(up, key) as client:
        assert client.models.retrieve("alike").id == "alike"
        assert [model.id for model in client.models.list()] == ["other", "simulator"]
    listed = httpx.get(f"{up.url}/alike/v1/models", headers=bearer(key)).json()["data"]
    assert [model["id"] for model in listed] == ["other"]
    not_open = httpx.get(f"{up.url}/v1/models/alike", headers=bearer(up.key("x", "open", models=["simulator"])))
    assert not_open.status_code == 404


def test_it_opens_nothing_that_its_model_does_not(up: Running) -> None:
    """A key for a model that is gone, and whose name now means another one."""
    change(up, lambda d: d["models"].update(gone={"runtime": "simulator"}))
    key = up.key("gone", "open", models=["gone"])
    assert up.chat(key, model="gone").status_code == 200
    change(up, lambda d: d["models"].pop("gone") and d["models"]["other"].update(aliases=["alike", "gone"]))
    assert up.chat(key, model="gone").status_code == 403
    change(up, lambda d: d["models"]["other"].update(aliases=["alike"]))


def test_a_model_cannot_take_the_name_of_an_alias(up: Running) -> None:
    answer = up.api.post("/v1/models", json={"name": "alike", "runtime": "simulator"})
    assert answer.status_code == 400
    assert "alike" in answer.text


def test_each_of_several_servers_gets_its_own_key(up: Running, tmp_path: Path) -> None:
    """Here, as the tests of endpoints have one server with a key only."""
    with providing(Provider()) as one, providing(Provider()) as other:
        endpoints = []
        for index, server in enumerate((one, other)):
            file = tmp_path / f"key{index}"
            file.write_text(f"sk-number-{index}")
            endpoints.append({"url": f"{server.url}/base{index}/v1", "api_key_file": str(file)})
        pair = {"runtime": "external", "endpoints": endpoints, "served_name": "giant-9"}
        change(up, lambda d: d["models"].update(pair=pair))
        key = up.key("pair", "open")
        answers = [up.chat(key, model="pair") for _ in range(12)]
        assert {answer.json()["model"] for answer in answers} == {"pair"}
        assert not [answer for answer in answers if "worker" in str(answer.headers)]
        for index, server in enumerate((one, other)):
            assert {headers["authorization"] for headers, _ in server.seen} == {f"Bearer sk-number-{index}"}
        change(up, lambda d: d["models"].pop("pair"))
