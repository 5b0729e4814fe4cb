"""A working platform that somebody else put together: other names, other namespaces, other ways to the same.

A canary revision of Istio, a Gateway in a namespace of its own, policies on routes and defaults on the Gateway, keys
with Bearer beside tokens of Kubernetes, a limit for everybody, and models that are plain Deployments behind Services.
"""

import copy
from typing import Any

from maas.readiness.catalogue import Asked, Phase, Target
from tests.kubernetes.clusters import installation, platforms, stack, typical
from tests.kubernetes.clusters.making import (
    Object,
    container,
    current,
    deployment,
    labelled_namespace,
    made,
    namespace,
    pod_spec,
    service,
)
from tests.kubernetes.clusters.nodes import node
from tests.kubernetes.clusters.scenario import Scenario

_MODELS, _EDGE, _DOMAIN = "inference", "edge", "ai.example.org"
_PARENT = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public", "namespace": _EDGE}
_ROUTE = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "llama"}
_CONTROLLER = "istio.io/gateway-controller"


def by_others() -> Scenario:
    healthy = typical.kubernetes_1_34()
    nodes = [node(f"node-{i}", cpu=16, memory="64Gi", kubelet="v1.33.6") for i in range(3)]
    return Scenario(
        "installed by others",
        "v1.33.6",
        Asked(Target.kubernetes, Phase.after, namespace=_MODELS),
        healthy.components,
        (
            *platforms.kubernetes(nodes, platforms.storage_class("ceph-rbd", "rbd.csi.ceph.com")),
            *stack.cert_manager("node-0", "v1.20.3"),
            *map(_as_revision, stack.istio("node-0", "1.30.1")),
            labelled_namespace("kuadrant-system", {"istio-injection": "disabled"}),
            *stack.kuadrant_operators("node-1"),
            *stack.kuadrant("node-1"),
            namespace("kserve"),
            *stack.kserve("node-2"),
            *_gateway(),
            *_model(),
            *_policies(),
            *map(_key, ("ci", "chatbot")),
        ),
        healthy.annotations,
    )


def _as_revision(object: Object) -> Object:
    """istiod-canary instead of istiod, as `istioctl install --revision` names it."""
    result = copy.deepcopy(object)
    for labels in _labels(result):
        if "istio.io/rev" in labels:
            labels["istio.io/rev"] = "canary"
    if result["metadata"]["name"].startswith("istiod"):
        result["metadata"]["name"] = result["metadata"]["name"].replace("istiod", "istiod-canary", 1)
    if result["kind"] == "EndpointSlice":
        result["metadata"]["labels"]["kubernetes.io/service-name"] = "istiod-canary"
    return result


def _labels(value: Any) -> list[dict[str, Any]]:
    """All mappings, of which some are labels."""
    if isinstance(value, list):
        return [found for each in value for found in _labels(each)]
    return [value, *(found for each in value.values() for found in _labels(each))] if isinstance(value, dict) else []


def _gateway() -> list[Object]:
    """MaaS's own one, under another name and with one listener."""
    objects = [copy.deepcopy(each) for each in installation.gateway("istio", "node-2", _DOMAIN, "192.0.2.10", routes=1)]
    for each in objects:
        each["metadata"]["namespace"] = _EDGE
        each["metadata"]["name"] = each["metadata"]["name"].replace("maas-gateway", "public")
        each["metadata"].get("labels", {}).pop("app.kubernetes.io/part-of", None)
        for labels in _labels(each):
            for key in ("gateway.networking.k8s.io/gateway-name", "kubernetes.io/service-name"):
                if key in labels:
                    labels[key] = labels[key].replace("maas-gateway", "public")
    gateway = objects[0]
    tls = {"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret", "name": "public-tls"}]}
    chosen = {"from": "Selector", "selector": {"matchLabels": {"exposed": "true"}}}
    gateway["spec"]["listeners"] = [
        {**gateway["spec"]["listeners"][1], "tls": tls, "allowedRoutes": {"namespaces": chosen}}
    ]
    gateway["status"]["listeners"] = gateway["status"]["listeners"][1:]
    certificate = copy.deepcopy(installation.certificates(_DOMAIN)[1])
    certificate["metadata"] |= {"name": "public-tls", "namespace": _EDGE}
    certificate["spec"]["secretName"] = "public-tls"
    return [namespace(_EDGE), *objects, certificate]


