"""One cluster's connections: requests go out with our identity, answers come back whole, failures as MaasErrors.

A session logs in at its first request, again when its identity ends, and once more when the server does not accept
it (401). Bodies are asked for compressed: a sixteenth of the bytes, and less work for us than deciphering the others.
For 20 000 pods we need 2.3 seconds of processor time instead of 3.5, and the server 0.5 more.
"""

import asyncio
import os
import socket
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpcore

from maas.cluster.credentials import Credentials, Identity, blob, impersonation
from maas.cluster.failures import BadKubeconfig, LoginFailed, ServerFailed, TooSlow, Unreachable, Untrusted
from maas.cluster.kubeconfig import Login
from maas.cluster.network import CONNECT_TIMEOUT, pool
from maas.cluster.proxies import Route
from maas.cluster.trust import context
from maas.domain.errors import MaasError

_AT_ONCE = 8
_USED_FOR = 30.0  # seconds, at least
_LARGEST = 1 << 30  # bytes of one answer: more than a cluster has, less than the machine

Headers = list[tuple[str, str]]
Begun = Callable[[bytes], None]
"""Is told the beginning of a body while the rest is still coming."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Traffic:
    """calls: requests sent; answered: those of them that were.

    received: bytes of bodies on the wire; unpacked: the same, decompressed.
    """

    calls: int = 0
    answered: int = 0
    received: int = 0
    unpacked: int = 0


@dataclass
class Session:
    login: Login
    credentials: Credentials
    way: Route
    traffic: Traffic = field(default_factory=Traffic)
    _identity: Identity | None = None
    _pool: httpcore.AsyncConnectionPool | None = None
    _old: list[httpcore.AsyncConnectionPool] = field(default_factory=list)
    _failed: MaasError | None = None

    def __post_init__(self) -> None:
        self._logging_in = asyncio.Lock()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._impersonation = impersonation(self.login.user)
        self._authority = blob(self.login.cluster, "certificate-authority")
        self._insecure = self.login.cluster.flag("insecure-skip-tls-verify")

    async def close(self) -> None:
        for each in (*self._old, self._pool):
            if each is not None:
                await each.aclose()
        self._old, self._pool = [], None

    async def log_in(self) -> None:
        """Raises LoginFailed, BadKubeconfig."""
        await self._current()

    async def send(
        self, method: str, path: str, headers: Headers, body: bytes = b"", *, within: float, begun: Begun | None = None
    ) -> Answer:
        """Raises LoginFailed, Unreachable, ServerFailed, TooSlow. Other answers are the caller's to judge."""
        async with self._places:
            used = await self._current()
            answer = await self._sent(method, path, headers, body, within, begun)
            if answer.status == 401 and self.credentials.renewable:
                await self._renewed(used)
                answer = await self._sent(method, path, headers, body, within, begun)
        if answer.status == 401:
            raise LoginFailed(
                f"{self.login.server} does not accept the credentials of context {self.login.context!r} (401): "
                "they have expired, were revoked, or belong to another cluster. Log in again"
            )
        return answer

    async def _current(self) -> Identity:
        async with self._logging_in:
            if self._identity is None or not self._identity.is_fresh(time.time()):
                await self._log_in()
            assert self._identity is not None
            return self._identity

    async def _renewed(self, refused: Identity) -> None:
        """Once for all requests that were refused with the same identity."""
        async with self._logging_in:
            if self._identity is refused:
                await self._log_in()

    async def _log_in(self) -> None:
        """A login that failed is not tried again for each of fifty calls."""
        if self._failed is not None:
            raise self._failed
        try:
            identity = await self.credentials.identity()
        except (LoginFailed, BadKubeconfig) as failure:
            self._failed = failure
            raise
        soonest = time.time() + _USED_FOR
        if identity.expires is not None and identity.expires < soonest:
            identity = replace(identity, expires=soonest)  # what is born expired is for the server to refuse
        self._take(identity)

    def _take(self, identity: Identity) -> None:
        known = self._identity
        self._identity = identity
        same = known is not None and (known.certificate, known.key) == (identity.certificate, identity.key)
        if self._pool is not None and not same:
            self._old.append(self._pool)  # requests may be under way on its connections
            self._pool = None
        if self._pool is None:
            tls = context(self._authority, identity, insecure=self._insecure)
            self._pool = pool(self.login, self.way, tls)

    async def _sent(
        self, method: str, path: str, headers: Headers, body: bytes, within: float, begun: Begun | None
    ) -> Answer:
        assert self._pool is not None and self._identity is not None
        everything = [("Host", self._host), ("Accept-Encoding", "gzip"), ("User-Agent", "maas"), *headers]
        everything += self._impersonation
        if self._identity.authorization:
            everything.append(("Authorization", self._identity.authorization))
        if body:
            everything.append(("Content-Length", str(len(body))))
        limits = {"connect": min(CONNECT_TIMEOUT, within), "read": within, "write": within, "pool": within}
        self.traffic.calls += 1
        async with (
            self._failures(method, path, within),
            asyncio.timeout(within),
            self._pool.stream(
                method,
                self.login.server + path,
                headers=everything,
                content=body or None,
                extensions={"timeout": limits},
            ) as response,
        ):
            self.traffic.answered += 1
            known = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return Answer(response.status, known, await self._read(response, known, begun))

    @property
    def _host(self) -> str:
        return self.login.server.partition("://")[2].partition("/")[0]

    async def _read(self, response: httpcore.Response, headers: Mapping[str, str], begun: Begun | None) -> bytes:
        unpack = zlib.decompressobj(wbits=31) if headers.get("content-encoding") == "gzip" else None
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_stream():
            self.traffic.received += len(part)
            whole = unpack.decompress(part) if unpack else part
            if not whole:
                continue
            parts.append(whole)
            size += len(whole)
            if len(parts) == 1 and begun and response.status == 200:
                begun(whole)
            if size > _LARGEST:
                raise ServerFailed("The server's answer is larger than a gigabyte")
        if unpack and not unpack.eof:
            raise zlib.error("the compressed answer was cut off")
        self.traffic.unpacked += size
        return b"".join(parts)

    @asynccontextmanager
    async def _failures(self, method: str, path: str, within: float) -> AsyncIterator[None]:
        what = f"{method} {path.partition('?')[0]}"
        try:
            yield
        except (TimeoutError, httpcore.ReadTimeout, httpcore.WriteTimeout, httpcore.PoolTimeout):
            raise TooSlow(f"{self.login.server} gave no answer to {what} within {within:g} seconds") from None
        except httpcore.ConnectTimeout:
            raise Unreachable(f"{self._target} cannot be reached: no answer. {self._advice}") from None
        except httpcore.ProxyError as error:
            raise Unreachable(f"The proxy {self.way.bare_proxy} refused the connection: {error}") from None
        except httpcore.ConnectError as error:
            raise self._unconnected(error) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, zlib.error) as error:
            raise ServerFailed(f"the connection broke during {what}: {str(error) or type(error).__name__}") from None

    @property
    def _target(self) -> str:
        return self.login.server + (f" (through the proxy {self.way.bare_proxy})" if self.way.proxy else "")

    @property
    def _advice(self) -> str:
        if self.way.proxy:
            return "Is the proxy right?"
        return "Is the cluster running, is the address right, is a VPN or a proxy needed?"

    def _unconnected(self, error: httpcore.ConnectError) -> Unreachable:
        cause = _certificate_error(error)
        if cause is not None:
            return Untrusted(
                f"The certificate of {self._target} is not trusted: {cause}. Give its authority in the kubeconfig "
                "(certificate-authority), or the name it is made for (tls-server-name)"
            )
        return Unreachable(f"{self._target} cannot be reached: {_plain(error)}. {self._advice}")


def _certificate_error(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message or "verification failed"
        error = error.__cause__ or error.__context__
    return None


def _plain(error: BaseException) -> str:
    """The system's own words, of the deepest cause: "Connection refused"."""
    deepest: BaseException | None = error
    found = str(error)
    while deepest is not None:
        if isinstance(deepest, OSError) and deepest.errno and not isinstance(deepest, socket.gaierror):
            found = str(deepest) if isinstance(deepest, ssl.SSLError) else os.strerror(deepest.errno)
        deepest = deepest.__cause__ or deepest.__context__
    return found.rstrip(".") or type(error).__name__
