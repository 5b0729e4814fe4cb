"""The test controller itself behaves as the controllers that it plays."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from maas.cluster.objects import condition, text
from tests.kubernetes.cluster import Cluster, running
from tests.kubernetes.clusters.making import made, namespace
from tests.kubernetes.controllers import controllers, simulated_node
from tests.kubernetes.definitions import of_components, stored
from tests.kubernetes.installation.playing import playing
from tests.kubernetes.installation.telling import workload
from tests.kubernetes.seeding import seed

_COMPONENTS = ("gateway-api", "cert-manager", "kuadrant-operator", "authorino-operator", "limitador-operator", "kserve")
_GATEWAY = "gateway.networking.k8s.io/v1"
_TARGET = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge"}


@pytest.fixture(scope="module")
def stage() -> Iterator[Cluster]:
    with (
        running(definitions=[stored(crd) for crd in of_components(*_COMPONENTS)]) as cluster,
        controllers(cluster),
        playing(cluster),
    ):
        seed(cluster, [simulated_node("n1"), *map(namespace, ("istio-system", "kuadrant-system", "kserve", "shop"))])
        seed(cluster, [namespace("cert-manager"), *_controllers()])
        yield cluster


def _controllers() -> Iterator[dict[str, Any]]:
    for where, names in {
        "istio-system": ("istiod",),
        "cert-manager": ("cert-manager", "cert-manager-webhook", "cert-manager-cainjector"),
        "kserve": ("kserve-controller-manager",),
        "kuadrant-system": (
            *("kuadrant-operator-controller-manager", "authorino-operator"),
            "limitador-operator-controller-manager",
        ),
    }.items():
        for each in names:
            yield workload(each, where, "example.com/x:1", {"app": each})


def test_kuadrant_looks_for_istio_only_when_it_starts(stage: Cluster) -> None:
    """So it has to be restarted; then a policy on a gateway with a route is enforced, and not before."""
    listeners = [{"name": "http", "port": 80, "protocol": "HTTP"}]
    tls = {"mode": "Terminate", "certificateRefs": [{"name": "edge-tls"}]}
    listeners.append({"name": "https", "port": 443, "protocol": "HTTPS", "hostname": "*.example.com", "tls": tls})
    spec = {"gatewayClassName": "istio", "listeners": listeners}
    policy = {"targetRef": _TARGET, "limits": {"few": {"rates": [{"limit": 1, "window": "1m"}]}}}
    seed(
        stage,
        [
            made(_GATEWAY, "Gateway", "edge", "shop", spec=spec),
            made("cert-manager.io/v1", "Issuer", "own", "shop", spec={"selfSigned": {}}),
            made("kuadrant.io/v1beta1", "Kuadrant", "kuadrant", "kuadrant-system", spec={}),
            made("kuadrant.io/v1", "RateLimitPolicy", "few", "shop", spec=policy),
        ],
    )
    gateway = f"/apis/{_GATEWAY}/namespaces/shop/gateways/edge"
    kuadrant = "/apis/kuadrant.io/v1beta1/namespaces/kuadrant-system/kuadrants/kuadrant"
    few = "/apis/kuadrant.io/v1/namespaces/shop/ratelimitpolicies/few"
    _until(stage, gateway, lambda it: _reason(it, "Programmed") == "ListenersNotValid")
    _until(stage, kuadrant, lambda it: _reason(it, "Ready") == "MissingDependency")
    certificate = {"secretName": "edge-tls", "dnsNames": ["*.example.com"], "issuerRef": {"name": "own"}}
    seed(stage, [made("cert-manager.io/v1", "Certificate", "edge", "shop", spec=certificate)])
    _until(stage, gateway, lambda it: _reason(it, "Programmed") == "Programmed" and it["status"]["addresses"])
    with stage.client() as client:
        operator = "/apis/apps/v1/namespaces/kuadrant-system/deployments/kuadrant-operator-controller-manager"
        template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
        filters = [stored(crd) for crd in of_components("istio") if crd.kind == "EnvoyFilter"]
        seed(stage, [{key: each[key] for key in ("apiVersion", "kind", "metadata", "spec")} for each in filters])
        time.sleep(0.5)  # it would have been seen by now
        assert _reason(client.get(kuadrant).json(), "Ready") == "MissingDependency"
        headers = {"Content-Type": "application/merge-patch+json"}
        client.patch(operator, json={"spec": {"template": template}}, headers=headers).raise_for_status()
    _until(stage, kuadrant, lambda it: _reason(it, "Ready") == "Ready")
    _until(stage, few, lambda it: _reason(it, "Enforced") == "Unknown")
    route = {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": "nobody", "port": 80}]}]}
    seed(stage, [made(_GATEWAY, "HTTPRoute", "front", "shop", spec=route)])
    _until(stage, few, lambda it: _reason(it, "Enforced") == "Enforced")
    path = f"/apis/{_GATEWAY}/namespaces/shop/httproutes/front"
    found = _until(stage, path, lambda it: "parents" in it.get("status", {}))
    reasons = {each["type"]: each["reason"] for each in found["status"]["parents"][0]["conditions"]}
    assert reasons == {"Accepted": "Accepted", "ResolvedRefs": "BackendNotFound"}
    _until(stage, "/apis/networking.istio.io/v1alpha3/namespaces/shop/envoyfilters/kuadrant-edge", bool)


def test_a_model_is_ready_when_its_pods_are_and_waits_for_its_controller_when_it_goes(stage: Cluster) -> None:
    serving = {"name": "kserve-container", "image": "example.com/sim:1", "ports": [{"containerPort": 8000}]}
    predictor = {"minReplicas": 1, "containers": [serving]}
    seed(stage, [made("serving.kserve.io/v1beta1", "InferenceService", "sim", "shop", spec={"predictor": predictor})])
    path = "/apis/serving.kserve.io/v1beta1/namespaces/shop/inferenceservices/sim"
    _until(stage, path, lambda it: condition(it, "Ready").get("status") == "True")
    with stage.client() as client:
        service = client.get("/api/v1/namespaces/shop/services/sim-predictor").json()
        assert service["spec"]["ports"][0]["targetPort"] == 8000
        deployment = "/apis/apps/v1/namespaces/shop/deployments/sim-predictor"
        controller = "/apis/apps/v1/namespaces/kserve/deployments/kserve-controller-manager"
        client.delete(controller).raise_for_status()
        _until_gone(stage, controller)
        client.delete(path).raise_for_status()
        time.sleep(0.3)
        assert client.get(path).status_code == 200, "nobody is there to take its finalizer away"
        seed(stage, [workload("kserve-controller-manager", "kserve", "example.com/x:1", {"app": "x"})])
        _until_gone(stage, path)
        _until_gone(stage, deployment)


def _reason(object: Any, type: str) -> str:
    return text(condition(object, type), "reason")


def _until(cluster: Cluster, path: str, holds: Callable[[Any], object]) -> Any:
    deadline = time.monotonic() + 40
    with cluster.client() as client:
        while True:
            answer = client.get(path)
            if answer.status_code == 200 and holds(answer.json()):
                return answer.json()
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.05)


def _until_gone(cluster: Cluster, path: str) -> None:
    deadline = time.monotonic() + 40
    with cluster.client() as client:
        while client.get(path).status_code != 404:
            assert time.monotonic() < deadline
            time.sleep(0.05)
