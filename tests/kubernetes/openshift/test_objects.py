"""A real API server takes every object of OpenShift's steps: with its CRD's schema, strictly, and its CEL rules."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from maas.cluster import kinds, sites
from maas.cluster.api import path_of
from maas.cluster.components.steps import steps as steps_of
from maas.cluster.objects import Object, mapping, name, namespace
from maas.cluster.wanted import Mesh, Serving, Site, Target
from tests.kubernetes.cluster import running
from tests.kubernetes.definitions import of_components, stored
from tests.kubernetes.openshift.shapes import bare, objects, offering, steps, wanted

_COMPONENTS = (
    *("olm", "sail-operator", "maistra-ossm2", "gateway-api", "kuadrant-operator"),
    *("nfd-openshift", "nvidia-gpu-operator"),
)
_SPACE = {"apiVersion": "v1", "kind": "Namespace"}
_ASSUMED = sites.assumed(Target.openshift)


@pytest.fixture(scope="module", params=["opendatahub-3.5", "opendatahub-2.35"])
def openshift(request: pytest.FixtureRequest) -> Iterator[tuple[str, httpx.Client]]:
    """Whose OpenShift AI it has, and a client."""
    with (
        running(definitions=[stored(crd) for crd in of_components(*_COMPONENTS, request.param)]) as cluster,
        cluster.client() as client,
    ):
        yield request.param, client


def _applied(client: httpx.Client, object: Object) -> httpx.Response:
    """Server-side, as the field manager that we are, with nothing forced; only namespaces are kept."""
    kind = kinds.of(object)
    path = path_of(kind, kind.versions[0], namespace(object), name(object))
    return client.patch(
        path,
        json=object,
        headers={"Content-Type": "application/apply-patch+yaml"},
        params={"fieldManager": "maas", "fieldValidation": "Strict"}
        | ({} if kind == kinds.of(_SPACE) else {"dryRun": "All"}),
    )


def _refused(client: httpx.Client, found: list[Object]) -> list[str]:
    first = [each for each in found if each["kind"] == "Namespace"]
    spaces = {namespace(each) for each in found} - {name(each) for each in first} - {""}
    made: list[Any] = [{**_SPACE, "metadata": {"name": each}} for each in spaces]
    answers = [(each, _applied(client, each)) for each in (*made, *first, *found)]
    return [f"{each['kind']} {name(each)}: {answer.text}" for each, answer in answers if not answer.is_success]


def _sites(*servings: Serving) -> list[Site]:
    """As assumed, as found bare, as found with a catalog, and managed by others."""
    found = [sites.of(bare("4.20.4", "v1.33.5", probes=offering(), rosa=rosa).facts()) for rosa in (False, True)]
    older = sites.of(bare("4.16.48", "v1.29.14", probes=offering()).facts())
    mesh_2 = replace(older, mesh=Mesh.service_mesh_2, control_plane="istio-system/theirs", serverless=True)
    everything = (_ASSUMED, *found, older, mesh_2)
    return [replace(each, serving=serving) for each in everything for serving in servings]


_SERVINGS = {"opendatahub-3.5": (Serving.rhoai, Serving.odh), "opendatahub-2.35": (Serving.rhoai_2,)}


def test_every_object_is_taken(openshift: tuple[str, httpx.Client]) -> None:
    openshift_ai, client = openshift
    known = _sites(*_SERVINGS[openshift_ai])
    found = [each for site in known for each in objects(steps_of(wanted(site, gpu_operator=True)))]
    assert {each["kind"] for each in found} >= {
        *("Namespace", "OperatorGroup", "Subscription", "GatewayClass", "Istio", "IstioCNI", "Kuadrant"),
        *("DSCInitialization", "DataScienceCluster", "NodeFeatureDiscovery", "ClusterPolicy"),
        *("ServiceMeshControlPlane", "ServiceMeshMember"),
    }
    assert _refused(client, found) == []


def test_what_is_wrong_would_be_refused(openshift: tuple[str, httpx.Client]) -> None:
    """The test above would see it."""
    _, client = openshift
    found = objects(steps_of(wanted(_sites(Serving.rhoai)[0], gpu_operator=True)))
    wrong = [
        {**each, "spec": {**mapping(each, "spec"), "surprise": {"a": 1}}} for each in found if each["kind"] in _STRICT
    ]
    assert [each["kind"] for each in wrong if _applied(client, each).is_success] == []


_STRICT = ("OperatorGroup", "Subscription", "GatewayClass", "NodeFeatureDiscovery", "ClusterPolicy")


def test_service_mesh_names_no_version() -> None:
    """Which there are depends on the operator's release: its CRD has the newest as the default."""
    found = objects(steps(bare("4.16.48", "v1.29.14").facts()), "Istio")
    assert [mapping(each, "spec") for each in found] == [{"namespace": "istio-system"}]
    assert sites.of(bare("4.16.48", "v1.29.14").facts()).mesh is Mesh.service_mesh
