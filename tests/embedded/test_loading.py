"""A model that is loading: told so, waited for if so described, and nobody else concerned."""

import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.embedded.changing import change
from tests.embedded.sdk import record_of
from tests.running import Running, bearer, eventually, running

LOADS_FOR = "2s"


def _slow() -> dict[str, object]:
    return {"runtime": "simulator", "context_length": 8192, "options": {"startup-duration": LOADS_FOR}}


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    """`slow` answers 503 at once while it loads, `patient` lets requests wait."""
    with running() as platform:
        change(platform, lambda d: d["models"].update(slow=_slow(), patient={**_slow(), "wait": "20s"}))
        yield platform


def _model(up: Running, model: str) -> dict[str, object]:
    found: dict[str, object] = next(m for m in up.api.get("/v1/models").json()["data"] if m["id"] == model)
    return found


def _state(up: Running, model: str) -> str:
    return str(_model(up, model)["status"])


@pytest.fixture
def loading(up: Running, request: pytest.FixtureRequest) -> str:
    model: str = request.param
    eventually(lambda: _state(up, model) == "ready")
    up.kill(f"{model}@")
    eventually(lambda: _state(up, model) != "ready")
    return model


@pytest.mark.parametrize("loading", ["slow"], indirect=True)
@pytest.mark.parametrize("stream", [False, True])
def test_it_is_told_when_to_try_again(up: Running, loading: str, stream: bool) -> None:
    key = up.key(f"told-{stream}", "free")
    answer = up.chat(key, model=loading, stream=stream)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_loading")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert up.chat(key).status_code == 200, "the others serve on"
    settled = eventually(lambda: up.usage().get(f"told-{stream}"))
    assert settled["requests"] == 1, "nothing was charged for it"
    eventually(lambda: up.chat(key, model=loading).status_code == 200)


def test_why_it_is_started_again_is_told_until_it_has_loaded(up: Running) -> None:
    eventually(lambda: _state(up, "slow") == "ready")
    up.kill("slow@")
    told = eventually(lambda: (found := _model(up, "slow"))["status"] == "starting" and found)
    assert "killed (signal 9)" in str(told["trouble"])
    eventually(lambda: _state(up, "slow") == "ready")
    assert _model(up, "slow")["trouble"] is None


def _messages(up: Running, key: str, model: str) -> httpx.Response:
    body = {"model": model, "max_tokens": 3, "messages": [{"role": "user", "content": "Hello"}]}
    return httpx.post(f"{up.url}/v1/messages", json=body, headers={"x-api-key": key}, timeout=20.0)


def _in_anthropic_s_shape(answer: httpx.Response, status: int, code: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["type"], body["error"]["code"]) == (status, "error", code)
    assert body["error"]["type"] == "api_error" and body["error"]["message"]


@pytest.mark.parametrize("loading", ["slow"], indirect=True)
def test_anthropic_s_clients_are_told_in_their_shape(up: Running, loading: str) -> None:
    answer = _messages(up, up.key("anthropic", "open"), loading)
    _in_anthropic_s_shape(answer, 503, "model_loading")
    assert answer.headers["retry-after"]


def test_anthropic_s_clients_wait_in_vain_in_their_shape(up: Running) -> None:
    change(up, lambda d: d["models"].update(hasty={**_slow(), "wait": "1s"}))
    up.kill("hasty@")
    eventually(lambda: _state(up, "hasty") != "ready")
    _in_anthropic_s_shape(_messages(up, up.key("hasty", "open"), "hasty"), 503, "model_loading")
    change(up, lambda d: d["models"].pop("hasty"))


@pytest.mark.parametrize("loading", ["patient"], indirect=True)
@pytest.mark.parametrize("stream", [False, True])
def test_it_is_waited_for(up: Running, loading: str, stream: bool) -> None:
    key = up.key(f"waits-{stream}", "open")
    answers = []
    ask = lambda: answers.append(up.chat(key, model=loading, stream=stream))  # noqa: E731
    asking = [threading.Thread(target=ask) for _ in "123"]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 3
    record = record_of(up, answers[0].headers["x-request-id"])
    assert (record["source"], record["outcome"]) == ("reported", "complete")
    assert record["completion_tokens"] > 0


def test_who_waits_in_vain_is_told_and_pays_nothing(up: Running) -> None:
    change(up, lambda d: d["models"].update(vain={**_slow(), "wait": "1s"}))
    up.kill("vain@")
    eventually(lambda: _state(up, "vain") != "ready")
    answer = up.chat(up.key("vain", "open"), model="vain")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_loading")
    assert answer.headers["retry-after"]
    record = record_of(up, answer.headers["x-request-id"])
    assert (record["outcome"], record["prompt_tokens"], record["completion_tokens"]) == ("failed", 0, 0)
    change(up, lambda d: d["models"].pop("vain"))


def test_only_those_who_may_are_told_of_it(up: Running) -> None:
    up.kill("slow@")
    eventually(lambda: _state(up, "slow") != "ready")
    assert up.chat("sk-maas-nobody", model="slow").status_code == 401
    assert up.chat(up.key("narrow", "narrow"), model="slow").status_code == 403


@pytest.mark.parametrize("loading", ["patient"], indirect=True)
def test_who_hangs_up_while_waiting_pays_nothing(up: Running, loading: str) -> None:
    key = up.key("impatient", "open")
    with httpx.Client(timeout=0.5) as client, pytest.raises(httpx.ReadTimeout):
        content = {"model": loading, "messages": [{"role": "user", "content": "Hello"}]}
        client.post(f"{up.url}/v1/chat/completions", json=content, headers=bearer(key))
    eventually(lambda: [record for record in up.records() if record["user"] == "impatient"])
    (record,) = (record for record in up.records() if record["user"] == "impatient")
    assert (record["outcome"], record["prompt_tokens"], record["completion_tokens"]) == ("aborted", 0, 0)
