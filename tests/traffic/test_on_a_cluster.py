"""maas validate on a cluster: keys are Secrets of a real API server, and they go whatever happens."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from maas.cluster.connection import connect
from maas.cluster.facts import live as reading
from maas.cluster.facts.model import Facts
from maas.readiness.catalogue import Asked, Phase, Target
from maas.readiness.findings import Finding, Status
from maas.readiness.traffic.cluster_site import ClusterSite
from maas.readiness.traffic.validating import validate
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.living import live
from tests.running import eventually
from tests.traffic.fake import serving
from tests.traffic.standin import StandIn

_PIPE = asyncio.subprocess.PIPE
ASKED = Asked(Target.kubernetes, Phase.after)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with live(typical.kubernetes_1_34()) as started:
        yield started


@pytest.fixture(scope="module")
def http(cluster: Cluster) -> Iterator[httpx.Client]:
    """An administrator's."""
    with cluster.client() as client:
        yield client


@pytest.fixture(scope="module")
def host(http: httpx.Client) -> str:
    route = http.get("/apis/gateway.networking.k8s.io/v1/namespaces/llm/httproutes/simulator").json()
    named: str = route["spec"]["hostnames"][0]
    return named


def temporary(http: httpx.Client) -> list[dict[str, Any]]:
    found = http.get("/api/v1/secrets", params={"labelSelector": "maas-temporary"}).raise_for_status()
    secrets: list[dict[str, Any]] = found.json()["items"]
    return secrets


async def facts_of(config: Path) -> Facts:
    async with connect(None, config) as api:
        return await reading.read(api, deadline=30.0, watch=None, logs=False)


def validated(gateway: StandIn, config: Path, only: Sequence[str] = ()) -> dict[str, list[Finding]]:
    async def run() -> dict[str, list[Finding]]:
        facts = await facts_of(config)
        async with serving(gateway) as url, connect(None, config) as api:
            found: dict[str, list[Finding]] = {}
            for finding in await validate(ClusterSite(api, facts, ASKED, url), only=only):
                found.setdefault(finding.code, []).append(finding)
            return found

    return asyncio.run(run())


def test_every_promise_is_tried_with_secrets_that_come_and_go(cluster: Cluster, http: httpx.Client, host: str) -> None:
    before = http.get("/api/v1/secrets").json()["items"]
    gateway = StandIn(http, host=host)
    found = validated(gateway, cluster.kubeconfig("admin"))
    bad = {c: f.message for c, each in found.items() for f in each if f.status in (Status.failed, Status.unknown)}
    assert bad == {}
    assert found["MAAS-508"][0].message.startswith("5 requests per 120 s (free): 5 passed, then 429")
    assert found["MAAS-508"][0].status is Status.warning  # Limitador tells no Retry-After
    assert found["MAAS-511"][0].status is Status.passed
    assert found["MAAS-507"][0].status is Status.skipped
    made = {name: secret for name, secret in gateway.secrets_seen.items() if name.startswith("maas-validate-")}
    assert len(made) >= 4
    assert temporary(http) == []
    after = http.get("/api/v1/secrets").json()["items"]
    assert [s["metadata"]["uid"] for s in after] == [s["metadata"]["uid"] for s in before]


def test_temporary_secrets_look_as_authorino_wants_them(cluster: Cluster, http: httpx.Client, host: str) -> None:
    gateway = StandIn(http, host=host)
    validated(gateway, cluster.kubeconfig("admin"), only=["MAAS-504"])
    secret = next(s for name, s in gateway.secrets_seen.items() if name.startswith("maas-validate-"))
    labels, annotations = secret["metadata"]["labels"], secret["metadata"]["annotations"]
    assert labels["authorino.kuadrant.io/managed-by"] == "authorino"
    assert labels["app"] == "maas"
    assert annotations["kuadrant.io/groups"] == "premium"
    assert annotations["secret.kuadrant.io/user-id"].startswith("maas-validate-")
    assert annotations["maas-expires"].endswith("Z")
    assert secret["metadata"]["namespace"] == "kuadrant-system"


def test_limits_that_do_not_hold_are_found(cluster: Cluster, http: httpx.Client, host: str) -> None:
    found = validated(StandIn(http, "never limits", host=host), cluster.kubeconfig("admin"), ["MAAS-508"])
    assert found["MAAS-508"][0].status is Status.failed
    assert found["MAAS-508"][0].remedy is not None
    assert temporary(http) == []


def test_who_may_not_make_secrets_has_the_rest_judged(cluster: Cluster, http: httpx.Client, host: str) -> None:
    cluster.allow("reader", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]})
    found = validated(StandIn(http, host=host), cluster.kubeconfig("reader"))
    assert found["MAAS-502"][0].status is Status.passed
    assert found["MAAS-504"][0].status is Status.unknown
    assert "was denied" in found["MAAS-504"][0].message
    assert found["MAAS-514"][0].status is Status.passed


def test_who_may_not_delete_secrets_makes_none(cluster: Cluster, http: httpx.Client, host: str) -> None:
    every = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}
    cluster.allow("maker", every, {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "patch"]})
    found = validated(StandIn(http, host=host), cluster.kubeconfig("maker"), ["MAAS-504", "MAAS-514"])
    assert found["MAAS-504"][0].status is Status.unknown
    assert "deleting secrets" in found["MAAS-504"][0].message
    assert temporary(http) == []


@pytest.mark.parametrize("signal_sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_the_command_ends_no_secret_stays(
    cluster: Cluster, http: httpx.Client, host: str, signal_sent: signal.Signals
) -> None:
    asyncio.run(interrupted(cluster, http, host, signal_sent))
    if signal_sent is signal.SIGKILL:
        assert len(temporary(http)) == 1
        found = validated(StandIn(http, host=host), cluster.kubeconfig("admin"), ["MAAS-514"])
        assert "1 of an earlier run removed: Secret kuadrant-system/maas-validate-" in found["MAAS-514"][0].message
    assert temporary(http) == []


async def interrupted(cluster: Cluster, http: httpx.Client, host: str, signal_sent: signal.Signals) -> None:
    async with serving(StandIn(http, "hangs", host=host)) as url:
        command = [sys.executable, "-m", "maas.cli.main", "validate", "--target", "kubernetes", "--url", url]
        environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig("admin"))}
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=_PIPE, stderr=_PIPE)
        await asyncio.to_thread(lambda: eventually(lambda: temporary(http), within=60.0))
        process.send_signal(signal_sent)
        out, err = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[signal_sent]
        assert b"Traceback" not in out + err
