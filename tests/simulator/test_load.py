"""Time, slots, the queue, callers who leave, and failures on purpose."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.running import eventually
from tests.simulator.running import Running

Start = Callable[..., Running]


def _request(body: dict[str, Any], request_id: str) -> bytes:
    content = json.dumps({"model": "sim", "prompt": "x", "ignore_eos": True, **body}).encode()
    lines = (
        "POST /v1/completions HTTP/1.1",
        "host: x",
        f"x-request-id: {request_id}",
        f"content-length: {len(content)}",
    )
    return "\r\n".join((*lines, "", "")).encode() + content


@asynccontextmanager
async def connected(sim: Running, body: dict[str, Any], request_id: str) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_unix_connection(str(sim.uds))
    writer.write(_request(body, request_id))
    try:
        yield reader
    finally:
        writer.close()


async def _read_tokens(sim: Running, tokens: int, request_id: str) -> None:
    """Leaves once that many have come."""
    async with connected(sim, {"max_tokens": 1000, "stream": True}, request_id) as reader:
        for _ in range(tokens):
            await reader.readuntil(b"data: ")


def test_an_aborted_stream_stops_and_is_counted(sim: Running) -> None:
    sim.configure(inter_token_latency=20)
    before = sim.metric("generation_tokens_total")
    asyncio.run(_read_tokens(sim, 5, "left-stream"))
    line = sim.logged("left-stream")
    assert line["aborted"]
    assert line["stream"]
    assert 5 <= line["completion_tokens"] < 50
    assert sim.metric("generation_tokens_total") - before == line["completion_tokens"]


def test_an_aborted_answer_is_counted_to_where_it_was(sim: Running) -> None:
    sim.configure(inter_token_latency=10)

    async def leave() -> None:
        async with connected(sim, {"max_tokens": 1000}, "left-whole"):
            await asyncio.sleep(0.1)

    asyncio.run(leave())
    line = sim.logged("left-whole")
    assert line["aborted"]
    assert line["status"] == 499
    assert 0 < line["completion_tokens"] < 500


def test_a_stream_without_latency_stops_when_nobody_reads(sim: Running) -> None:
    async def leave() -> None:
        async with connected(sim, {"max_tokens": 8000, "stream": True}, "left-fast") as reader:
            await reader.readuntil(b"data: ")

    asyncio.run(leave())
    line = sim.logged("left-fast")
    assert line["aborted"] == (line["completion_tokens"] < 8000)


def test_who_leaves_the_queue_is_not_served(sim: Running) -> None:
    sim.configure(max_num_seqs=1, time_to_first_token=10_000)

    async def run() -> None:
        async with connected(sim, {}, "first"):
            await asyncio.to_thread(eventually, lambda: sim.metric("num_requests_running") == 1)
            async with connected(sim, {}, "second"):
                await asyncio.to_thread(eventually, lambda: sim.metric("num_requests_waiting") == 1)
            await asyncio.to_thread(eventually, lambda: sim.metric("num_requests_waiting") == 0)

    asyncio.run(run())
    assert sim.logged("second").items() >= {"aborted": True, "completion_tokens": 0, "status": 499}.items()
    assert sim.logged("first")["aborted"]
    eventually(lambda: sim.metric("num_requests_running") == 0)


def test_a_full_queue_refuses(sim: Running) -> None:
    sim.configure(max_num_seqs=1, max_waiting_queue_length=1, time_to_first_token=10_000)

    async def run() -> None:
        async with connected(sim, {}, "runs"), connected(sim, {}, "waits"):
            await asyncio.to_thread(eventually, lambda: sim.metric("num_requests_waiting") == 1)
            refused = await asyncio.to_thread(sim.chat)
            assert refused.status_code == 429
            assert refused.json()["error"]["message"] == "Failed to enqueue request, waiting requests queue is full"

    asyncio.run(run())


def test_raising_the_limit_lets_the_waiting_run(sim: Running) -> None:
    sim.configure(max_num_seqs=1, time_to_first_token=10_000)

    async def run() -> None:
        async with connected(sim, {}, "a"), connected(sim, {}, "b"), connected(sim, {}, "c"):
            await asyncio.to_thread(eventually, lambda: sim.metric("num_requests_waiting") == 2)
            sim.configure(max_num_seqs=3)
            assert sim.metric("num_requests_running") == 3
            assert sim.metric("num_requests_waiting") == 0

    asyncio.run(run())
    eventually(lambda: sim.metric("num_requests_running") == 0)


@pytest.mark.alone
def test_latency_is_what_was_set(sim: Running) -> None:
    sim.configure(time_to_first_token="100ms", inter_token_latency="10ms")

    async def arrivals() -> list[float]:
        started = time.monotonic()
        async with connected(sim, {"max_tokens": 20, "stream": True}, "timed") as reader:
            found = []
            for _ in range(20):
                await reader.readuntil(b"data: ")
                found.append(time.monotonic() - started)
            return found

    found = asyncio.run(arrivals())
    assert 0.1 <= found[0] < 0.29
    assert 0.29 <= found[-1] < 1
    started = time.monotonic()
    assert sim.chat(max_tokens=20, ignore_eos=True).is_success
    assert 0.29 <= time.monotonic() - started < 1


def test_changed_latency_spares_who_has_started(sim: Running) -> None:
    sim.configure(time_to_first_token=200)
    with ThreadPoolExecutor(1) as pool:
        before = pool.submit(sim.chat)
        eventually(lambda: sim.metric("num_requests_running") == 1)
        sim.configure(time_to_first_token=30_000)
        assert before.result().is_success


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("rate_limit", 429, "rate_limit_exceeded"),
        ("invalid_api_key", 401, "invalid_api_key"),
        ("context_length", 400, "context_length_exceeded"),
        ("server_error", 503, None),
        ("invalid_request", 400, None),
        ("model_not_found", 404, "model_not_found"),
    ],
)
def test_injected_failures(sim: Running, kind: str, status: int, code: str | None) -> None:
    sim.configure(failure_injection_rate=100, failure_types=[kind])
    for stream in (False, True):
        answer = sim.chat(stream=stream)
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == code


def test_failures_come_at_their_rate(sim: Running) -> None:
    sim.configure(failure_injection_rate=50)
    failed = sum(not sim.chat().is_success for _ in range(200))
    assert 60 < failed < 140


def test_a_header_must_name_an_error(sim: Running) -> None:
    body = {"model": "sim", "prompt": "x"}
    for value in ("200", "x", "600", "4290", "-429", "²29"[1:]):
        assert sim.post("/v1/completions", body, x_return_error=value).status_code == 400
    assert sim.post("/v1/completions", body, x_return_error="418").status_code == 418
