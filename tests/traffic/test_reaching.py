"""Where the gateway of a cluster is looked for, and what is said of its certificate."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from maas.readiness.findings import Status
from maas.readiness.traffic import addresses
from maas.readiness.traffic.calling import Caller, distrust
from maas.readiness.traffic.cluster_site import _chosen_by
from maas.readiness.traffic.site import Endpoint
from tests.kubernetes.authority import Authority
from tests.kubernetes.clusters.making import made
from tests.kubernetes.installed.planting import both, drop, facts, put
from tests.traffic.fake import Fake, validated

GATEWAY, ROUTE = "Gateway llm/maas-gateway", "HTTPRoute llm/simulator"


@pytest.fixture(autouse=True)
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name server knows the hosts of the tests."""

    async def unknown(host: str) -> bool:
        return host.endswith(".known")

    monkeypatch.setattr(addresses, "_resolves", unknown)


def found(*changes: Any, url: str = "", **options: Any) -> list[tuple[str, str]]:
    endpoints = asyncio.run(addresses.endpoints(facts(*changes, **options), "llm", url))
    return [(each.base, each.host) for each in endpoints]


def test_the_gateways_address_is_asked_for_the_routes_host_https_first() -> None:
    host = "simulator.models.example.com"
    assert found() == [("https://203.0.113.7", host), ("http://203.0.113.7", host)]


def test_a_host_that_is_known_is_called_by_its_name() -> None:
    named = both(put("spec", "hostnames", value=["m.known"]))
    listeners = both(*(put("spec", "listeners", n, "hostname", value="*.known") for n in (0, 1)))
    assert found((ROUTE, named), (GATEWAY, listeners)) == [("https://m.known", ""), ("http://m.known", "")]


def test_other_ports_and_prefixes_of_paths_are_kept() -> None:
    prefix = put("spec", "rules", 0, "matches", value=[{"path": {"type": "PathPrefix", "value": "/llm/qwen3/v1"}}])
    port = both(put("spec", "listeners", 0, "port", value=8080), drop("spec", "listeners", 1))
    assert [base for base, _ in found((ROUTE, prefix), (GATEWAY, port))] == ["http://203.0.113.7:8080/llm/qwen3"]


def test_without_an_address_there_is_none() -> None:
    assert found((GATEWAY, put("status", "addresses", value=[]))) == []


def test_a_route_of_openshift_is_called_by_its_host() -> None:
    route = made(
        "route.openshift.io/v1",
        "Route",
        "maas",
        "llm",
        spec={"host": "m.apps.x", "to": {"name": "maas-gateway-openshift-default"}, "tls": {"termination": "edge"}},
        status={"ingress": [{"conditions": [{"type": "Admitted", "status": "True"}]}]},
    )
    endpoints = asyncio.run(addresses.endpoints(facts(more=[route], openshift=True), "llm"))
    assert Endpoint("https://m.apps.x") in endpoints


def test_an_address_that_was_named_is_asked_for_the_hosts_of_the_routes() -> None:
    assert found(url="http://127.0.0.1:8080/v1/") == [("http://127.0.0.1:8080", "simulator.models.example.com")]
    assert found(url="https://models.example.com") == [("https://models.example.com", "")]
    prefix = put("spec", "rules", 0, "matches", value=[{"path": {"type": "PathPrefix", "value": "/small/v1"}}])
    there = [("https://127.0.0.1:8443/small", "simulator.models.example.com")]
    assert found((ROUTE, prefix), url="https://127.0.0.1:8443") == there


@pytest.mark.parametrize(
    ("host", "pattern", "fit"),
    [
        ("a.x.org", "*.x.org", True),
        ("x.org", "*.x.org", False),
        ("a.x.org", "a.x.org", True),
        ("*.x.org", "a.x.org", True),
        ("a.y.org", "*.x.org", False),
    ],
)
def test_which_hosts_a_listener_takes(host: str, pattern: str, fit: bool) -> None:
    assert addresses.fits(host, pattern) is fit


def test_labels_are_those_that_a_selector_finds() -> None:
    expressions = [
        {"key": "team", "operator": "In", "values": ["ml", "web"]},
        {"key": "key", "operator": "Exists"},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    selector = {"matchLabels": {"app": "maas"}, "matchExpressions": expressions}
    assert _chosen_by(selector) == {"app": "maas", "team": "ml", "key": "true"}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.new(tmp_path / "ca")


def secure(authority: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.server())
    return context


class Trusting(Fake):
    """Calls by an address, for a host, and believes a CA."""

    def __init__(self, host: str = "", trust: Path | None = None) -> None:
        super().__init__()
        self._host, self._trust = host, trust

    async def endpoints(self) -> Sequence[Endpoint]:
        return [Endpoint(self.url, self._host, self._trust)]


def test_a_certificate_that_nobody_knows_is_a_warning_and_the_rest_is_tried_all_the_same(authority: Authority) -> None:
    found = validated(Trusting(), secure=secure(authority))
    assert found["MAAS-501"][0].status is Status.warning
    assert "cannot be verified: " in found["MAAS-501"][0].message
    assert found["MAAS-505"][0].status is Status.passed
    assert found["MAAS-502"][0].status is Status.passed


def test_a_certificate_of_a_ca_that_is_trusted_is_verified_by_the_name(authority: Authority) -> None:
    right = Trusting("localhost", authority.certificate)
    assert validated(right, only=["MAAS-501"], secure=secure(authority))["MAAS-501"][0].status is Status.passed
    wrong = Trusting("models.example.com", authority.certificate)
    found = validated(wrong, only=["MAAS-501"], secure=secure(authority))["MAAS-501"][0]
    assert found.status is Status.warning
    assert "models.example.com" in found.message


def test_a_gateway_that_is_not_there_is_an_answer_and_no_exception() -> None:
    async def run() -> None:
        caller = Caller(Endpoint("http://127.0.0.1:9"))
        answer = await caller.get("/v1/models")
        await caller.close()
        assert answer.status == 0
        assert answer.said.startswith("nothing: ")
        assert await distrust(Endpoint("https://127.0.0.1:9")) == ""

    asyncio.run(run())


def test_plain_http_beyond_this_machine_is_a_warning() -> None:
    class Elsewhere(Fake):
        async def endpoints(self) -> Sequence[Endpoint]:
            return [Endpoint(self.url.replace("127.0.0.1", "[::ffff:127.0.0.1]"))]

    found = validated(Elsewhere(), only=["MAAS-501"])["MAAS-501"][0]
    assert found.status is Status.warning
    assert "keys travel readably" in found.message


def test_garbage_where_a_gateway_should_be_is_told() -> None:
    async def run() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            caller = Caller(Endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
            answer = await caller.get("/v1/models")
            await caller.close()
        assert answer.status == 0
        assert answer.problem

    asyncio.run(run())
