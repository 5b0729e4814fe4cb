"""What an installation must be allowed to do, as data.

Reading is not listed: what may not be read shows when it is read. A rule is what a ClusterRole would hold; `NEEDED`
is the same taken apart, one entry for each question that a SelfSubjectAccessReview can answer. Server-side apply asks
for `create` where the object is not there yet, and for `patch` always; Helm keeps its releases in Secrets.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    group: str  # "" is the core group
    resources: tuple[str, ...]  # "gateways", or with a subresource "pods/log"
    verbs: tuple[str, ...]
    why: str
    namespaced: bool = True
    only: str = ""  # "openshift", "kubernetes", or "" for both


@dataclass(frozen=True)
class Permission:
    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespaced: bool = True
    only: str = ""  # the target that needs it; "" for both

    @property
    def described(self) -> str:
        """As kubectl auth can-i takes it: "create gateways.gateway.networking.k8s.io"."""
        below = f"/{self.subresource}" if self.subresource else ""
        return f"{self.verb} {self.resource}{'.' + self.group if self.group else ''}{below}"


APPLY = ("create", "patch")
HELM = ("create", "delete", "patch", "update")  # what a chart holds: upgrades replace and remove
_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"

RULES: tuple[Rule, ...] = (
    Rule("", ("namespaces",), APPLY, "the namespaces of the components and of the models", namespaced=False),
    Rule("", ("secrets",), HELM, "API keys, and Helm's record of its releases"),
    Rule("", ("services", "configmaps", "serviceaccounts"), HELM, "charts, models and the gateway"),
    Rule("", ("pods",), ("delete",), "restarting what is stuck"),
    Rule("apps", ("deployments", "daemonsets"), HELM, "charts; restarting operators once what they wait for is there"),
    Rule("batch", ("jobs",), HELM, "hooks of the cert-manager and GPU Operator charts", only="kubernetes"),
    Rule("autoscaling", ("horizontalpodautoscalers",), HELM, "istiod's chart", only="kubernetes"),
    Rule("policy", ("poddisruptionbudgets",), HELM, "istiod's chart", only="kubernetes"),
    Rule("networking.k8s.io", ("networkpolicies",), APPLY, "who may reach models and the policy services"),
    Rule(
        "apiextensions.k8s.io",
        ("customresourcedefinitions",),
        HELM,
        "Gateway API, cert-manager, Istio, Kuadrant and KServe bring their own kinds",
        namespaced=False,
        only="kubernetes",
    ),
    Rule(_RBAC, ("roles", "rolebindings"), HELM, "the operators' rights"),
    Rule(
        _RBAC,
        ("clusterroles", "clusterrolebindings"),
        HELM,
        "the operators' rights",
        namespaced=False,
        only="kubernetes",
    ),
    Rule(
        _RBAC,
        ("clusterroles",),
        ("bind", "escalate"),
        "charts give operators rights that the installing user may not hold",
        namespaced=False,
        only="kubernetes",
    ),
    Rule(
        _ADMISSION,
        ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
        HELM,
        "cert-manager, Istio and KServe validate their objects",
        namespaced=False,
        only="kubernetes",
    ),
    Rule(
        _ADMISSION,
        ("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
        APPLY,
        "the Gateway API bundle guards its own versions since 1.5",
        namespaced=False,
        only="kubernetes",
    ),
    Rule("gateway.networking.k8s.io", ("gatewayclasses",), APPLY, "OpenShift's built-in gateway", False, "openshift"),
    Rule("gateway.networking.k8s.io", ("gateways", "httproutes"), APPLY, "the gateway and the models' routes"),
    Rule("cert-manager.io", ("clusterissuers",), APPLY, "the gateway's certificates", namespaced=False),
    Rule("cert-manager.io", ("issuers", "certificates"), APPLY, "the gateway's certificates"),
    Rule("kuadrant.io", ("kuadrants",), APPLY, "the policy services"),
    Rule(
        "kuadrant.io",
        ("authpolicies", "ratelimitpolicies", "tokenratelimitpolicies", "tlspolicies"),
        (*APPLY, "delete"),
        "who may call, and how much",
    ),
    Rule("limitador.kuadrant.io", ("limitadors",), ("patch",), "metrics and headers of the limits"),
    Rule("serving.kserve.io", ("inferenceservices",), (*APPLY, "delete"), "the models"),
    Rule("serving.kserve.io", ("llminferenceservices",), (*APPLY, "delete"), "the models"),
    Rule("nvidia.com", ("clusterpolicies",), APPLY, "the GPU Operator's configuration", namespaced=False),
    Rule("monitoring.coreos.com", ("podmonitors",), APPLY, "metrics of gateway and models"),
    Rule("operators.coreos.com", ("subscriptions", "operatorgroups"), APPLY, "operators", only="openshift"),
    Rule("operators.coreos.com", ("installplans",), ("patch",), "approving what waits for approval", only="openshift"),
    Rule("route.openshift.io", ("routes",), APPLY, "the gateway's address", only="openshift"),
    Rule("route.openshift.io", ("routes/custom-host",), ("create",), "the gateway's own host name", only="openshift"),
    Rule("sailoperator.io", ("istios", "istiocnis"), APPLY, "Service Mesh 3", namespaced=False, only="openshift"),
    Rule(
        "datasciencecluster.opendatahub.io",
        ("datascienceclusters",),
        APPLY,
        "OpenShift AI's model serving",
        namespaced=False,
        only="openshift",
    ),
    Rule(
        "dscinitialization.opendatahub.io",
        ("dscinitializations",),
        APPLY,
        "OpenShift AI's own setup",
        namespaced=False,
        only="openshift",
    ),
    Rule("nfd.openshift.io", ("nodefeaturediscoveries",), APPLY, "finding GPUs", only="openshift"),
)


def _taken_apart() -> Iterator[Permission]:
    for rule in RULES:
        for resource in rule.resources:
            plain, _, below = resource.partition("/")
            for verb in rule.verbs:
                yield Permission(verb, rule.group, plain, below, rule.namespaced, rule.only)


NEEDED: tuple[Permission, ...] = tuple(_taken_apart())


def needed(target: str) -> tuple[Permission, ...]:
    """target: "openshift" or "kubernetes"."""
    return tuple(permission for permission in NEEDED if permission.only in ("", target))
