"""maas preflight against a real API server: by who may do all, by who may do nothing, and in bad weather."""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from maas.readiness.reports import Format
from tests.kubernetes.cluster import Cluster, running
from tests.kubernetes.clusters import typical
from tests.kubernetes.front import Fault, Front, front
from tests.kubernetes.reports.conftest import Run
from tests.kubernetes.seeding import seed

_TOOLS = "MAAS-112,MAAS-113"  # of the machine that runs the tests
_CANARY = "canary-7d1f0c55aa10"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Cluster, Front]]:
    """The cluster, reached through what stands in front of it."""
    scenario = typical.kind()
    with (
        running(definitions=scenario.definitions()) as cluster,
        front(cluster, version=scenario.version) as before,
    ):
        seed(cluster, scenario.objects)
        labels = {"authorino.kuadrant.io/managed-by": "authorino", "app": "maas"}
        secret = {"metadata": {"name": "k", "labels": labels}, "stringData": {"api_key": _CANARY}}
        with cluster.client() as client:
            client.post("/api/v1/namespaces/default/secrets", json=secret).raise_for_status()
        yield replace(cluster, url=before.url), before


@pytest.fixture
def cluster(served: tuple[Cluster, Front]) -> Cluster:
    return served[0]


@pytest.fixture
def before(served: tuple[Cluster, Front]) -> Iterator[Front]:
    """For faults, which end with the test."""
    yield served[1]
    served[1].faults = []
    served[1].calls.clear()


@pytest.mark.parametrize("format", Format)
def test_it_is_ready_and_tells_no_secret(maas: Run, cluster: Cluster, format: Format) -> None:
    said = maas("preflight", "--kubeconfig", cluster.kubeconfig("admin"), "-o", format, "--skip", _TOOLS)
    assert (said.code, said.err) == (0, "")
    for shown in (_CANARY, base64.b64encode(_CANARY.encode()).decode(), cluster.token):
        assert shown not in said.out


def test_who_may_read_nothing_hears_so(maas: Run, cluster: Cluster) -> None:
    said = maas("preflight", "--kubeconfig", cluster.kubeconfig("nobody"), "-o", "json")
    told = json.loads(said.out)
    assert said.code == 3
    assert told["verdict"] == "not_ready"
    assert {entry["cause"] for entry in told["unread"]} == {"denied"}
    assert "MAAS-111" in told["mend_first"]
    short = maas("preflight", "--kubeconfig", cluster.kubeconfig("nobody"), "-o", "short")
    assert len(short.out.splitlines()) < 150
    assert "Traceback" not in short.out + short.err


def test_it_ends_soon_after_its_deadline(maas: Run, cluster: Cluster, before: Front) -> None:
    before.faults = [Fault("/pods", delay=20)]
    begun = time.monotonic()
    said = maas("preflight", "--kubeconfig", cluster.kubeconfig("admin"), "--timeout", "2s", "-o", "json")
    took = time.monotonic() - begun
    assert said.code == 3
    assert took < 10
    unread = {entry["what"]: entry["cause"] for entry in json.loads(said.out)["unread"]}
    assert unread["pods"] == "timeout"


def test_a_cluster_that_is_gone(maas: Run, cluster: Cluster) -> None:
    said = maas("preflight", "--kubeconfig", cluster.kubeconfig("admin", url="https://127.0.0.1:9"), "--timeout", "3s")
    assert said.code == 7
    assert "Traceback" not in said.err


def test_waiting_for_a_cluster_that_comes_back(
    maas: Run, cluster: Cluster, before: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maas.cli.preflight._PAUSE", 1)
    before.faults = [Fault("/api/v1/nodes", status=500, times=6)]
    said = maas("preflight", "--kubeconfig", cluster.kubeconfig("admin"), "--wait", "60s", "--skip", _TOOLS)
    assert said.code == 0
    assert len([call for call in before.calls if call.target.startswith("/api/v1/nodes")]) > 6


def test_which_cluster_is_said(maas: Run, cluster: Cluster) -> None:
    said = maas("preflight", "--kubeconfig", cluster.kubeconfig("admin"), "-o", "short")
    assert said.out.startswith("context test (https://127.0.0.1:")
