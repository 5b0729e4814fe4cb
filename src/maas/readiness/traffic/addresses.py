"""Where clients reach the gateway of a cluster: OpenShift's Routes, addresses and hostnames, or what --url says.

A hostname that no name server knows is not the end: the gateway's own address is called, and asked for that name.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, condition, items, number, text, texts
from maas.cluster.stack import ours
from maas.readiness.checks.routes import routes_to
from maas.readiness.traffic.site import Endpoint

_RESOLVING = 3.0  # seconds
_PORTS = {"http": 80, "https": 443}


async def endpoints(facts: Facts, preferred: str, url: str = "") -> list[Endpoint]:
    """https first, no two the same. Raises NotRead."""
    gateways = ours.gateways(facts, preferred)
    if url:
        return list(_named(facts, gateways, url))
    found = list(_of_routes(facts, gateways))
    for gateway in gateways:
        found += [await _reachable(each) for each in _of_gateway(facts, gateway)]
    return sorted(dict.fromkeys(found), key=lambda endpoint: not endpoint.is_secure)


def _named(facts: Facts, gateways: list[Object], url: str) -> Iterator[Endpoint]:
    base = url.rstrip("/").removesuffix("/v1")
    routes = ours.routes(facts, gateways)
    every = [(h, prefix) for route in routes for h in texts(route, "spec", "hostnames") for prefix in prefixes(route)]
    places = list(dict.fromkeys((host, prefix) for host, prefix in every if "*" not in host))
    if places and _is_address(urlsplit(base).hostname or ""):
        yield from (Endpoint(f"{base}{prefix}", host) for host, prefix in places)
    else:
        yield Endpoint(base)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _of_routes(facts: Facts, gateways: list[Object]) -> Iterator[Endpoint]:
    if not facts.known(kinds.ROUTE):
        return
    for route in routes_to(facts, gateways):
        scheme = "https" if text(route, "spec", "tls", "termination") else "http"
        admitted = [condition(ingress, "Admitted", "conditions") for ingress in items(route, "status", "ingress")]
        if text(route, "spec", "host") and any(text(each, "status") == "True" for each in admitted):
            yield Endpoint(f"{scheme}://{text(route, 'spec', 'host')}{text(route, 'spec', 'path').rstrip('/')}")


def _of_gateway(facts: Facts, gateway: Object) -> Iterator[Endpoint]:
    addresses = [text(each, "value") for each in items(gateway, "status", "addresses")]
    routes = ours.routes(facts, [gateway])
    for listener in items(gateway, "spec", "listeners"):
        scheme = {"HTTP": "http", "HTTPS": "https"}.get(text(listener, "protocol"))
        if scheme and addresses:
            for host, prefix in _asked_for(routes, listener):
                yield Endpoint(f"{_origin(scheme, addresses[0], number(listener, 'port'))}{prefix}", host)


def _origin(scheme: str, address: str, port: int | None) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"{scheme}://{host}" + (f":{port}" if port and port != _PORTS[scheme] else "")


def _asked_for(routes: list[Object], listener: Object) -> Iterator[tuple[str, str]]:
    """Hostnames and prefixes of paths under which models are found at a listener."""
    own = text(listener, "hostname")
    for route in routes:
        sections = {parent.section for parent in ours.parents(route)}
        if sections and not sections & {"", text(listener, "name")}:
            continue
        hosts = [host for host in texts(route, "spec", "hostnames") if not own or fits(host, own)]
        if not texts(route, "spec", "hostnames"):
            hosts = [own]
        for host in hosts:
            yield from ((host.replace("*", "maas-validate"), prefix) for prefix in prefixes(route))


def fits(host: str, pattern: str) -> bool:
    """Whether a listener for `pattern` takes the host of a route; either may begin with "*."."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern or (host.startswith("*.") and pattern.endswith(host[1:]))


def prefixes(route: Object) -> list[str]:
    """What stands before /v1 in the paths that a route takes."""
    paths = [
        text(match, "path", "value") for rule in items(route, "spec", "rules") for match in items(rule, "matches")
    ] or ["/"]
    return list(dict.fromkeys(path.partition("/v1")[0].rstrip("/") for path in paths))


async def _reachable(endpoint: Endpoint) -> Endpoint:
    """By its name where that is known, as clients do it; else by the address, asked for the name."""
    if not endpoint.host or not await _resolves(endpoint.host):
        return endpoint
    at = urlsplit(endpoint.base)
    port = f":{at.port}" if at.port else ""
    return Endpoint(f"{at.scheme}://{endpoint.host}{port}{at.path}")


async def _resolves(host: str) -> bool:
    try:
        async with asyncio.timeout(_RESOLVING):
            await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        return False
    return True
