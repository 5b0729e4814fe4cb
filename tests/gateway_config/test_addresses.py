"""Where the gateway listens: asked for before, shared with nobody, and the same in all places that tell of it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from maas.domain.errors import Conflict
from maas.domain.platform import Gateway
from maas.embedded import addresses, platform, ports
from tests.gateway_config.running import running
from tests.ports import free_port

EVERYWHERE = "0.0.0.0"  # noqa: S104 (what is tested)


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(http_port=free_port(), https_port=free_port(), metrics_port=free_port())


@contextmanager
def listener(host: str, port: int, *, shared: bool = False) -> Iterator[None]:
    """shared: as Envoy listens, so that a second one of the same user may."""
    with socket.create_server((host, port), reuse_port=shared):
        yield


def test_beyond_loopback_http_and_metrics_are_asked_for_on_loopback(gateway: Gateway) -> None:
    remote = replace(gateway, bind="127.0.0.2", remote=True)
    taken = listener("127.0.0.1", remote.http_port), listener("127.0.0.1", remote.metrics_port)
    with taken[0], taken[1], pytest.raises(Conflict) as refused:
        ports.require_free(remote)
    assert f"port {remote.http_port} of 127.0.0.1 (gateway.http_port)" in str(refused.value)
    assert f"port {remote.metrics_port} of 127.0.0.1 (gateway.metrics_port)" in str(refused.value)
    with listener("127.0.0.2", remote.http_port), listener("127.0.0.1", remote.https_port):
        ports.require_free(remote)


def test_our_port_at_another_address_may_be_somebody_else_s(gateway: Gateway) -> None:
    moved = replace(gateway, bind="127.0.0.2", remote=True)
    with listener("127.0.0.2", gateway.https_port), pytest.raises(Conflict, match=r"of 127\.0\.0\.2 \(gateway.https"):
        ports.require_free(moved, gateway)


def test_our_own_port_may_be_opened_wider(gateway: Gateway) -> None:
    wider = replace(gateway, bind=EVERYWHERE, remote=True)
    with listener("127.0.0.1", gateway.https_port, shared=True):
        ports.require_free(wider, gateway)
        with listener("127.0.0.2", gateway.https_port), pytest.raises(Conflict):
            ports.require_free(wider, gateway)


def test_a_port_of_ours_is_no_obstacle(gateway: Gateway) -> None:
    with listener("127.0.0.1", gateway.http_port):
        ports.require_free(gateway, gateway)
        with pytest.raises(Conflict):
            ports.require_free(gateway)


def test_another_loopback_address_is_used_by_all_listeners() -> None:
    with running(bind="127.0.0.2") as up:
        for host, port in addresses.listening(up.gateway).values():
            assert host == "127.0.0.2"
            socket.create_connection((host, port)).close()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_every_ipv6_address_includes_those_of_ipv4() -> None:
    with running(bind="::", remote=True) as up:
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, up.gateway.https_port)).close()


def test_listeners_move_in_a_running_gateway() -> None:
    with running() as up:
        up.apply(up.configuration(bind=EVERYWHERE, remote=True))
        socket.create_connection(("127.0.0.2", up.gateway.https_port)).close()


@pytest.mark.parametrize(
    ("settings", "first"),
    [
        ({}, "http://127.0.0.1:8080/v1"),
        ({"bind": "::1"}, "http://[::1]:8080/v1"),
        ({"hosts": ("models.example.com",)}, "http://127.0.0.1:8080/v1"),
        ({"bind": EVERYWHERE, "remote": True}, f"https://{socket.gethostname()}:8443/v1"),
        ({"bind": "::", "remote": True}, f"https://{socket.gethostname()}:8443/v1"),
        ({"bind": "fd00::2", "remote": True}, "https://[fd00::2]:8443/v1"),
        ({"bind": "::", "remote": True, "hosts": ("*.a.example", "b.example")}, "https://b.example:8443/v1"),
    ],
)
def test_endpoints_are_urls_that_a_client_can_use(settings: dict[str, object], first: str) -> None:
    assert platform.endpoints(Gateway(**settings))[0] == first  # type: ignore[arg-type]
