"""One API server for these tests, each of which has names or a namespace of its own."""

from collections.abc import Iterator

import pytest

from maas.cluster.facts.model import Log
from tests.kubernetes.cluster import Cluster, running
from tests.kubernetes.clusters.nodes import node
from tests.kubernetes.controllers import controllers, simulated_node
from tests.kubernetes.definitions import of_components, stored
from tests.kubernetes.kubelet import kubelet, reached_at
from tests.kubernetes.seeding import seed

_LOGS = (
    Log("crash", "operator-0", "manager", ("starting", "panic: no such CRD: gateways"), previous=True),
    Log("models", "vllm-0", "server", ("loading", "ValueError: --api-key hf_0123456789abcdefghijABCDEFGHIJ0123")),
)
_COMPONENTS = ("gateway-api", "kserve", "olm", "nvidia-gpu-operator", "kuadrant-operator", "cert-manager")


@pytest.fixture(scope="session")
def with_gateways() -> Iterator[Cluster]:
    """Serves Gateway API and OLM's kinds; no controller runs."""
    with running(definitions=[stored(crd) for crd in of_components("gateway-api", "olm")]) as started:
        yield started


@pytest.fixture
def cluster(with_gateways: Cluster) -> Cluster:
    return with_gateways


@pytest.fixture
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of single calls: the executor has attempts of its own."""
    monkeypatch.setattr("maas.cluster.api._ATTEMPTS", 1)


@pytest.fixture(scope="module")
def running_cluster() -> Iterator[Cluster]:
    """With Kubernetes' own controllers, one simulated node, and one whose pods are as a test writes them."""
    definitions = [stored(crd) for crd in of_components(*_COMPONENTS)]
    with running(definitions=definitions) as cluster, controllers(cluster), kubelet(cluster, _LOGS) as port:
        seed(cluster, [reached_at(node("by-hand"), port), simulated_node("simulated")])
        yield cluster
