"""How a server is reached: directly, or through the proxy that the kubeconfig or the environment names."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from maas.cluster.failures import BadKubeconfig
from maas.cluster.kubeconfig import Login


@dataclass(frozen=True)
class Route:
    """host and port of the server; proxy: a URL, or ""."""

    host: str
    port: int
    proxy: str = field(default="", repr=False)  # may hold a password

    @property
    def bare_proxy(self) -> str:
        """Without user and password."""
        parts = urlsplit(self.proxy)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{parts.scheme.replace('socks5h', 'socks5')}://{host}" + (f":{parts.port}" if parts.port else "")


def route(login: Login, environment: Mapping[str, str] = os.environ) -> Route:
    parts = split(login.server)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    proxy = login.cluster.text("proxy-url") or _of_environment(parts.scheme, host, port, environment)
    if proxy and split(proxy).scheme not in ("http", "https", "socks5", "socks5h"):
        raise BadKubeconfig("The proxy must be an http://, https:// or socks5:// URL")
    return Route(host, port, proxy)


def split(url: str) -> SplitResult:
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
