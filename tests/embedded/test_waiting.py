"""Who waits for a model, while everything else happens."""

import threading
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.embedded.changing import change
from tests.running import Running, bearer, eventually, running


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    with running() as platform:
        change(platform, lambda d: d["models"].update(abrupt=_slow(), patient=_slow() | {"wait": "20s"}))
        yield platform


def _slow() -> dict[str, object]:
    return {"runtime": "simulator", "context_length": 8192, "options": {"startup-duration": "3s"}}


def _state(up: Running, model: str) -> str:
    models = up.api.get("/v1/models").json()["data"]
    return next(str(each["status"]) for each in models if each["id"] == model)


def _reload(up: Running, model: str) -> None:
    eventually(lambda: _state(up, model) == "ready")
    up.kill(f"{model}@")
    eventually(lambda: _state(up, model) != "ready")


def _at_once(up: Running, key: str, count: int) -> list[httpx.Response]:
    answers: list[httpx.Response] = []
    ask = lambda: answers.append(up.chat(key, model="patient", max_tokens=3))  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("path", ["/loading/v1/models", "/loading/v1/models/patient", "/loading/patient@1"])
def test_nobody_outside_asks_what_the_gateway_asks(up: Running, path: str) -> None:
    forged = {"x-maas-wait": "20", "x-maas-route": "loading", "x-maas-model": "patient"}
    answer = httpx.get(f"{up.url}{path}", headers=bearer(up.key("forges", "open")) | forged)
    assert answer.status_code in (200, 404)
    assert answer.json().keys() & {"error", "data"}


def test_why_it_was_turned_away_can_be_explained(up: Running) -> None:
    _reload(up, "abrupt")
    answer = up.chat(up.key("turned", "open"), model="abrupt")
    assert answer.status_code == 503
    explained = up.api.get(f"/v1/requests/{answer.headers['x-request-id']}").json()
    assert (explained["verdict"], explained["why"], explained["model"]) == ("refused", "model_loading", "abrupt")


def test_waiting_is_no_way_around_a_limit(up: Running) -> None:
    _reload(up, "patient")
    answers = _at_once(up, up.key("limited", "free"), 8)
    results = Counter(answer.status_code for answer in answers)
    assert set(results) == {200, 429}
    assert results[200] <= 5


def test_the_control_plane_dies_while_somebody_waits(up: Running) -> None:
    _reload(up, "patient")
    key = up.key("orphaned", "open")
    dead = up.pid("control")
    killing = threading.Timer(0.5, up.kill, ["control"])
    killing.start()
    answers = _at_once(up, key, 3)
    killing.join()
    eventually(lambda: up.ready("control", not_pid=dead))
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["error"]["code"] == "model_loading"
    eventually(lambda: _state(up, "patient") == "ready")
    assert up.chat(key, model="patient").status_code == 200
    assert up.usage()["orphaned"]["total_tokens"] > 0
