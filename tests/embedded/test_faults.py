"""Killed and stopped under load: the service is back within seconds, nothing is lost, doubled or let through."""

import asyncio
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import pytest

from maas.embedded import platform
from tests.running import PATIENCE, Running, bearer, eventually, running, stopped

pytestmark = pytest.mark.alone

BACK_WITHIN = 3.0


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    with running("time-to-first-token: 20ms, inter-token-latency: 2ms") as platform:
        yield platform


class Load:
    """Requests without a pause from several threads, streams among them, until it is told to stop."""

    def __init__(self, up: Running, key: str, workers: int = 6) -> None:
        self._up, self._key, self._stop = up, key, threading.Event()
        self.outcomes: list[tuple[float, float, int]] = []  # begin, end, and status; 0 for a broken connection
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(workers)]

    def _work(self, number: int) -> None:
        with httpx.Client(timeout=PATIENCE) as client:
            while not self._stop.is_set():
                began = time.monotonic()
                try:
                    status = self._up.chat(self._key, client=client, max_tokens=10, stream=number % 2 == 0).status_code
                except httpx.TransportError:
                    status = 0
                self.outcomes.append((began, time.monotonic(), status))

    def first_success(self, after: float) -> float | None:
        """When the first request that began after that moment had its answer."""
        return min((end for began, end, status in list(self.outcomes) if status == 200 and began > after), default=None)

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()


@pytest.mark.parametrize("victim", ["control", "gateway", "simulator"])
def test_killed_under_load(up: Running, victim: str) -> None:
    """Back within 3 s; and what the model saw is what the ledger holds, request by request."""
    user = f"load-{victim}"
    load = Load(up, up.key(user, "open"))
    with load.running():
        eventually(lambda: len(load.outcomes) > 30)
        dead = up.kill(victim)
        died = time.monotonic()
        eventually(lambda: up.ready(victim, not_pid=dead))
        back = eventually(lambda: load.first_success(after=died))
        eventually(lambda: len([1 for began, _, _ in load.outcomes if began > back]) > 20)
    assert back - died < BACK_WITHIN
    records = eventually(lambda: _all_settled(up, user))
    ids = [record["request_id"] for record in records]
    assert len(ids) == len(set(ids)), "none is doubled"
    complete = {record["request_id"] for record in records if record["outcome"] == "complete"}
    if victim != "simulator":  # which writes down that a request has ended after its last byte, if it still lives
        eventually(lambda: complete <= _seen(up, "end").keys())
    seen, ended = _seen(up, "start"), _seen(up, "end")
    _nothing_lost(up, set(ids))
    for record in records:
        if record["outcome"] == "complete" and (line := ended.get(record["request_id"])):
            assert (record["prompt_tokens"], record["completion_tokens"]) == (
                line["prompt_tokens"],
                line["completion_tokens"],
            )
        elif record["request_id"] not in seen:
            assert record["outcome"] in ("failed", "lost"), "admitted, but the model never got it"
    ok = [status for *_, status in load.outcomes if status == 200]
    assert sum(record["outcome"] == "complete" for record in records) >= len(ok)


def _seen(up: Running, event: str) -> dict[str, dict[str, Any]]:
    return {line["request_id"]: line for line in up.requests_seen() if line["event"] == event}


def test_counters_survive_every_death(up: Running) -> None:
    key = up.key("survivor", "free")
    statuses = [up.chat(key, max_tokens=2).status_code for _ in range(2)]
    for victim in ("control", "gateway", "simulator"):
        dead = up.kill(victim)
        eventually(lambda v=victim, d=dead: up.ready(v, not_pid=d))  # type: ignore[misc]
        statuses.append(eventually(lambda: _answered(up, key)))
    statuses += [up.chat(key, max_tokens=2).status_code for _ in range(2)]
    assert statuses == [200] * 5 + [429] * 2


