"""Typical clusters on a real API server: with their CRDs, filled through the API, and reached as the cluster would be.

What is real: storage, API, RBAC, validation by the CRDs' schemas and rules. What is not: the objects' statuses are
written by the seeder, no controller runs unless a test starts one, a stand-in of kubelets gives the logs, and
an address in front answers /version.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from tests.kubernetes.cluster import Cluster, running
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.front import front
from tests.kubernetes.kubelet import kubelet, reached_at
from tests.kubernetes.seeding import seed


@contextlib.contextmanager
def live(scenario: Scenario) -> Iterator[Cluster]:
    """Takes 5 to 10 seconds. The cluster's url is that of the front."""
    with (
        running(definitions=scenario.definitions()) as cluster,
        kubelet(cluster, scenario.logs) as port,
        front(cluster, version=scenario.version) as before,
    ):
        seed(cluster, [reached_at(object, port) for object in scenario.objects])
        yield replace(cluster, url=before.url)
