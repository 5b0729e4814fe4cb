"""Real clusters as fixtures; what they cost is written in cluster.py."""

from collections.abc import Iterator

import pytest

from tests.kubernetes.cluster import Cluster, running


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One for all tests, for those that only read or that leave nothing behind outside of their own namespace."""
    with running() as started:
        yield started


@pytest.fixture
def fresh_cluster() -> Iterator[Cluster]:
    """One for this test alone, empty."""
    with running() as started:
        yield started