def test_under_way_when_the_control_plane_dies_still_counts(up: Running) -> None:
    """A stream that holds all tokens goes on without it, and is charged by its next life."""
    key = up.key("long", "tokens")
    with httpx.Client(timeout=PATIENCE) as client:
        body = {"model": "simulator", "stream": True, "max_tokens": 400, "messages": _words(150)}
        url = f"{up.url}/v1/chat/completions"
        with client.stream("POST", url, json=body, headers=bearer(key)) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("data:")
            dead = up.kill("control")
            eventually(lambda: up.ready("control", not_pid=dead))
            refused = eventually(lambda: (r := up.chat(key)).status_code != 503 and r)
            assert refused.status_code == 429, "its reservation is remembered"
            for _ in lines:
                pass
    row = eventually(lambda: up.usage().get("long"))
    assert row["requests"] == 1
    assert row["prompt_tokens"] == 150


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_nothing_gets_in_without_the_control_plane(up: Running, how: signal.Signals) -> None:
    """Dead or only slow: 503 with a reason, never 200; and afterwards nobody is held up or charged for it."""
    user = f"shut-out-{how.name}"
    key = up.key(user, "tokens")
    supervisor = up.pid("control")
    if how is signal.SIGSTOP:
        os.kill(supervisor, signal.SIGSTOP)
        eventually(lambda: stopped(supervisor))
        answers = asyncio.run(_ask(up, key, 3))
        os.kill(supervisor, signal.SIGCONT)
    else:
        with _stopped_supervisor(up):
            up.kill("control")
            answers = asyncio.run(_ask(up, key, 3))
        eventually(lambda: up.ready("control", not_pid=supervisor))
    for answer in answers:
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "admission_unavailable"
    eventually(lambda: _answered(up, key) == 200)
    records = eventually(lambda: _all_settled(up, user))
    assert sum(record["prompt_tokens"] > 0 for record in records) == 1


def test_a_full_disk_lets_nothing_through(up: Running) -> None:
    """RLIMIT_FSIZE stands for a disk that takes no more: the control plane's writes fail as they would there."""
    import resource

    key = up.key("full-disk", "open")
    assert up.chat(key).status_code == 200
    pid = up.pid("control")
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        assert up.chat(key).status_code == 503
        assert "nothing is let through" in up.api.get("/health").json()["parts"]["journal"]
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    assert eventually(lambda: _answered(up, key)) == 200
    assert up.api.get("/health").json()["parts"]["journal"] == "ok"


def test_explain_names_the_key_that_was_refused(up: Running) -> None:
    made = up.made_key("ann", "open")
    up.api.delete(f"/v1/api-keys/{made['id']}").raise_for_status()
    request_id = up.chat(made["key"]).headers["x-request-id"]
    told = up.api.get(f"/v1/requests/{request_id}").json()
    assert (told["verdict"], told["why"], told["key_id"], told["user"]) == (
        "refused",
        "revoked_api_key",
        made["id"],
        "ann",
    )


@contextmanager
def _stopped_supervisor(up: Running) -> Iterator[None]:
    """So that what was killed stays dead for a while."""
    from maas.embedded.supervisor import client

    supervisor = client.running(up.home)
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(supervisor.pid, signal.SIGCONT)


async def _ask(up: Running, key: str, count: int) -> list[httpx.Response]:
    content = {"model": "simulator", "messages": _words(1)}
    async with httpx.AsyncClient(timeout=PATIENCE, headers=bearer(key)) as client:
        return await asyncio.gather(*(client.post(f"{up.url}/v1/chat/completions", json=content) for _ in range(count)))


def _answered(up: Running, key: str) -> int | None:
    """The status, once the platform as a whole answers again."""
    try:
        status = up.chat(key, max_tokens=2).status_code
    except httpx.TransportError:
        return None
    return None if status == 503 else status


def _words(count: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": " ".join(["w"] * count)}]


def _all_settled(up: Running, user: str) -> list[dict[str, Any]] | None:
    """The ledger's records of a user, once nothing of his is under way."""
    records = [record for record in up.records() if record["user"] == user]
    admitted = up.admitted(user)
    return records if admitted and admitted == {record["request_id"] for record in records} else None


def _nothing_lost(up: Running, ids: set[str]) -> None:
    """Everything that the model got since this user's first request is in somebody's record."""
    recorded = {record["request_id"] for record in up.records()}
    assert ids <= recorded
    assert {line["request_id"] for line in up.requests_seen()} <= recorded


def test_stopping_lets_answers_under_way_finish() -> None:
    """`maas down` while a stream runs: the stream comes to its end, and is in the ledger."""
    with running("inter-token-latency: 20ms, mode: echo") as up:
        key = up.key("last", "open")
        body = {"model": "simulator", "stream": True, "messages": _words(60)}
        with httpx.Client(timeout=PATIENCE) as client:
            url = f"{up.url}/v1/chat/completions"
            with client.stream("POST", url, json=body, headers=bearer(key)) as answer:
                lines = answer.iter_lines()
                assert next(lines).startswith("data:")
                up.api.close()
                stopping = threading.Thread(target=platform.stop, args=(up.home,))
                stopping.start()
                rest = list(lines)
                stopping.join()
        assert rest[-2:] == ["data: [DONE]", ""]
        with closing(sqlite3.connect(up.home.database)) as database:
            assert database.execute("select outcome, prompt_tokens from usage").fetchall() == [("complete", 60)]
