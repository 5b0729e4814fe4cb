"""A change that can't be made leaves the running platform as it was, and says why."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.embedded.changing import Document, Traffic, apply, change, document
from tests.running import Running, eventually, running


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    with running() as platform:
        yield platform


def _simulator(worker: int) -> Document:
    return {"model": "simulator", "max_tokens": 2, "stream": worker == 0}


def _state(up: Running) -> dict[str, Any]:
    """All of what a failed change must not change."""
    models = up.api.get("/v1/models").json()["data"]
    tiers = up.api.get("/v1/tiers").json()["data"]
    return {
        "file": up.home.config.read_bytes(),
        "models": sorted((model["id"], model["status"]) for model in models),
        "tiers": tiers,
        "processes": {name: up.pid(name) for name in ("control", "gateway", "simulator@", "other@")},
    }


# --- the file is wrong

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such runtime": ({"models": {"new": {"runtime": "quantum"}}}, "runtime"),
    "no such option": ({"models": {"new": {"runtime": "simulator", "options": {"mod": "echo"}}}}, "mode"),
    "an option's value": ({"models": {"new": {"runtime": "simulator", "options": {"mode": "sing"}}}}, "mode"),
    "an external model without a url": ({"models": {"new": {"runtime": "external"}}}, "url is missing"),
    "a tier with a model that is not there": ({"tiers": {"new": {"models": ["nothing"]}}}, "nothing"),
    "a limit of nothing": ({"tiers": {"new": {"limits": [{"per": "1h"}]}}}, "requests, tokens and money"),
    "a word that nobody knows": ({"modles": {}}, "modles"),
}


@pytest.mark.parametrize("why", WRONG)
def test_a_wrong_file_changes_nothing(up: Running, why: str) -> None:
    addition, words = WRONG[why]
    wanted = document(up)
    for section, entries in addition.items():
        wanted[section] = {**wanted.get(section, {}), **entries}
    wanted["tiers"]["open"] = {"limits": [{"requests": 1, "per": "1h"}]}
    before = _state(up)
    answer = apply(up, wanted)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert _state(up) == before


@pytest.mark.parametrize("text", ["", "]", "- a list", "models: {a: &x {runtime: simulator}, b: *y}", "a: 1\na: 2"])
def test_what_is_no_platform_file_changes_nothing(up: Running, text: str) -> None:
    before = _state(up)
    assert apply(up, text).status_code == 400
    assert _state(up) == before


def test_a_dry_run_tells_and_changes_nothing(up: Running) -> None:
    wanted, before = document(up), _state(up)
    wanted["models"]["new"] = {"runtime": "simulator"}
    wanted["tiers"]["free"]["limits"][0]["requests"] = 6
    answer = apply(up, wanted, dryRun=True)
    assert answer.status_code == 200
    places = {change["place"]: change["kind"] for change in answer.json()["changes"]}
    assert places["models.new.runtime"] == "added"
    assert any(place.startswith("tiers.free") for place in places)
    assert _state(up) == before


# --- the model does not start


def test_a_model_that_does_not_start_is_as_if_it_had_not_been_asked_for(up: Running) -> None:
    """Under traffic, which goes on; with the limits of the same file, which don't come into force either."""
    wanted, before = document(up), _state(up)
    contradicting = {"time-to-first-token-std-dev": "50ms"}
    wanted["models"]["stillborn"] = {"runtime": "simulator", "options": contradicting}
    wanted["tiers"]["open"] = {"limits": [{"requests": 1, "per": "1h"}]}
    with Traffic(up, up.key("bystander", "open"), _simulator, 2).running() as traffic:
        answer = apply(up, wanted)
        eventually(traffic.more())
    assert answer.status_code == 503
    assert "stillborn" in answer.json()["error"]["message"]
    assert "must be at most 30%" in answer.json()["error"]["message"], "as the model's server said it"
    assert {one.status for one in traffic.seen} == {200}
    assert not traffic.failed
    assert _state(up) == before
    assert up.chat(up.key("bystander", "open"), model="stillborn").status_code == 404
    eventually(lambda: "stillborn" not in _processes(up))
    change(up, lambda d: d["models"].update(stillborn={"runtime": "simulator"}))
    assert up.chat(up.key("bystander", "open"), model="stillborn").status_code == 200, "mended, it comes"
    change(up, lambda d: d["models"].pop("stillborn"))


def test_a_changed_model_that_does_not_start_leaves_the_one_that_runs(up: Running) -> None:
    wanted, before = document(up), _state(up)
    wanted["models"]["other"]["options"] = {"request-log": "/nonexistent/log"}
    answer = apply(up, wanted)
    assert answer.status_code == 503
    assert "No such file" in answer.json()["error"]["message"]
    assert _state(up) == before
    assert up.chat(up.key("bystander", "open"), model="other").status_code == 200


def test_a_model_that_takes_long_to_start_is_not_asked_before(up: Running) -> None:
    """It listens at once and says 503 until it is ready; nobody but the platform gets to hear that."""
    late = {"options": {"startup-duration": "1s", "mode": "echo"}}
    with Traffic(up, up.key("patient", "open"), lambda _: {"model": "other", "max_tokens": 2}, 2).running() as traffic:
        change(up, lambda d: d["models"]["other"].update(late))
        eventually(traffic.more())
    assert {one.status for one in traffic.seen} == {200}
    change(up, lambda d: d["models"].update(late={"runtime": "simulator", **late}))
    assert up.chat(up.key("patient", "open"), model="late").status_code == 200
    change(up, lambda d: (d["models"].pop("late"), d["models"]["other"].pop("options")))


# --- several at once


def test_of_models_added_at_the_same_time_none_is_lost(up: Running) -> None:
    names = [f"twin{number}" for number in range(4)]
    answers: list[int] = []

    def add(name: str) -> None:
        body = {"name": name, "runtime": "external", "url": "http://127.0.0.1:9"}
        answers.append(up.api.post("/v1/models", json=body).status_code)

    threads = [threading.Thread(target=add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * 4
    assert set(names) <= set(document(up)["models"])
    assert up.api.post("/v1/models", json={"name": "twin0", "runtime": "simulator"}).status_code == 409
    for name in names:
        up.api.delete(f"/v1/models/{name}").raise_for_status()
    assert up.api.delete("/v1/models/twin0").status_code == 404


def test_a_model_that_a_tier_names_can_t_be_removed(up: Running) -> None:
    """`narrow` has no other model; whoever wants that changes the tier first."""
    before = _state(up)
    answer = up.api.delete("/v1/models/other")
    assert answer.status_code in (400, 409)
    assert "narrow" in answer.json()["error"]["message"]
    assert _state(up) == before


def test_the_file_keeps_what_was_applied_as_it_was_written(up: Running) -> None:
    text = "# mine\n" + yaml.safe_dump(document(up), sort_keys=False)
    assert apply(up, text).status_code == 200
    assert up.home.config.read_text() == text


def _processes(up: Running) -> str:
    from maas.embedded.supervisor import client

    status = client.status(up.home)
    return " ".join(process.name for process in status.processes) if status else ""
