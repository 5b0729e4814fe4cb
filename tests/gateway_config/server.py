"""A small HTTP/1.1 server, in a thread: stands for admission and for models.

By hand, because the tests have to send what a well-behaved server never would: half an event, or half an answer.
"""

import asyncio
import json
import ssl
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def __getitem__(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.headers}


@dataclass
class Answer:
    """chunks: sent one after the other as a stream, instead of body. A None among them breaks the connection off."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunks: Sequence[bytes | None] | None = None
    pause: float = 0.0


Handler = Callable[[Asked], Answer]


def said(content: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json", **named}, json.dumps(content).encode())


def events(*chunks: bytes | None, pause: float = 0.0) -> Answer:
    return Answer(headers={"content-type": "text/event-stream"}, chunks=chunks, pause=pause)


class Server:
    """handler may be replaced at any time. asked: every request so far."""

    def __init__(self, path: Path | int, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        """path: of a unix socket, or a port of localhost."""
        self.handler = handler
        self.asked: list[Asked] = []
        self.steps: threading.Semaphore | None = None  # when set, each chunk waits for one
        self._path, self._tls = path, tls
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    def wait(self) -> None:
        self._thread.join()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        if isinstance(self._path, int):
            server = await asyncio.start_server(self._connected, "127.0.0.1", self._path, ssl=self._tls)
        else:
            server = await asyncio.start_unix_server(self._connected, self._path, limit=2**20)
        self._ready.set()
        await self._end.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (asked := await _read(reader)) is not None:
                self.asked.append(asked)
                if not await self._answer(writer, self.handler(asked)):
                    return
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, answer: Answer) -> bool:
        """False when the connection was broken off."""
        if answer.chunks is None:
            writer.write(_head(answer, f"content-length: {len(answer.body)}") + answer.body)
            await writer.drain()
            return True
        writer.write(_head(answer, "transfer-encoding: chunked"))
        for chunk in answer.chunks:
            if chunk is None:
                return False
            while self.steps and not self.steps.acquire(blocking=False):  # noqa: ASYNC110 (a thread releases it)
                await asyncio.sleep(0.005)
            writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await writer.drain()
            await asyncio.sleep(answer.pause)
        writer.write(b"0\r\n\r\n")
        return True


def _head(answer: Answer, length: str) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in answer.headers.items()), length]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    named = dict(headers)
    if named.get("transfer-encoding") == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(named.get("content-length", 0)))
    method, path, _ = first.split(" ")
    return Asked(method, path, headers, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


if __name__ == "__main__":
    # admission in a process of its own, to be stopped and killed: admits every request to the cluster that it is told
    Server(
        Path(sys.argv[1]), lambda asked: Answer(headers={"x-maas-route": "model", "x-maas-cluster": sys.argv[2]})
    ).wait()
