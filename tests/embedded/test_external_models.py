"""Models that somebody else serves, by URL."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.embedded.changing import apply, change, document
from tests.embedded.sdk import HELLO, openai_client, record_of
from tests.running import Running, eventually, running

SOURCES = Path(__file__).parents[2] / "src"


@contextmanager
def _server(model: str) -> Iterator[str]:
    """The URL of a simulator that is none of the platform's."""
    command = [sys.executable, "-m", "maas.models.simulator", "--port", "0", "--model", model]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            yield process.stderr.readline().rpartition(" ")[2].strip()
        finally:
            process.kill()


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    with running() as platform:
        yield platform


@pytest.mark.parametrize("suffix", ["", "/v1/"])
def test_an_external_model(up: Running, suffix: str) -> None:
    key = up.key("abroad", "open")
    with _server("remote") as url:
        remote = {"runtime": "external", "url": url + suffix, "price": {"input": 5, "output": 7}}
        change(up, lambda d: d["models"].update(remote=remote))
        with openai_client(up, key) as client:
            eventually(lambda: up.chat(key, model="remote").status_code == 200)
            answer = client.chat.completions.create(model="remote", messages=HELLO, max_tokens=9)
            assert answer.usage
            with client.chat.completions.create(model="remote", messages=HELLO, max_tokens=9, stream=True) as stream:
                assert all(chunk.choices for chunk in stream)
            assert "remote" in [model.id for model in client.models.list()]
    record = record_of(up, stream.response.headers["x-request-id"])
    assert (record["source"], record["outcome"]) == ("reported", "complete")
    assert record["cost"] == (record["prompt_tokens"] * 5 + record["completion_tokens"] * 7) * 10**6
    change(up, lambda d: d["models"].pop("remote"))
    assert up.chat(key, model="remote").status_code == 404


def test_a_server_that_is_not_there(up: Running) -> None:
    """Nothing is charged, and the reason is told. When it comes, nobody has to tell the platform."""
    key = up.key("nowhere", "open")
    change(up, lambda d: d["models"].update(nowhere={"runtime": "external", "url": "http://127.0.0.1:9"}))
    answer = up.chat(key, model="nowhere")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    record = record_of(up, answer.headers["x-request-id"])
    assert (record["outcome"], record["prompt_tokens"], record["completion_tokens"]) == ("failed", 0, 0)
    assert {model["id"]: model["status"] for model in up.api.get("/v1/models").json()["data"]}["nowhere"] == "external"
    change(up, lambda d: d["models"].pop("nowhere"))


def test_a_name_that_leads_nowhere_holds_nothing_up(up: Running) -> None:
    wanted = document(up)
    wanted["models"]["lost"] = {"runtime": "external", "url": "http://no-such-host.invalid:8000"}
    assert apply(up, wanted).status_code == 200
    assert up.chat(up.key("nowhere", "open"), model="lost").status_code == 503
    assert up.chat(up.key("nowhere", "open")).status_code == 200
    up.api.delete("/v1/models/lost").raise_for_status()


def test_a_moved_server(up: Running) -> None:
    key = up.key("moving", "open")
    with _server("remote") as before, _server("remote") as after:
        body = {"name": "remote", "runtime": "external", "url": before}
        assert up.api.post("/v1/models", json=body).status_code == 201
        assert up.chat(key, model="remote").status_code == 200
        change(up, lambda d: d["models"]["remote"].update(url=after))
        assert up.chat(key, model="remote").status_code == 200
    up.api.delete("/v1/models/remote").raise_for_status()
