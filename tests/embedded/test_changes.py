"""Limits, models and keys change while requests are under way: nothing fails that policy did not ask for, and what
was changed is in force when the call returns."""

import itertools
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.embedded.changing import Document, Seen, Traffic, change, document
from tests.running import PATIENCE, Running, bearer, eventually, running

pytestmark = pytest.mark.alone

REQUESTS = 1000
EXTRA = {"runtime": "simulator", "options": {"mode": "echo"}}


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    with running("inter-token-latency: 1ms") as platform:
        yield platform


# --- a thousand requests and ten changes


def _tier(name: str, *limits: Document) -> Document:
    return {name: {"limits": list(limits)}}


CHANGES = {
    "a limit": lambda d: d["tiers"].update(_tier("busy", {"requests": 10**6, "per": "1h"})),
    "a model comes": lambda d: d["models"].update(extra=EXTRA),
    "options": lambda d: d["models"]["simulator"]["options"].update({"inter-token-latency": "2ms"}),
    "another kind of limit": lambda d: d["tiers"].update(_tier("busy", {"tokens": 10**9, "per": "24h"})),
    "the model goes": lambda d: d["models"].pop("extra"),
    "a price": lambda d: d["models"]["simulator"].update(price={"input": 3, "output": 4}),
    "names in the certificate": lambda d: d["gateway"].update(hosts=["models.example.com"]),
    "the model comes again, slower": lambda d: d["models"].update(
        extra={**EXTRA, "options": {"time-to-first-token": "10ms"}}
    ),
    "options as they were": lambda d: d["models"]["simulator"]["options"].update({"inter-token-latency": "1ms"}),
    "several things": lambda d: (d["models"].pop("extra"), d["tiers"].update(late={}, busy={}), d.update(usage={})),
}


def test_a_thousand_requests_while_everything_changes(up: Running) -> None:
    key = up.made_key("changing", "open")["key"]
    change(up, lambda d: d["tiers"].update(busy={}))
    busy = up.key("changing", "busy")
    turns = itertools.cycle(["simulator", "other", "simulator", "extra"])

    def body(worker: int) -> Document:
        return {"model": next(turns), "max_tokens": 8, "stream": worker % 2 == 0}

    steady, limited = Traffic(up, key, body, 4), Traffic(up, busy, body, 2)
    comings = []  # of the model that comes and goes: (when the call was made, when it returned)
    with steady.running(), limited.running():
        for edit in CHANGES.values():
            more = steady.more()
            had, called = "extra" in document(up)["models"], time.monotonic()
            change(up, edit)
            if had != ("extra" in document(up)["models"]):
                comings.append((called, time.monotonic()))
            _make_and_revoke_a_key(up)
            eventually(more)
        eventually(lambda: len(steady.seen) + len(limited.seen) >= REQUESTS, within=60)
    seen = steady.seen + limited.seen
    assert not steady.failed + limited.failed, "no connection broke"
    assert Counter(one.status for one in seen if one.model != "extra").keys() == {200}
    assert [one for one in seen if one.model == "extra" and one.status != _wanted(one, comings)] == []
    _each_is_in_the_ledger_once(up, [one for one in seen if one.status == 200])


def _wanted(one: Seen, comings: list[tuple[float, float]]) -> int:
    """What a request for the model that comes and goes should get; while a call is under way, either will do."""
    there = False
    for called, returned in comings:
        if one.started < returned and one.ended > called:
            return one.status if one.status in (200, 404) else 200
        there ^= one.started >= returned
    return 200 if there else 404


def _make_and_revoke_a_key(up: Running) -> None:
    made = up.made_key("passing by", "open")
    assert up.chat(made["key"], max_tokens=2).status_code == 200
    up.api.delete(f"/v1/api-keys/{made['id']}").raise_for_status()
    assert up.chat(made["key"], max_tokens=2).status_code == 401


