"""`--keep-crds`: Helm takes a chart's CRDs along when it goes, and with them all that is of their kinds."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from maas.cluster import uninstalling
from maas.cluster.connection import connect
from maas.cluster.helm import Helm
from maas.cluster.objects import name
from maas.cluster.uninstalling import Stay
from tests.kubernetes.applying.stage import Heard, Hurried
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.helm.small import chart, own_namespace
from tests.kubernetes.seeding import seed

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def definition(group: str) -> str:
    return f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: things.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Thing, plural: things}}
  versions:
    - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}
"""


@pytest.mark.parametrize("kept", [True, False])
def test_crds_stay_if_asked_for_and_all_else_goes(helm: Path, cluster: Cluster, tmp_path: Path, kept: bool) -> None:
    namespace, group = own_namespace(cluster), f"x{uuid.uuid4().hex[:8]}.example.com"
    wanted = chart(tmp_path, namespace, crd=definition(group))

    async def main() -> None:
        kubeconfig = cluster.kubeconfig()
        async with connect(kubeconfig=kubeconfig) as api:
            tool = Helm(api, kubeconfig, mirror=tmp_path)
            await tool.upgrade_install(wanted)
            held = await tool.manifest("it", namespace)
            assert f"things.{group}" in {name(each) for each in held}
            await tool.uninstall("it", namespace, keep_crds=kept)

    asyncio.run(main())
    with cluster.client() as client:
        there = client.get(f"{CRDS}/things.{group}")
        going = there.is_success and "deletionTimestamp" in there.json()["metadata"]
        assert (there.is_success and not going) is kept
        assert client.get(f"/api/v1/namespaces/{namespace}/configmaps/told").status_code == 404
        assert client.get(f"/api/v1/namespaces/{namespace}/secrets").json()["items"] == []
        client.delete(f"{CRDS}/things.{group}")


@pytest.mark.parametrize("kept", [True, False])
def test_uninstalling_with_kept_kinds_leaves_what_is_of_them(
    helm: Path, cluster: Cluster, tmp_path: Path, kept: bool
) -> None:
    """The whole removal, carried out: a component goes, and what somebody's controller made of its kind stays."""
    namespace, group = own_namespace(cluster), f"x{uuid.uuid4().hex[:8]}.istio.io"
    wanted = replace(chart(tmp_path, namespace, crd=definition(group)), release="istio-base")
    thing = f"/apis/{group}/v1/namespaces/{namespace}/things/derived"

    async def main() -> Sequence[Stay]:
        kubeconfig = cluster.kubeconfig()
        async with connect(kubeconfig=kubeconfig) as api:
            tool = Helm(api, kubeconfig, mirror=tmp_path)
            await tool.upgrade_install(wanted)
            await asyncio.to_thread(_plant, cluster, namespace, group)
            removal = uninstalling.removal_of(await uninstalling.find(api, tool), keep_crds=kept)
            return await uninstalling.carry_out(removal, api, tool, Heard(), Hurried(), timeout=120)

    stays = asyncio.run(main())
    assert ("the components' CustomResourceDefinitions" in {stay.what for stay in stays}) is kept
    with cluster.client() as client:
        assert client.get(thing).is_success is kept
        assert client.get(f"{CRDS}/things.{group}").is_success is kept
        assert client.get(f"/api/v1/namespaces/{namespace}/configmaps/told").status_code == 404, "the component is gone"
        client.delete(f"{CRDS}/things.{group}")


def _plant(cluster: Cluster, namespace: str, group: str) -> None:
    """A thing that belongs to a ConfigMap of somebody's."""
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner", "namespace": namespace}}
    seed(cluster, [owner])
    with cluster.client() as client:
        uid = client.get(f"/api/v1/namespaces/{namespace}/configmaps/owner").json()["metadata"]["uid"]
    owners = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}]
    metadata = {"name": "derived", "namespace": namespace, "ownerReferences": owners}
    seed(cluster, [{"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": metadata}])


def test_a_kept_crd_is_taken_up_by_the_next_installation(helm: Path, cluster: Cluster, tmp_path: Path) -> None:
    namespace, group = own_namespace(cluster), f"x{uuid.uuid4().hex[:8]}.example.com"
    wanted = chart(tmp_path, namespace, crd=definition(group))

    async def main() -> None:
        kubeconfig = cluster.kubeconfig()
        async with connect(kubeconfig=kubeconfig) as api:
            tool = Helm(api, kubeconfig, mirror=tmp_path)
            await tool.upgrade_install(wanted)
            await tool.uninstall("it", namespace, keep_crds=True)
            await tool.upgrade_install(wanted)
            await tool.uninstall("it", namespace)

    asyncio.run(main())
    with cluster.client() as client:
        client.delete(f"{CRDS}/things.{group}")
