"""Clusters to install on: with their controllers, real and played."""

import contextlib
import time
from collections.abc import Iterator, Sequence

import httpx

from maas.cluster import kinds
from maas.cluster.objects import Object, name, namespace
from tests.kubernetes.cluster import Cluster, running
from tests.kubernetes.clusters import platforms
from tests.kubernetes.clusters.scenario import bare_definition
from tests.kubernetes.controllers import controllers, simulated_node
from tests.kubernetes.definitions import of_components, stored
from tests.kubernetes.installation.olm import package_manifests
from tests.kubernetes.installation.playing import playing
from tests.kubernetes.installation.world import PACKAGE
from tests.kubernetes.seeding import seed

_OURSELVES = ("Pod", "EndpointSlice", "ReplicaSet")  # controllers make these here
_GATEWAY_API = {"gateway.networking.k8s.io/bundle-version": "v1.2.1", "gateway.networking.k8s.io/channel": "standard"}


@contextlib.contextmanager
def openshift(*options: str, version: str = "4.20.4", objects: Sequence[Object] = ()) -> Iterator[Cluster]:
    """Healthy, with OperatorHub and nothing from it; its platform as of 4.19 and newer. options: of the API server."""
    crds = [stored(crd) for crd in of_components("olm", "openshift-api", "prometheus-operator")]
    crds += [stored(crd, _GATEWAY_API) for crd in of_components("gateway-api") if crd.kind in _SERVED]
    crds += [bare_definition(kind) for kind in (PACKAGE, kinds.PROXY_CONFIG)]
    nodes = [_node(f"worker-{i}") for i in range(2)]
    platform = [each for each in platforms.openshift(version, nodes) if each["kind"] not in _OURSELVES]
    with running(*options, definitions=crds) as cluster, controllers(cluster), playing(cluster):
        seed(cluster, [*map(_without_status, platform), *package_manifests(), *objects])
        yield cluster


@contextlib.contextmanager
def kubernetes(*options: str, objects: Sequence[Object] = ()) -> Iterator[Cluster]:
    """With nodes and storage, and nothing else."""
    nodes = [_node(f"node-{i}") for i in range(2)]
    platform = [*platforms.storage_class("standard", "ebs.csi.aws.com"), *nodes]
    with running(*options) as cluster, controllers(cluster), playing(cluster):
        seed(cluster, [*platform, *objects])
        yield cluster


_SERVED = ("GatewayClass", "Gateway", "HTTPRoute", "ReferenceGrant")


def _node(name: str) -> dict[str, object]:
    return simulated_node(name)


def _without_status(object: Object) -> Object:
    """Deployments get theirs from their controller here."""
    return {**object, "status": None} if object["kind"] in ("Deployment", "DaemonSet") else object


def removed(cluster: Cluster, *objects: Object) -> None:
    """Deletes these, namespaces with all that is in them, and waits until they are gone."""
    with cluster.client() as client:
        paths = [_path(each) for each in objects]
        for path in reversed(paths):
            client.delete(path)
        deadline = time.monotonic() + 60
        while any(client.get(path).status_code != httpx.codes.NOT_FOUND for path in paths):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def _path(object: Object) -> str:
    kind, version = kinds.of(object), str(object["apiVersion"])
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    where = f"/namespaces/{namespace(object)}" if namespace(object) else ""
    return f"{base}{where}/{kind.plural}/{name(object)}"
