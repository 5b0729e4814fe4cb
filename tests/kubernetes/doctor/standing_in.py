"""Stands in for the controllers of others, which need containers to run: does what each would do after a remedy.

Only the part that the known issues wait for. Each rule looks at what a remedy changes and at nothing else, and writes
what the controller would write; so a remedy that changes the wrong thing is followed by nothing.
"""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from maas.cluster.objects import condition, items, mapping, name, namespace, text, texts
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters.making import Object, pod

_MERGE = {"Content-Type": "application/merge-patch+json"}
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_MODEL = "serving.kserve.io/inferenceservice"
_ISVC = "/apis/serving.kserve.io/v1beta1"
_DEPLOYMENTS = "/apis/apps/v1"
_OLM = "/apis/operators.coreos.com/v1alpha1"


@contextlib.contextmanager
def standing_in(cluster: Cluster) -> Iterator[None]:
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        with cluster.client() as client:
            actor = _Actor(client)
            try:
                while not stop.wait(0.1):
                    actor.act()
            except BaseException as error:  # noqa: BLE001  # told to the test, which would wait for it in vain
                failures.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert not failures, failures


@dataclass
class _Actor:
    client: httpx.Client
    first: dict[str, str] = field(default_factory=dict)  # what was there when it began

    def act(self) -> None:
        for rule in (_kserve, _restarts, _limitador, _olm, _ingress, _feature_discovery):
            rule(self)

    def all(self, base: str, plural: str) -> list[Any]:
        answer = self.client.get(f"{base}/{plural}")
        if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.TOO_MANY_REQUESTS):  # not served, or not yet
            return []
        return items(answer.raise_for_status().json(), "items")

    def patch(self, base: str, plural: str, of: Object, body: Object, status: bool = False) -> None:
        where = f"/namespaces/{namespace(of)}" if namespace(of) else ""
        path = f"{base}{where}/{plural}/{name(of)}" + ("/status" if status else "")
        self.client.patch(path, content=json.dumps(body), headers=_MERGE).raise_for_status()

    def delete(self, base: str, plural: str, of: Object) -> None:
        where = f"/namespaces/{namespace(of)}" if namespace(of) else ""
        self.client.delete(f"{base}{where}/{plural}/{name(of)}", params={"gracePeriodSeconds": "0"})

    def create(self, base: str, plural: str, object: Object) -> None:
        path = f"{base}/namespaces/{namespace(object)}/{plural}"
        self.client.post(path, json=object).raise_for_status()
        if object.get("status"):
            self.patch(base, plural, object, {"status": object["status"]}, status=True)

    def has_changed(self, key: str, value: object) -> bool:
        """Since it was last looked at; the first look is no change."""
        now = json.dumps(value, sort_keys=True)
        return self.first.setdefault(key, now) != now and self.first.update({key: now}) is None

    def new_pods(self, in_namespace: str, selector: Mapping[str, Any], spec: Object, labels: Any) -> None:
        """In place of the old ones; ready at once."""
        for old in self.all("/api/v1", "pods"):
            if namespace(old) == in_namespace and selector.items() <= mapping(old, "metadata", "labels").items():
                self.delete("/api/v1", "pods", old)
        number = len(self.first)
        self.first[f"pod {number}"] = ""
        self.create(
            "/api/v1",
            "pods",
            pod(f"new-{number}", in_namespace, spec, "", labels=labels)
            | {"metadata": {"name": f"new-{number}", "namespace": in_namespace, "labels": dict(labels)}},
        )


def _kserve(actor: _Actor) -> None:
    """A model whose predictor changed gets new pods, which are ready, and is ready itself."""
    for model in actor.all(_ISVC, "inferenceservices"):
        predictor = mapping(model, "spec", "predictor")
        if not actor.has_changed(f"model {name(model)}", predictor):
            continue
        containers = [_plain(each) for each in items(predictor, "containers")]
        if containers:
            labels = {_MODEL: name(model)}
            actor.new_pods(namespace(model), labels, {"containers": containers}, labels)
        ready = [{"type": type, "status": "True"} for type in ("IngressReady", "PredictorReady", "Ready")]
        actor.patch(_ISVC, "inferenceservices", model, {"status": {"conditions": ready}}, status=True)


def _plain(container: Any) -> Object:
    return {"name": container["name"], "image": container["image"]}


