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
    model_is_down,
    put,
    unschedulable,
    waiting,
    without,
)


def _value(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_PULL = waiting("ImagePullBackOff", 'Back-off pulling image "ghcr.io/x"')
_CRASH = waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container", restarts=7)
_OOM = waiting("CrashLoopBackOff", "back-off", restarts=7, exit_code=137, ended="OOMKilled")


def _stop(model: Any) -> None:
    model["metadata"].setdefault("annotations", {})["serving.kserve.io/stop"] = "true"


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
]
