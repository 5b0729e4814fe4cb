"""A proxy in front of a real API server: counts what is asked, and makes it as bad as networks and servers are.

This is the fake part of the live tests, and all of it: everything behind it is real. It answers /version with another
version where a test says so (a server of 1.34 then passes for one of 1.27), can be slow, refuse, fail with 429 or 500,
drop connections, answer with rubbish, and stop in the middle of an answer.

    with front(cluster) as before:
        before.faults = [Fault("/pods", status=500, times=2)]
        …cluster.kubeconfig(url=before.url)…
        assert before.calls

Who calls is passed on as Kubernetes' own front proxies do: by a certificate that the API server trusts to name others.
"""

import asyncio
import contextlib
import json
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.kubernetes.cluster import Cluster

_NOT_PASSED = {"host", "connection", "transfer-encoding", "content-length", "x-remote-user", "x-remote-group"}
_PATIENCE = 30.0


@dataclass(frozen=True)
class Call:
    method: str
    target: str  # path and query, as sent
    status: int  # 0: dropped


@dataclass
class Fault:
    """What happens to requests whose target contains `path`; times: to the first so many (None: to all).

    delay: seconds before anything else. status: instead of the real answer. drop: the connection closes without an
    answer. half: it closes in the middle of the answer. rubbish: not JSON.
    """

    path: str = ""
    method: str = ""
    delay: float = 0.0
    status: int = 0
    message: str = "made so by a test"
    retry_after: int | None = None
    drop: bool = False
    half: bool = False
    rubbish: bool = False
    times: int | None = None
    seen: int = 0

    def applies(self, request: "_Request") -> bool:
        if self.path not in request.target or (self.method and self.method != request.method):
            return False
        self.seen += 1
        return self.times is None or self.seen <= self.times


@dataclass
class Front:
    """url: to be used instead of the cluster's. calls: everything that was asked, in order."""

    url: str = ""
    version: str = ""  # what /version says; "" for the truth
    faults: list[Fault] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    together: int = 0  # requests being answered now
    most_together: int = 0


@dataclass(frozen=True)
class _Request:
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    user: tuple[tuple[str, str], ...]  # headers that name whom the client's certificate names


@contextlib.contextmanager
def front(cluster: Cluster, *, version: str = "", faults: tuple[Fault, ...] = ()) -> Iterator[Front]:
    state, started, stop = Front(version=version, faults=list(faults)), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with _Upstream.of(cluster) as upstream:
            server = await asyncio.start_server(
                lambda reader, writer: _answer_all(state, upstream, reader, writer),
                "127.0.0.1",
                0,
                ssl=_server_side(cluster),
            )
            state.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            started.set()
            await stop.wait()
            server.close()

    thread = threading.Thread(target=_run, args=(loop, serve()), daemon=True)
    thread.start()
    try:
        if not started.wait(_PATIENCE):
            raise RuntimeError("the front did not start")
        yield state
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def _run(loop: asyncio.AbstractEventLoop, work: Any) -> None:
    asyncio.set_event_loop(loop)
    loop.run_until_complete(work)
    connections = asyncio.all_tasks(loop)
    for task in connections:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*connections, return_exceptions=True))


async def _answer_all(
    state: Front, upstream: "_Upstream", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One connection, as long as it is kept alive."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
        while request := await _read(reader, writer):
            state.together += 1
            state.most_together = max(state.most_together, state.together)
            try:
                reply = await _reply(state, upstream, request)
            finally:
                state.together -= 1
            state.calls.append(Call(request.method, request.target, reply.status))
            await reply.send(writer)
            if reply.ends:
                break
    writer.transport.abort()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    length = int(dict(headers).get("content-length", "0"))
    user = _named(writer.get_extra_info("peercert") or {})
    return _Request(method, target, headers, await reader.readexactly(length), user)


def _named(certificate: Any) -> tuple[tuple[str, str], ...]:
    names = {"commonName": "X-Remote-User", "organizationName": "X-Remote-Group"}
    pairs = [pair for part in certificate.get("subject", ()) for pair in part]
    return tuple((names[kind], value) for kind, value in pairs if kind in names)


@dataclass(frozen=True)
class _Reply:
    """status 0 is no answer at all. ends: the connection is closed, in the middle of the body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    ends: bool = False

    async def send(self, writer: asyncio.StreamWriter) -> None:
        if not self.status:
            return
        fields = {"content-length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} x", *(f"{name}: {value}" for name, value in fields.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + self.body[: len(self.body) // 2 if self.ends else None])
        await writer.drain()


async def _reply(state: Front, upstream: "_Upstream", request: _Request) -> _Reply:
    ends = False
    for fault in [each for each in state.faults if each.applies(request)]:
        await asyncio.sleep(fault.delay)
        if fault.drop:
            return _Reply(0, ends=True)
        if fault.rubbish:
            return _Reply(200, {"content-type": "application/json"}, b"<html>a login page</html>")
        if fault.status:
            return _refusal(fault)
        ends = ends or fault.half
    answer = await upstream.ask(request)
    body = answer.content
    if state.version and request.target.partition("?")[0] == "/version" and answer.status_code == httpx.codes.OK:
        body = json.dumps({**answer.json(), **_version(state.version)}).encode()
    dropped = {*_NOT_PASSED, "content-encoding"}
    headers = {name: value for name, value in answer.headers.items() if name not in dropped}
    return _Reply(answer.status_code, headers, body, ends)


def _version(git: str) -> dict[str, str]:
    major, minor = re.findall(r"\d+", git)[:2]
    return {"gitVersion": git, "major": major, "minor": minor}


def _refusal(fault: Fault) -> _Reply:
    reasons = {403: "Forbidden", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": fault.message,
        "reason": reasons.get(fault.status, "Unknown"),
        "code": fault.status,
    }
    retry = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    return _Reply(fault.status, {"content-type": "application/json", **retry}, json.dumps(body).encode())


def _server_side(cluster: Cluster) -> ssl.SSLContext:
    certificate, key = cluster.authority.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(cluster.ca)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@dataclass(frozen=True)
class _Upstream:
    """The API server, asked in a client's name, or with nothing but what the client sent."""

    naming: httpx.AsyncClient
    plain: httpx.AsyncClient

    @classmethod
    def of(cls, cluster: Cluster) -> "_Upstream":
        proxy, plain = (ssl.create_default_context(cafile=str(cluster.ca)) for _ in range(2))
        proxy.load_cert_chain(*cluster.authority.client(cluster.front_proxy))
        naming, other = (
            httpx.AsyncClient(base_url=cluster.url, verify=context, timeout=None, limits=httpx.Limits())  # noqa: S113
            for context in (proxy, plain)
        )
        return cls(naming, other)

    async def __aenter__(self) -> "_Upstream":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.naming.aclose()
        await self.plain.aclose()

    async def ask(self, request: _Request) -> httpx.Response:
        headers = [(name, value) for name, value in request.headers if name not in _NOT_PASSED]
        client = self.naming if request.user else self.plain
        return await client.request(
            request.method, request.target, headers=[*headers, *request.user], content=request.body or None
        )
