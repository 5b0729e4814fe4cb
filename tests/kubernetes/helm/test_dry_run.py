"""A dry run of a release: the server is asked, and nothing is left."""

import asyncio
import uuid
from pathlib import Path

from maas.cluster.connection import connect
from maas.cluster.helm import Helm
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.helm.small import chart, own_namespace


def rehearsed(cluster: Cluster, mirror: Path, namespace: str) -> None:
    async def main() -> None:
        kubeconfig = cluster.kubeconfig()
        async with connect(kubeconfig=kubeconfig) as api:
            await Helm(api, kubeconfig, mirror=mirror).upgrade_install(chart(mirror, namespace), dry_run=True)

    asyncio.run(main())


def test_it_leaves_nothing(helm: Path, cluster: Cluster, tmp_path: Path) -> None:
    namespace = own_namespace(cluster)
    rehearsed(cluster, tmp_path, namespace)
    with cluster.client() as client:
        for plural in ("configmaps", "secrets"):
            assert client.get(f"/api/v1/namespaces/{namespace}/{plural}").json()["items"] == []


def test_it_needs_no_namespace(helm: Path, cluster: Cluster, tmp_path: Path) -> None:
    """An earlier action of the step makes it, and in a dry run it does not."""
    namespace = f"not-yet-{uuid.uuid4().hex[:8]}"
    rehearsed(cluster, tmp_path, namespace)
    with cluster.client() as client:
        assert client.get(f"/api/v1/namespaces/{namespace}").status_code == 404