def _restarts(actor: _Actor) -> None:
    for deployment in actor.all(_DEPLOYMENTS, "deployments"):
        template = mapping(deployment, "spec", "template")
        when = text(template, "metadata", "annotations", _RESTARTED)
        if not actor.has_changed(f"restart {namespace(deployment)}/{name(deployment)}", when):
            continue
        selector = mapping(deployment, "spec", "selector", "matchLabels")
        containers = [_plain(each) for each in items(template, "spec", "containers")]
        labels = mapping(template, "metadata", "labels")
        actor.new_pods(namespace(deployment), selector, {"containers": containers}, labels)
        if name(deployment) == "kuadrant-operator-controller-manager":
            _kuadrant_looks_again(actor)


def _kuadrant_looks_again(actor: _Actor) -> None:
    base = "/apis/kuadrant.io/v1beta1"
    for each in actor.all(base, "kuadrants"):
        ready = {**condition(each, "Ready"), "status": "True", "reason": "Ready", "message": "Kuadrant is ready"}
        actor.patch(base, "kuadrants", each, {"status": {"conditions": [ready]}}, status=True)


def _limitador(actor: _Actor) -> None:
    """The operator scales the Deployment as its resource says, and tells that it is ready."""
    base = "/apis/limitador.kuadrant.io/v1alpha1"
    for each in actor.all(base, "limitadors"):
        if not mapping(each, "spec").get("replicas") or text(condition(each, "Ready"), "status") == "True":
            continue
        for deployment in actor.all(_DEPLOYMENTS, "deployments"):
            if name(deployment) == f"limitador-{name(each)}":
                actor.patch(_DEPLOYMENTS, "deployments", deployment, {"spec": {"replicas": 1}})
                counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas", "updatedReplicas"), 1)
                actor.patch(_DEPLOYMENTS, "deployments", deployment, {"status": counts}, status=True)
        ready = {**condition(each, "Ready"), "status": "True", "reason": "Ready"}
        actor.patch(base, "limitadors", each, {"status": {"conditions": [ready]}}, status=True)


def _olm(actor: _Actor) -> None:
    """An InstallPlan that is approved brings its ClusterServiceVersion in place of the older one."""
    for plan in actor.all(_OLM, "installplans"):
        if not mapping(plan, "spec").get("approved") or text(plan, "status", "phase") != "RequiresApproval":
            continue
        new = texts(plan, "spec", "clusterServiceVersionNames")[0]
        package = new.partition(".")[0]
        for old in actor.all(_OLM, "clusterserviceversions"):
            if name(old).startswith(f"{package}.") and name(old) != new:
                successor = json.loads(json.dumps(old).replace(name(old), new).replace("1.4.0", "1.4.2"))
                successor["metadata"] = {"name": new, "namespace": namespace(old)}
                actor.create(_OLM, "clusterserviceversions", successor)
                actor.delete(_OLM, "clusterserviceversions", old)
        actor.patch(_OLM, "installplans", plan, {"status": {"phase": "Complete"}}, status=True)


def _ingress(actor: _Actor) -> None:
    """Without a Service Mesh of a user's, the ingress operator starts its own."""
    if any(text(s, "spec", "name").startswith("servicemesh") for s in actor.all(_OLM, "subscriptions")):
        return
    base = "/apis/gateway.networking.k8s.io/v1"
    for each in actor.all(base, "gatewayclasses"):
        accepted = condition(each, "Accepted")
        if accepted and text(accepted, "status") != "True":
            body = {"status": {"conditions": [{**accepted, "status": "True", "reason": "Accepted"}]}}
            actor.patch(base, "gatewayclasses", each, body, status=True)


def _feature_discovery(actor: _Actor) -> None:
    """Where it is asked to run, nodes get their labels, and the GPU operator finds them."""
    if not actor.all("/apis/nfd.openshift.io/v1", "nodefeaturediscoveries"):
        return
    base = "/apis/nvidia.com/v1"
    for policy in actor.all(base, "clusterpolicies"):
        ready = condition(policy, "Ready")
        if text(ready, "reason") == "NFDLabelsMissing":
            for node in actor.all("/api/v1", "nodes"):
                if name(node).startswith("gpu-"):
                    found = {"feature.node.kubernetes.io/pci-10de.present": "true"}
                    actor.patch("/api/v1", "nodes", node, {"metadata": {"labels": found}})
            body = {"status": {"conditions": [{**ready, "reason": "Reconciled"}]}}
            actor.patch(base, "clusterpolicies", policy, body, status=True)