def _model() -> list[Object]:
    serving = container(
        "vllm",
        "vllm/vllm-openai-cpu:v0.21.0",
        cpu="4",
        memory="16Gi",
        limits={"cpu": "8", "memory": "16Gi"},
        args=["--model=meta-llama/Llama-3.2-1B-Instruct", "--port=8000", "--enable-force-include-usage"],
        ports=[{"containerPort": 8000, "protocol": "TCP"}],
        readinessProbe={"httpGet": {"path": "/health", "port": 8000}},
        volumeMounts=[{"name": "cache", "mountPath": "/.cache"}],
    )
    spec = pod_spec(serving, volumes=[{"name": "cache", "emptyDir": {}}])
    route = installation.http_route("llama", _DOMAIN, _CONTROLLER)
    route["metadata"] = {"name": "llama", "namespace": _MODELS, "generation": 1}
    route["spec"]["parentRefs"] = [_PARENT]
    route["spec"]["rules"][0]["backendRefs"] = [
        {"group": "", "kind": "Service", "name": "llama", "port": 80, "weight": 1}
    ]
    route["status"]["parents"][0]["parentRef"] = _PARENT
    shield = installation.only_through_the_gateway()
    shield["metadata"] = {"name": "shield", "namespace": _MODELS}
    edge = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": _EDGE}}}
    shield["spec"] = {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [edge], "ports": [{"port": 8000, "protocol": "TCP"}]}],
    }
    return [
        labelled_namespace(_MODELS, {"exposed": "true"}),
        *deployment("llama", _MODELS, spec, "node-2"),
        *service("llama", _MODELS, {"http": (80, 8000)}, {"app": "llama"}),
        route,
        shield,
    ]


def _policies() -> list[Object]:
    """Denied unless a route says otherwise; and then by key or by token."""
    nobody = {"strategy": "atomic", "rules": {"authorization": {"nobody": {"opa": {"rego": "allow = false"}}}}}
    keys = {
        "apiKey": {"allNamespaces": True, "selector": {"matchLabels": {"audience": "inference"}}},
        "credentials": {"authorizationHeader": {"prefix": "Bearer"}},
    }
    identity = {"userid": {"expression": 'auth.identity.metadata.annotations["secret.kuadrant.io/user-id"]'}}
    rules = {
        "authentication": {
            "keys": {**keys, "when": [{"predicate": '!request.headers.authorization.contains(".")'}]},
            "accounts": {"kubernetesTokenReview": {"audiences": ["https://kubernetes.default.svc"]}},
        },
        "response": {"success": {"filters": {"identity": {"json": {"properties": identity}}}}},
    }
    rates = {"rates": [{"limit": 100, "window": "1m"}], "counters": [{"expression": "auth.identity.userid"}]}
    gateway = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public"}
    spec: list[tuple[str, str, str, str, Object]] = [
        ("kuadrant.io/v1", "AuthPolicy", "deny-by-default", _EDGE, {"targetRef": gateway, "defaults": nobody}),
        ("kuadrant.io/v1", "AuthPolicy", "llama", _MODELS, {"targetRef": _ROUTE, "rules": rules}),
        ("kuadrant.io/v1", "RateLimitPolicy", "llama", _MODELS, {"targetRef": _ROUTE, "limits": {"everybody": rates}}),
    ]
    return [
        made(version, kind, name, where, spec=body, status=_status(kind, overridden=name == "deny-by-default"))
        for version, kind, name, where, body in spec
    ]


def _status(kind: str, *, overridden: bool) -> Object:
    """A default that all routes override is not enforced, and that is how it should be."""
    enforced = (
        current("Enforced", False, "Overridden", f"{kind} is overridden by [{_MODELS}/llama]")
        if overridden
        else current("Enforced", True, "Enforced", f"{kind} has been successfully enforced")
    )
    return {"observedGeneration": 1, "conditions": [current("Accepted", True, "Accepted"), enforced]}


def _key(user: str) -> Object:
    secret = installation.key(user, "")
    secret["metadata"]["namespace"] = _MODELS
    secret["metadata"]["labels"] = {"authorino.kuadrant.io/managed-by": "authorino", "audience": "inference"}
    secret["metadata"]["annotations"] = {"secret.kuadrant.io/user-id": user}
    return secret
