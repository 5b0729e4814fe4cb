"""Faults of what MaaS installed: gateway, certificates, policies, keys, models."""

import base64
from typing import Any

from tests.kubernetes.clusters.faults import (
    EXPIRED,
    K8S,
    OPENSHIFT,
    SOON,
    Fault,
    both,
    condition_is,
    edited,
    fault,
    having,
    model_is_down,
    put,
    unschedulable,
    waiting,
    without,
)
from tests.kubernetes.clusters.making import made, service


def _value(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_PULL = waiting("ImagePullBackOff", 'Back-off pulling image "ghcr.io/x"')
_CRASH = waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container", restarts=7)
_OOM = waiting("CrashLoopBackOff", "back-off", restarts=7, exit_code=137, ended="OOMKilled")


def _stop(model: Any) -> None:
    model["metadata"].setdefault("annotations", {})["serving.kserve.io/stop"] = "true"


_SIMULATOR = {"serving.kserve.io/inferenceservice": "simulator"}


def _denying(direction: str) -> dict[str, object]:
    spec = {"podSelector": {}, "policyTypes": [direction]}
    return made("networking.k8s.io/v1", "NetworkPolicy", "deny-all", "llm", spec=spec)


INSTALLED: list[Fault] = [
    fault(
        "a model is stopped",
        K8S,
        *model_is_down("simulator", without("Pod", "simulator"), edited("InferenceService", "simulator", _stop)),
        finds="MAAS-341",
        also="MAAS-342",
    ),
    fault(
        "the gateway has no address",
        K8S,
        edited(
            "Gateway",
            "",
            both(condition_is("Programmed", "False", "AddressNotAssigned"), put("status", "addresses", to=[])),
        ),
        finds="MAAS-301",
    ),
    fault(
        "a listener's certificate is missing",
        K8S,
        edited(
            "Gateway",
            "",
            put(
                "status",
                "listeners",
                1,
                "conditions",
                3,
                to={
                    "type": "ResolvedRefs",
                    "status": "False",
                    "message": "",
                    "reason": "InvalidCertificateRef",
                    "lastTransitionTime": EXPIRED,
                },
            ),
        ),
        finds="MAAS-302",
    ),
    fault(
        "a route has no backend",
        K8S,
        edited(
            "HTTPRoute",
            "simulator",
            put(
                "status",
                "parents",
                0,
                "conditions",
                1,
                to={
                    "type": "ResolvedRefs",
                    "status": "False",
                    "reason": "BackendNotFound",
                    "message": "x",
                    "lastTransitionTime": EXPIRED,
                },
            ),
        ),
        without("Service", "simulator-predictor"),
        without("EndpointSlice", "simulator-predictor"),
        finds="MAAS-303 MAAS-351",
    ),
    fault(
        "the certificate has expired",
        K8S,
        edited("Certificate", "", put("status", "notAfter", to=EXPIRED)),
        finds="MAAS-311",
    ),
    fault(
        "the certificate expires this week",
        K8S,
        edited("Certificate", "", both(put("status", "notAfter", to=SOON), put("status", "renewalTime", to=EXPIRED))),
        finds="MAAS-311",
    ),
    fault(
        "the certificate is not issued",
        K8S,
        edited("Certificate", "", condition_is("Ready", "False", "DoesNotExist")),
        finds="MAAS-310",
    ),
    fault(
        "a policy is accepted, but not in force",
        K8S,
        edited(
            "AuthPolicy",
            "",
            condition_is("Enforced", "False", "Unknown", "AuthPolicy is not in the path to any existing routes"),
        ),
        finds="MAAS-320",
    ),
    fault("nothing asks for keys", K8S, without("AuthPolicy"), finds="MAAS-321", also="MAAS-324"),
    fault(
        "nothing is limited",
        K8S,
        without("RateLimitPolicy"),
        without("TokenRateLimitPolicy"),
        finds="MAAS-323",
        also="MAAS-324 MAAS-412",
    ),
    fault(
        "a tier without a limit",
        K8S,
        edited("RateLimitPolicy", "", lambda policy: policy["spec"]["limits"].pop("premium")),
        edited("TokenRateLimitPolicy", "", lambda policy: policy["spec"]["limits"].pop("premium")),
        finds="MAAS-324",
        also="MAAS-412",
    ),
    fault("no keys", K8S, without("Secret"), finds="MAAS-330"),
    fault(
        "a key nobody finds",
        K8S,
        edited("Secret", "maas-key-bob", put("metadata", "labels", "app", to="other")),
        finds="MAAS-331",
    ),
    fault("a key without a value", K8S, edited("Secret", "maas-key-bob", put("data", to={})), finds="MAAS-332"),
    fault(
        "two keys of one value",
        K8S,
        edited("Secret", "maas-key-", put("data", "api_key", to=_value("same"))),
        finds="MAAS-333 MAAS-413",
    ),
    fault(
        "a key of a tier nobody knows",
        K8S,
        edited("Secret", "maas-key-bob", put("metadata", "annotations", "kuadrant.io/groups", to="gold")),
        finds="MAAS-334",
    ),
    fault(
        "an image cannot be pulled",
        K8S,
        *model_is_down("simulator"),
        edited("Pod", "simulator-predictor", _PULL),
        finds="MAAS-360",
    ),
    fault(
        "a model crashes",
        K8S,
        *model_is_down("simulator"),
        edited("Pod", "simulator-predictor", _CRASH),
        finds="MAAS-361",
    ),
    fault(
        "a model is out of memory",
        K8S,
        *model_is_down("simulator"),
        edited("Pod", "simulator-predictor", _OOM),
        finds="MAAS-362",
    ),
    fault(
        "a model finds no node",
        OPENSHIFT,
        *model_is_down("qwen3-0-6b"),
        edited("Pod", "qwen3-0-6b", unschedulable("0/6 nodes are available: 6 Insufficient nvidia.com/gpu.")),
        finds="MAAS-363",
        also="MAAS-123",
    ),
    fault(
        "a model runs as root",
        K8S,
        *(
            edited(
                kind,
                "simulator",
                both(put(*path, "securityContext", to={}), put(*path, "containers", 0, "securityContext", to={})),
            )
            for kind, path in (
                ("InferenceService", ("spec", "predictor")),
                ("Deployment", ("spec", "template", "spec")),
                ("Pod", ("spec",)),
            )
        ),
        finds="MAAS-370",
        also="MAAS-371",
    ),
    fault("anybody may call the models", K8S, without("NetworkPolicy"), finds="MAAS-372"),
    fault(
        "a Service that does not translate ports",
        K8S,
        edited("Service", "simulator-predictor", put("spec", "clusterIP", to="None")),
        finds="MAAS-350 MAAS-403",
    ),
    fault(
        "a sidecar in Kuadrant's pods",
        K8S,
        edited("Namespace", "kuadrant-system", put("metadata", "labels", "istio-injection", to="enabled")),
        finds="MAAS-404",
    ),
    fault(
        "nobody reaches the gateway",
        K8S,
        having(_denying("Ingress")),
        finds="MAAS-160",
        also="MAAS-157",
    ),
    fault(
        "nothing leaves the gateway",
        K8S,
        having(_denying("Egress")),
        finds="MAAS-155 MAAS-156 MAAS-161",
    ),
    fault(
        "the gateway was scaled away",
        K8S,
        edited("Deployment", "maas-gateway", both(put("spec", "replicas", to=0), put("status", to={}))),
        without("Pod", "maas-gateway"),
        edited("EndpointSlice", "maas-gateway", put("endpoints", to=[])),
        finds="MAAS-306",
    ),
    fault(
        "a route cuts answers off",
        K8S,
        edited("HTTPRoute", "simulator", put("spec", "rules", 0, "timeouts", "request", to="10s")),
        finds="MAAS-307",
    ),
    fault(
        "a model has an address of its own",
        K8S,
        without("NetworkPolicy"),
        having(*service("direct", "llm", {"http": (80, 8080)}, _SIMULATOR, load_balancer="203.0.113.99")),
        finds="MAAS-374",
        also="MAAS-372",
    ),
]
