"""The way to the server: names, proxies, TLS names; for httpcore's connection pool.

httpcore, which is httpx's engine, and not httpx: a list of 20 000 pods came at a third less processor time, answers
hold no reference cycles (with which the collector, switched off meanwhile, would have kept 100 MB), and importing it
takes a tenth of the time. Names are resolved in threads of our own that nobody waits for: those of asyncio are joined
at the end of the program, for as long as a dead name server takes.
"""

import asyncio
import ipaddress
import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore

from maas.cluster.failures import BadKubeconfig
from maas.cluster.kubeconfig import Login

CONNECT_TIMEOUT = 8.0
_CONNECTIONS = 10


async def resolve(host: str, port: int = 0, *, within: float) -> list[str]:
    """Its addresses. Raises socket.gaierror, and TimeoutError when nobody answered."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            say(list(dict.fromkeys(str(each[4][0]) for each in found)))
        except (OSError, UnicodeError) as error:
            say(error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "not a host name"))

    def say(said: list[str] | OSError) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, answer, said)

    threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    async with asyncio.timeout(within):
        return await answer


def _settle(answer: "asyncio.Future[list[str]]", said: list[str] | OSError) -> None:
    if answer.done():
        return
    if isinstance(said, OSError):
        answer.set_exception(said)
    else:
        answer.set_result(said)


class Network(httpcore.AsyncNetworkBackend):
    """server_names: whose certificate is expected of a host, where it is not the host's own."""

    def __init__(self, server_names: Mapping[str, str]) -> None:
        self._server_names = server_names
        self._below = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        within = timeout or CONNECT_TIMEOUT
        end = time.monotonic() + within
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in await self._addresses(host, port, within):
            left = max(0.1, end - time.monotonic())
            try:
                stream = await self._below.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Named(stream, self._server_names)
        raise failure

    async def _addresses(self, host: str, port: int, within: float) -> list[str]:
        with suppress(ValueError):
            return [str(ipaddress.ip_address(host))]
        try:
            return await resolve(host, port, within=within)
        except TimeoutError:
            raise httpcore.ConnectError(f"the name {host} was not resolved within {within:g} seconds") from None
        except OSError as error:
            raise httpcore.ConnectError(f"the name {host} cannot be resolved: {error.strerror}") from None

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Named(httpcore.AsyncNetworkStream):
    """A connection whose TLS expects the name that the kubeconfig says (tls-server-name), through proxies as well."""

    def __init__(self, below: httpcore.AsyncNetworkStream, server_names: Mapping[str, str]) -> None:
        self._below = below
        self._server_names = server_names

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  # httpcore's
        return await self._below.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  # httpcore's
        await self._below.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._below.aclose()

    async def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's
    ) -> httpcore.AsyncNetworkStream:
        name = self._server_names.get(server_hostname or "", server_hostname)
        return _Named(await self._below.start_tls(ssl_context, name, timeout), self._server_names)

    def get_extra_info(self, info: str) -> Any:
        return self._below.get_extra_info(info)


@dataclass(frozen=True)
class Route:
    """host and port of the server; proxy: a URL, or ""."""

    host: str
    port: int
    proxy: str = ""

    @property
    def bare_proxy(self) -> str:
        """Without user and password."""
        parts = urlsplit(self.proxy)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{parts.scheme.replace('socks5h', 'socks5')}://{host}" + (f":{parts.port}" if parts.port else "")


def route(login: Login, environment: Mapping[str, str] = os.environ) -> Route:
    parts = _split(login.server)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    proxy = login.cluster.text("proxy-url") or _of_environment(parts.scheme, host, port, environment)
    if proxy and _split(proxy).scheme not in ("http", "https", "socks5", "socks5h"):
        raise BadKubeconfig("The proxy must be an http://, https:// or socks5:// URL")
    return Route(host, port, proxy)


def _split(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise BadKubeconfig("The address of the server or its proxy is no valid URL") from None
    return parts


def _of_environment(scheme: str, host: str, port: int, environment: Mapping[str, str]) -> str:
    """As Go's clients read it: loopback is never proxied, NO_PROXY may hold networks."""
    name = f"{scheme}_proxy"
    proxy = environment.get(name.upper()) or environment.get(name) or ""
    if not proxy or host == "localhost" or _in_network(host, "127.0.0.0/8") or _in_network(host, "::1/128"):
        return ""
    exceptions = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    if any(_excepted(host, port, each.strip()) for each in exceptions.split(",")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _excepted(host: str, port: int, exception: str) -> bool:
    if exception == "*":
        return True
    if exception.endswith(f":{port}"):
        exception = exception.removesuffix(f":{port}")
    suffix = exception.removeprefix("*").lower()
    if not suffix:
        return False
    return (
        host == suffix or _in_network(host, suffix) or host.endswith(suffix if suffix.startswith(".") else f".{suffix}")
    )


def _in_network(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def pool(login: Login, way: Route, tls: SSLContext) -> httpcore.AsyncConnectionPool:
    expected = login.cluster.text("tls-server-name")
    network = Network({way.host: expected} if expected else {})
    if not way.proxy:
        return httpcore.AsyncConnectionPool(tls, max_connections=_CONNECTIONS, network_backend=network)
    parts = _split(way.proxy)
    user = (unquote(parts.username or ""), unquote(parts.password or "")) if parts.username else None
    made = httpcore.AsyncSOCKSProxy if parts.scheme.startswith("socks") else httpcore.AsyncHTTPProxy
    return made(way.bare_proxy, proxy_auth=user, ssl_context=tls, max_connections=_CONNECTIONS, network_backend=network)
