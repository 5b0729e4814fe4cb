"""An API server played by a test: real sockets, answers as bad as they get. For what the real one (front.py) cannot do.

    async with playing(play) as server: …server.url…

`play` maps a request to an answer: JSON, an Answer, Broken bytes after which the connection closes, an iterator of such
bytes, or None: it closes at once. A played proxy is the same, with CONNECT passed through.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Broken:
    """Sent as it is; then the connection closes."""

    raw: bytes


Play = Callable[[Request], Awaitable[Any]]


@dataclass
class Server:
    url: str
    asked: list[Request] = field(default_factory=list)
    tunnels: list[str] = field(default_factory=list)  # of a proxy: what was to be connected to


def status(code: int, message: str, **details: Any) -> Answer:
    """A Status, as API servers answer with."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return Answer(code, json.dumps(body | ({"details": details} if details else {})).encode())


def listed(kind: str, *objects: Any, continued: str = "") -> dict[str, Any]:
    metadata = {"resourceVersion": "1", **({"continue": continued} if continued else {})}
    return {"kind": f"{kind}List", "apiVersion": "v1", "metadata": metadata, "items": list(objects)}


@contextlib.asynccontextmanager
async def playing(
    play: Play, *, tls: ssl.SSLContext | None = None, port: int = 0, peers: list[Any] | None = None
) -> AsyncIterator[Server]:
    """port: 0 for a free one. peers: gets the clients' certificates."""
    played = Server("")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        busy.add(writer)
        if peers is not None:
            peers.append(writer.get_extra_info("peercert"))
        try:
            await _converse(played, play, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            busy.discard(writer)
            writer.close()

    busy: set[asyncio.StreamWriter] = set()
    server = await asyncio.start_server(connected, "127.0.0.1", port, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    played.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield played
    finally:
        server.close()
        for writer in list(busy):
            writer.transport.abort()
        await server.wait_closed()


async def _converse(played: Server, play: Play, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while (request := await _request(reader)) is not None:
        if request.method == "CONNECT":
            played.tunnels.append(request.path)
        played.asked.append(request)
        answer = await play(request)
        if request.method == "CONNECT" and answer == "through":
            await _tunnel(request.path, reader, writer)
            return
        if answer is None:
            return
        if isinstance(answer, AsyncIterator):
            async for piece in answer:
                writer.write(piece)
                await writer.drain()
            return
        if isinstance(answer, Broken):
            writer.write(answer.raw)
            await writer.drain()
            return
        writer.write(_bytes(answer if isinstance(answer, Answer) else Answer(200, json.dumps(answer).encode())))
        await writer.drain()


async def _request(reader: asyncio.StreamReader) -> Request | None:
    head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
    if not head:
        return None
    first, *rest = head.decode().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    if method == "CONNECT":
        return Request(method, target, {}, headers, body)
    parts = urlsplit(target)
    return Request(method, parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()}, headers, body)


def _bytes(answer: Answer) -> bytes:
    headers = {"Content-Length": str(len(answer.body)), "Content-Type": "application/json", **answer.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {answer.status} Played\r\n{head}\r\n".encode() + answer.body


async def _tunnel(target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    host, _, port = target.rpartition(":")
    inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
    try:
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
    finally:
        inner_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
