"""With controllers, what is written behaves: by Kubernetes' own programs, without a container."""

from functools import partial
from typing import Any

from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters.making import container, deployment, namespace, pod_spec
from tests.kubernetes.controllers import controllers, simulated_node
from tests.kubernetes.seeding import seed
from tests.running import eventually


def test_a_deployment_becomes_available_and_a_namespace_goes_away(fresh_cluster: Cluster) -> None:
    wanted = deployment("web", "shop", pod_spec(container("web", "example.com/web:1")))[0]
    seed(fresh_cluster, [simulated_node("n1"), namespace("shop"), {**wanted, "status": None}])
    with controllers(fresh_cluster), fresh_cluster.client() as client:

        def read(path: str) -> Any:
            return client.get(path).json()

        until = partial(eventually, within=60)
        pods = "/api/v1/namespaces/shop/pods"
        until(lambda: [pod["status"]["phase"] for pod in read(pods)["items"]] == ["Running"])
        web = "/apis/apps/v1/namespaces/shop/deployments/web"
        until(lambda: read(web)["status"].get("availableReplicas") == 1)
        assert read(pods)["items"][0]["spec"]["nodeName"] == "n1"
        client.delete("/api/v1/namespaces/shop").raise_for_status()
        until(lambda: client.get("/api/v1/namespaces/shop").status_code == 404)
