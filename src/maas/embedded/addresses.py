"""Where the gateway listens, what its clients call it, and where this machine itself reaches it."""

import socket

from maas.domain.platform import Gateway

_LOOPBACK = "127.0.0.1"
_LOOPBACK_OF = {"0.0.0.0": _LOOPBACK, "::": "::1"}  # noqa: S104 (compared, not bound)

Address = tuple[str, int]


def is_wildcard(host: str) -> bool:
    return host in _LOOPBACK_OF


def inside(gateway: Gateway) -> str:
    """Where http and the metrics are. They never leave the machine."""
    return _LOOPBACK if gateway.remote else gateway.bind


def listening(gateway: Gateway) -> dict[str, Address]:
    """By the setting that holds the port."""
    return {
        "http_port": (inside(gateway), gateway.http_port),
        "https_port": (gateway.bind, gateway.https_port),
        "metrics_port": (inside(gateway), gateway.metrics_port),
    }


def certified_host(gateway: Gateway) -> str | None:
    """The first of gateway.hosts that is one host's name, and no pattern for many."""
    return next((host for host in gateway.hosts if "*" not in host), None)


def public_host(gateway: Gateway) -> str:
    """As it is written in a URL for clients."""
    anywhere = socket.gethostname() if is_wildcard(gateway.bind) else gateway.bind
    return in_url(certified_host(gateway) or anywhere)


def local_host(gateway: Gateway) -> str:
    """Where a client on this machine reaches https, without asking any name server."""
    return in_url(_LOOPBACK_OF.get(gateway.bind, gateway.bind))


def in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
