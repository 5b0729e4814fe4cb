"""With controllers, what is written behaves: by Kubernetes' own programs, without a container."""

import time
from collections.abc import Callable
from typing import Any

from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters.making import container, deployment, namespace, pod_spec
from tests.kubernetes.controllers import controllers, simulated_node
from tests.kubernetes.seeding import seed


def test_a_deployment_becomes_available_and_a_namespace_goes_away(fresh_cluster: Cluster) -> None:
    wanted = deployment("web", "shop", pod_spec(container("web", "example.com/web:1")))[0]
    seed(fresh_cluster, [simulated_node("n1"), namespace("shop"), {**wanted, "status": None}])
    with controllers(fresh_cluster), fresh_cluster.client() as client:

        def read(path: str) -> Any:
            return client.get(path).json()

        pods = "/api/v1/namespaces/shop/pods"
        _until(lambda: [pod["status"]["phase"] for pod in read(pods)["items"]] == ["Running"])
        web = "/apis/apps/v1/namespaces/shop/deployments/web"
        _until(lambda: read(web)["status"].get("availableReplicas") == 1)
        assert read(pods)["items"][0]["spec"]["nodeName"] == "n1"
        client.delete("/api/v1/namespaces/shop").raise_for_status()
        _until(lambda: client.get("/api/v1/namespaces/shop").status_code == 404)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