def _each_is_in_the_ledger_once(up: Running, answered: list[Seen]) -> None:
    wanted = Counter(one.request_id for one in answered)
    assert eventually(lambda: wanted == _recorded(up, "changing")), "the ledger has what clients were answered"


def _recorded(up: Running, user: str) -> Counter[str]:
    records = [record for record in up.records() if record["user"] == user]
    assert {(record["outcome"], record["source"]) for record in records} == {("complete", "reported")}
    return Counter(record["request_id"] for record in records)


# --- in force when the call returns


def _simulator(worker: int) -> Document:
    return {"model": "simulator", "max_tokens": 2, "stream": worker == 0}


def _after(traffic: Traffic, moment: float) -> set[int]:
    return {one.status for one in traffic.seen if one.started > moment}


@pytest.mark.parametrize("how", ["one", "all of a user", "rotated without grace"])
def test_a_revoked_key_never_succeeds_again(up: Running, how: str) -> None:
    made = up.made_key(f"revoked-{how}", "open")
    with Traffic(up, made["key"], _simulator, 5).running() as traffic:
        eventually(traffic.more())
        if how == "one":
            answer = up.api.delete(f"/v1/api-keys/{made['id']}")
        elif how == "all of a user":
            answer = up.api.post("/v1/api-keys/bulk-revoke", json={"username": made["username"]})
        else:
            answer = up.api.post(f"/v1/api-keys/{made['id']}/rotate")
        returned = time.monotonic()
        answer.raise_for_status()
        eventually(traffic.more())
    assert {one.status for one in traffic.seen} == {200, 401}
    assert _after(traffic, returned) == {401}
    assert not traffic.failed


def test_a_tightened_limit_is_in_force_when_the_call_returns(up: Running) -> None:
    change(up, lambda d: d["tiers"].update(_tier("tight", {"requests": 10**6, "per": "1h"})))
    key = up.key("tightened", "tight")
    with Traffic(up, key, _simulator, 4).running() as traffic:
        eventually(traffic.more())
        change(up, lambda d: d["tiers"].update(_tier("tight", {"requests": 1, "per": "1h"})))
        returned = time.monotonic()
        eventually(traffic.more())
    assert {one.status for one in traffic.seen} == {200, 429}
    assert _after(traffic, returned) == {429}
    change(up, lambda d: d["tiers"].update(_tier("tight", {"requests": 10**6, "per": "1h"})))
    assert up.chat(key).status_code == 200, "what was used is remembered, and is little again"


def test_a_model_taken_from_a_tier_is_closed_when_the_call_returns(up: Running) -> None:
    change(up, lambda d: d["tiers"].update(shrinking={"models": ["simulator", "other"]}))
    key = up.key("shrinking", "shrinking")
    with Traffic(up, key, _simulator, 3).running() as traffic:
        eventually(traffic.more())
        change(up, lambda d: d["tiers"].update(shrinking={"models": ["other"]}))
        returned = time.monotonic()
        eventually(traffic.more())
    assert _after(traffic, returned) == {403}
    change(up, lambda d: d["tiers"].pop("shrinking"))
    refused = up.chat(key)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "tier_not_allowed")


# --- keys


def test_a_rotated_key_works_until_its_grace_ends(up: Running) -> None:
    old = up.made_key("rotated", "open", models=["simulator"])
    answer = up.api.post(f"/v1/api-keys/{old['id']}/rotate", json={"grace": "2s"})
    rotated = time.monotonic()
    new = answer.raise_for_status().json()
    assert new["key"] != old["key"]
    assert (new["username"], new["tier"], new["models"]) == ("rotated", "open", ["simulator"])
    assert up.chat(new["key"]).status_code == 200
    worked = 0
    while (refused := up.chat(old["key"])).status_code == 200:
        worked += 1
    assert worked
    assert time.monotonic() - rotated > 1.5
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "expired_api_key")
    assert up.chat(new["key"]).status_code == 200


