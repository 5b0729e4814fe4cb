"""Real clusters as fixtures; what they cost is written in cluster.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes.cluster import Cluster, need, program, running


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


@pytest.fixture(scope="session")
def helm() -> Iterator[Path]:
    """The helm command, which the code under test finds too."""
    need("helm")
    found = program("helm")
    assert found is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAAS_HELM", str(found))
        yield found
