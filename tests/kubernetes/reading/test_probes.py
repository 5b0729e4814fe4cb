"""What is tried: permissions, cert-manager's webhook, names, tools."""

import asyncio
import json
import socket
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from maas.cluster.access import needed
from maas.cluster.facts.model import Cause, Unread
from maas.cluster.facts.probing import dns, dry_run_issuer, tools_at_hand
from maas.cluster.failures import Denied
from maas.cluster.kinds import GATEWAY, INGRESS_CONFIG, ISSUER
from tests.kubernetes.played import Request, status
from tests.kubernetes.reading.pretending import ORDINARY, pretending, read, with_api


def test_permissions_are_asked_for_one_by_one_only_where_not_all_are_given(tmp_path: Path) -> None:
    async def spoil(request: Request) -> Any:
        if not request.path.endswith("/selfsubjectaccessreviews"):
            return ORDINARY
        asked = json.loads(request.body)["spec"]["resourceAttributes"]
        return {"status": {"allowed": asked["resource"] == "namespaces", "reason": "RBAC"}}

    entries = read(tmp_path, pretending({}, spoil)).probe("access")
    assert isinstance(entries, list) and len(entries) == len(needed("openshift"))
    assert {e["resource"] for e in entries if e["allowed"]} == {"namespaces"}
    below = [e for e in entries if e["subresource"]]
    assert below and all(set(e) >= {"verb", "group", "resource", "namespace", "reason"} for e in entries)


def test_permissions_that_cannot_be_asked_for_are_unread(tmp_path: Path) -> None:
    async def spoil(request: Request) -> Any:
        return status(500, "no") if request.path.endswith("reviews") else ORDINARY

    found = read(tmp_path, pretending({}, spoil)).probes["access"]
    assert isinstance(found, Unread) and found.cause is Cause.failed


@pytest.mark.parametrize(
    ("answer", "accepted", "said"),
    [
        ({"kind": "Issuer"}, True, ""),
        (status(500, 'failed calling webhook "webhook.cert-manager.io": x509'), False, "x509"),
        (status(403, 'admission webhook "webhook.cert-manager.io" denied the request'), False, "denied the request"),
        (status(422, "spec: required"), False, "spec: required"),
    ],
)
def test_dry_run_issuer(tmp_path: Path, answer: Any, accepted: bool, said: str) -> None:
    async def spoil(request: Request) -> Any:
        if request.method == "POST" and request.path.endswith("/issuers"):
            assert request.query == {"dryRun": "All"}
            assert json.loads(request.body)["spec"] == {"selfSigned": {}}
            return answer
        return ORDINARY

    found: Any = read(tmp_path, pretending({}, spoil)).probe("dry_run_issuer")
    assert found["accepted"] is accepted
    assert said in found["message"]


def test_dry_run_issuer_that_rbac_forbids_says_nothing_of_cert_manager(tmp_path: Path) -> None:
    async def spoil(request: Request) -> Any:
        denied = request.method == "POST" and request.path.endswith("/issuers")
        return status(403, 'issuers is forbidden: User "eve" cannot create') if denied else ORDINARY

    found = read(tmp_path, pretending({}, spoil)).probes["dry_run_issuer"]
    assert isinstance(found, Unread) and found.cause is Cause.denied

    async def use(api: Any, server: Any) -> None:
        with pytest.raises(Denied):
            await dry_run_issuer(api, ISSUER.versions[0])

    with_api(tmp_path, pretending({}, spoil), use)


def gateway(*hostnames: str) -> Any:
    return {"metadata": {"name": "g"}, "spec": {"listeners": [{"hostname": each} for each in hostnames]}}


def test_a_host_below_each_wildcard_is_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answers(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        if host.endswith("gone.example"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 0))] * 2

    monkeypatch.setattr("maas.cluster.names.socket.getaddrinfo", answers)
    ingress = {"spec": {"domain": "apps.example"}}
    found = asyncio.run(dns([gateway("*.gone.example", "api.example", "", "*.apps.example")], [ingress]))
    assert sorted(asked) == ["api.example", "maas-probe-k3x7q.apps.example", "maas-probe-k3x7q.gone.example"]
    by_name = {each["name"]: each for each in found}
    assert by_name["api.example"] == {"name": "api.example", "addresses": ["192.0.2.7"], "error": ""}
    assert by_name["maas-probe-k3x7q.gone.example"]["error"] == "Name or service not known"


def test_a_name_server_that_hangs_is_an_error_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    hanging = threading.Event()
    monkeypatch.setattr("maas.cluster.names.socket.getaddrinfo", lambda *_, **__: list("" * hanging.wait(60)))
    monkeypatch.setattr("maas.cluster.facts.probing._DNS_PATIENCE", 0.2)
    began = time.monotonic()
    assert asyncio.run(dns([gateway("a.example")], []))[0]["error"] == "no answer within 0.2 seconds"
    assert time.monotonic() - began < 3
    hanging.set()


@pytest.mark.parametrize("name", ["a" * 70 + ".example", "..", "\x00", "ü" * 80])
def test_absurd_names_are_errors_too(name: str) -> None:
    assert asyncio.run(dns([gateway(name)], []))[0]["error"]


def test_names_are_in_the_facts(tmp_path: Path) -> None:
    ingress = {"metadata": {"name": "cluster"}, "spec": {"domain": "apps.cluster.invalid"}}
    found: Any = read(tmp_path, pretending({INGRESS_CONFIG: [ingress], GATEWAY: []})).probe("dns")
    assert [each["name"] for each in found] == ["maas-probe-k3x7q.apps.cluster.invalid"]
    assert found[0]["addresses"] == [] and found[0]["error"]


def tool(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture(autouse=True)
def no_helm_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests of this process have named one."""
    monkeypatch.delenv("MAAS_HELM", raising=False)


def test_tools_and_their_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(
        tmp_path / "kubectl",
        """[ "$1 $2" = "version --client" ] && echo '{"clientVersion":{"gitVersion":"v1.34.1"}}'""",
    )
    tool(tmp_path / "helm", "echo v3.19.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    found = asyncio.run(tools_at_hand())
    assert found["kubectl"] == {"path": str(tmp_path / "kubectl"), "version": "v1.34.1"}
    assert found["helm"] == {"path": str(tmp_path / "helm"), "version": "v3.19.0"}
    assert found["oc"] is None


def test_tools_that_hang_or_fail_have_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path / "kubectl", "exec sleep 60")
    tool(tmp_path / "helm", "echo oops; exit 1")
    (tmp_path / "oc").write_bytes(b"\x00not a program")
    (tmp_path / "oc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr("maas.cluster.facts.probing._TOOL_PATIENCE", 0.5)
    began = time.monotonic()
    found = asyncio.run(tools_at_hand())
    assert time.monotonic() - began < 4
    assert [found[name] and found[name]["version"] for name in ("kubectl", "oc", "helm")] == ["", "", ""]  # type: ignore[index]
