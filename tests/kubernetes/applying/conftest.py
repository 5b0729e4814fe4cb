"""One API server for these tests, each of which has names or a namespace of its own."""

from collections.abc import Iterator

import pytest

from tests.kubernetes.cluster import Cluster, running
from tests.kubernetes.definitions import of_components, stored


@pytest.fixture(scope="session")
def with_gateways() -> Iterator[Cluster]:
    """Serves Gateway API; no controller runs."""
    with running(definitions=[stored(crd) for crd in of_components("gateway-api")]) as started:
        yield started


@pytest.fixture
def cluster(with_gateways: Cluster) -> Cluster:
    return with_gateways


@pytest.fixture
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of single calls: the executor has attempts of its own."""
    monkeypatch.setattr("maas.cluster.api._ATTEMPTS", 1)
