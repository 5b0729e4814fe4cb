"""A lean client for many streams at once: `python -m benchmarks.gateway.streams URL KEY` with the figures as JSON.

Each of the streams is begun anew when it has ended, and the first ones are spread over the length of one, so that
beginnings and endings are spread evenly too. Only what happens after that ramp counts. It is a process of its own,
so that its work is not taken for that of what it measures; sockets are read as they come, without an HTTP library.
"""

import argparse
import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import uvloop

from benchmarks.gateway.figures import percentile
from benchmarks.gateway.target import STREAMING, TOKENS_PER_SECOND, stream_body

MODEL_HEADER = "x-benchmark-model"  # tells the bare proxy which backend is meant
_TOKEN = re.compile(rb'"content": ?"[^"]')
_DONE, _LAST_CHUNK = b"data: [DONE]", b"\r\n0\r\n\r\n"
_RETRY_AFTER = 0.5


@dataclass
class _Samples:
    """Times in seconds. begin: what came before it does not count."""

    begin: float
    first: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    tokens: int = 0
    failed: int = 0


class _Stream(asyncio.Protocol):
    """One connection, with one request after the other."""

    def __init__(self, request: bytes, samples: _Samples) -> None:
        self._request, self._samples = request, samples
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has classes of its own
        self._send()

    def _send(self) -> None:
        self._sent, self._last, self._answered, self._done = time.perf_counter(), 0.0, False, False
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if not self._answered:
            self._answered = True
            if not data.startswith(b"HTTP/1.1 200 "):
                self._transport.abort()
                return
        if tokens := len(_TOKEN.findall(data)):
            self._count(tokens, now)
        self._done = self._done or _DONE in data
        if self._done and data.endswith(_LAST_CHUNK):
            self._send()

    def _count(self, tokens: int, now: float) -> None:
        samples = self._samples
        if not self._last:
            if self._sent >= samples.begin:
                samples.first.append(now - self._sent)
            tokens -= 1
        elif self._last >= samples.begin:
            samples.gaps.append(now - self._last)
            tokens -= 1
        if now >= samples.begin:
            samples.gaps.extend([0.0] * tokens)
            samples.tokens += tokens + 1
        self._last = now

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def close(self) -> None:
        self._transport.abort()


async def measure(url: str, key: str, streams: int, tokens: int, seconds: float) -> _Samples:
    ramp = tokens / TOKENS_PER_SECOND
    samples = _Samples(time.perf_counter() + ramp)
    request = _request(url, key, tokens)
    workers = [asyncio.create_task(_keep_open(url, request, samples, ramp * i / streams)) for i in range(streams)]
    await asyncio.sleep(ramp + seconds)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    return samples


async def _keep_open(url: str, request: bytes, samples: _Samples, delay: float) -> None:
    await asyncio.sleep(delay)
    address = urlsplit(url)
    while True:
        try:
            _, stream = await asyncio.get_running_loop().create_connection(
                lambda: _Stream(request, samples), address.hostname or "", address.port or 80
            )
        except OSError:
            pass
        else:
            try:
                await stream.ended
            finally:
                stream.close()
        samples.failed += time.perf_counter() >= samples.begin
        await asyncio.sleep(_RETRY_AFTER)


def _request(url: str, key: str, tokens: int) -> bytes:
    address, body = urlsplit(url), stream_body(tokens)
    head = [
        f"POST {address.path} HTTP/1.1",
        f"host: {address.netloc}",
        f"authorization: Bearer {key}",
        f"{MODEL_HEADER}: {STREAMING}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--tokens", type=int, default=160)
    parser.add_argument("--seconds", type=float, default=16)
    given = parser.parse_args()
    samples = uvloop.run(measure(given.url, given.key, given.streams, given.tokens, given.seconds))
    figures: dict[str, float | None] = {"tokens": samples.tokens, "failed": samples.failed}
    for name, values in (("first", samples.first), ("gap", samples.gaps)):
        for share in (50, 99):
            figures[f"{name}_p{share}"] = percentile(values, share / 100) * 1e3 if values else None
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