def test_a_key_that_clients_have_already(up: Running) -> None:
    value = "freeuser1_key"
    body = {"name": "old", "username": "freeuser1", "tier": "free", "key": value}
    answer = up.api.post("/v1/api-keys/import", json=body)
    assert answer.status_code == 201
    assert "bits of entropy" in answer.json()["warnings"][0]
    assert value not in answer.text
    ask = {"model": "simulator", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}
    url, headers = f"{up.url}/v1/chat/completions", {"authorization": f"APIKEY {value}"}
    assert httpx.post(url, json=ask, headers=headers, timeout=PATIENCE).status_code == 200
    assert up.api.post("/v1/api-keys/import", json=body).status_code == 409
    assert eventually(lambda: up.usage().get("freeuser1"))["requests"] == 1
    up.api.delete(f"/v1/api-keys/{answer.json()['id']}").raise_for_status()
    assert httpx.post(url, json=ask, headers=headers, timeout=PATIENCE).status_code == 401


# --- streams under way


@pytest.mark.parametrize("how", ["removed", "given other options"])
def test_a_stream_under_way_finishes_on_the_model_it_began_on(up: Running, how: str) -> None:
    slow = {"runtime": "simulator", "options": {"inter-token-latency": "20ms", "request-log": str(up.seen_log)}}
    change(up, lambda d: d["models"].update(slow=slow))
    key = up.key(f"streaming-{how}", "open")
    body = {"model": "slow", "stream": True, "max_tokens": 100, "ignore_eos": True, "messages": [_say("Hello")]}
    url = f"{up.url}/v1/chat/completions"
    with httpx.stream("POST", url, json=body, headers=bearer(key), timeout=PATIENCE) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("data: ")
        if how == "removed":
            change(up, lambda d: d["models"].pop("slow"))
            assert up.chat(key, model="slow").status_code == 404
        else:
            change(up, lambda d: d["models"]["slow"].update(options={"mode": "echo"}))
            assert up.chat(key, model="slow").json()["choices"][0]["message"]["content"] == "Hello"
        ended = [line for line in up.requests_seen() if line["request_id"] == stream.headers["x-request-id"]]
        assert [line["event"] for line in ended] == ["start"], "it was still under way"
        rest = [line for line in lines if line]
    assert rest[-1] == "data: [DONE]"
    record = eventually(lambda: [r for r in up.records() if r["request_id"] == stream.headers["x-request-id"]])[0]
    assert (record["completion_tokens"], record["outcome"]) == (100, "complete")
    if how == "removed":
        eventually(lambda: not _processes(up, "slow"))
    else:
        eventually(lambda: len(_processes(up, "slow")) == 1)


def test_a_model_removed_just_before_the_control_plane_died_goes_all_the_same(up: Running) -> None:
    """Once its streams have ended, which began two lives of the control plane ago."""
    change(up, lambda d: d["models"].update(slow={"runtime": "simulator", "options": {"inter-token-latency": "20ms"}}))
    body = {"model": "slow", "stream": True, "max_tokens": 100, "ignore_eos": True, "messages": [_say("Hello")]}
    url, key = f"{up.url}/v1/chat/completions", up.key("left over", "open")
    with httpx.stream("POST", url, json=body, headers=bearer(key), timeout=PATIENCE) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("data: ")
        change(up, lambda d: d["models"].pop("slow"))
        dead = up.kill("control")
        eventually(lambda: up.ready("control", not_pid=dead))
        assert [line for line in lines if line][-1] == "data: [DONE]"
    eventually(lambda: not _processes(up, "slow"))
    assert up.chat(key).status_code == 200


def _say(content: str) -> Document:
    return {"role": "user", "content": content}


def _processes(up: Running, model: str) -> list[str]:
    from maas.embedded.supervisor import client

    status = client.status(up.home)
    return [process.name for process in status.processes if process.name.startswith(f"{model}@")] if status else []
