"""Our objects as they are once everybody has done his part: with statuses, and with what controllers make of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from maas.cluster.objects import Object, items, mapping, name, namespace, text
from maas.cluster.plan.model import Apply
from maas.cluster.resources.steps import steps
from maas.cluster.wanted import GATEWAY, Target, Wanted
from tests.kubernetes.clusters import making
from tests.kubernetes.clusters.installation import simulator
from tests.kubernetes.clusters.making import SEEN, SINCE, condition, current
from tests.kubernetes.clusters.scenario import Scenario

_NODE = "gpu-0"
_INFERENCE_SERVICE = "serving.kserve.io/inferenceservice"
_AFFECTED = ("AuthPolicy", "RateLimitPolicy", "TokenRateLimitPolicy")


def installed(scenario: Scenario, wanted: Wanted) -> Scenario:
    """Instead of what is there of an installation."""
    there = [
        each
        for each in scenario.objects
        if namespace(each) != wanted.namespace and (each["kind"], name(each)) != ("Namespace", wanted.namespace)
    ]
    ours = [action.object for step in steps(wanted) for action in step.actions if isinstance(action, Apply)]
    made = [each for object in ours for each in _at_work(wanted, object)]
    return scenario.changed(lambda _: [*there, *made])


def _at_work(wanted: Wanted, object: Object) -> Iterator[Object]:
    metadata = {**mapping(object, "metadata"), "generation": 1, "creationTimestamp": SINCE}
    found: dict[str, Any] = {**object, "metadata": metadata}
    match object["kind"]:
        case "Namespace":
            metadata["labels"] = {**metadata["labels"], "kubernetes.io/metadata.name": name(object)}
            yield found | {"status": {"phase": "Active"}}
        case "Gateway":
            yield found | {"status": _gateway(object)}
            yield from _gateway_pods(wanted)
        case "HTTPRoute":
            yield found | {
                "status": {"parents": [_parent(wanted, each) for each in items(object, "spec", "parentRefs")]}
            }
        case "Route":
            ingress = {"host": text(object, "spec", "host"), "conditions": [condition("Admitted")]}
            yield found | {"status": {"ingress": [ingress]}}
        case "AuthPolicy" | "RateLimitPolicy" | "TokenRateLimitPolicy":
            yield found | {"status": {**SEEN, "conditions": [condition("Accepted"), condition("Enforced")]}}
        case "Issuer" | "Certificate":
            until = {"notBefore": SINCE, "notAfter": "2027-09-20T06:00:00Z", "renewalTime": "2027-08-20T06:00:00Z"}
            yield found | {"status": {"conditions": [current("Ready")], **until}}
        case "InferenceService":
            yield from _model(found)
        case "Deployment":
            spec = mapping(object, "spec", "template", "spec")
            labels = mapping(object, "spec", "selector", "matchLabels")
            yield from making.deployment(name(object), namespace(object), dict(spec), _NODE, labels=labels)
        case "Service":
            ports = {text(each, "name"): (each["port"], each["targetPort"]) for each in items(object, "spec", "ports")}
            _, slices = making.service(name(object), namespace(object), ports, {})
            address = {"clusterIP": making.cluster_ip(name(object))}
            yield from (found | {"spec": {**mapping(object, "spec"), **address}}, slices)
        case _:
            yield found


def _gateway(gateway: Object) -> Mapping[str, Any]:
    good = [current(type) for type in ("Accepted", "Programmed", "ResolvedRefs")]
    affected = [current(f"kuadrant.io/{each}Affected", True, "Accepted") for each in _AFFECTED]
    listeners = [
        {"name": text(each, "name"), "attachedRoutes": 2, "supportedKinds": [], "conditions": good}
        for each in items(gateway, "spec", "listeners")
    ]
    addresses = [{"type": "IPAddress", "value": "203.0.113.7"}]
    return {"addresses": addresses, "conditions": [*good[:2], *affected], "listeners": listeners}


def _gateway_pods(wanted: Wanted) -> Iterator[Object]:
    labels = {"gateway.networking.k8s.io/gateway-name": GATEWAY}
    spec = making.pod_spec(making.container("istio-proxy", "docker.io/istio/proxyv2:1.30.3"))
    called, where = wanted.site.gateway_service, wanted.namespace
    yield from making.deployment(called, where, spec, _NODE, labels=labels)
    address = "" if wanted.site.target is Target.openshift else "203.0.113.7"
    ports = {"http": (80, 80), "https": (443, 443)}
    yield from making.service(called, where, ports, labels, load_balancer=address, labels=labels)


def _parent(wanted: Wanted, ref: Object) -> Mapping[str, Any]:
    good = [current("Accepted"), current("ResolvedRefs")]
    return {"parentRef": dict(ref), "controllerName": wanted.site.gateway_controller, "conditions": good}


def _model(model: Mapping[str, Any]) -> Iterator[Object]:
    """As KServe runs it, with a Service of its own."""
    called, where = name(model), namespace(model)
    yield {**model, "status": simulator(_NODE)[0]["status"]}
    labels = {_INFERENCE_SERVICE: called, "component": "predictor", "app": f"isvc.{called}-predictor"}
    own = ("minReplicas", "maxReplicas", "deploymentStrategy")
    pod = {key: value for key, value in mapping(model, "spec", "predictor").items() if key not in own}
    yield from making.deployment(f"{called}-predictor", where, pod, _NODE, labels=labels)
    ports = {"http": (80, 8080)}
    yield from making.service(f"{called}-predictor", where, ports, labels, labels=labels)
