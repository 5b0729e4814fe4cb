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
MADE = (*APPLY, "delete")  # what `maas uninstall` takes away again
HELM = ("create", "delete", "patch")  # what a chart holds: upgrades change and remove it
_GONE = ("patch", "delete")  # marked, and removed
_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"

RULES: tuple[Rule, ...] = (
    Rule("", ("namespaces",), APPLY, "the namespaces of the components and of the models", namespaced=False),
    Rule("", ("secrets",), MADE, "API keys, and Helm's record of its releases"),
    Rule("", ("secrets",), ("update",), "Helm's record of its releases", only="kubernetes"),
    Rule("", ("services", "configmaps", "serviceaccounts"), HELM, "charts, models and the gateway"),
    Rule("", ("persistentvolumeclaims",), MADE, "where models keep their weights"),
    Rule("apps", ("deployments",), HELM, "charts; restarting operators once what they wait for is there"),
    Rule("apps", ("daemonsets",), HELM, "charts: what runs on every node with a GPU", only="kubernetes"),
    Rule("batch", ("jobs",), HELM, "hooks of the cert-manager and GPU Operator charts", only="kubernetes"),
    Rule("autoscaling", ("horizontalpodautoscalers",), HELM, "istiod's chart", only="kubernetes"),
    Rule("policy", ("poddisruptionbudgets",), HELM, "a gateway that stays up while nodes are drained; istiod's chart"),
    Rule("networking.k8s.io", ("networkpolicies",), MADE, "who may reach models and the policy services"),
    Rule(
        "apiextensions.k8s.io",
        ("customresourcedefinitions",),
        HELM,
        "Gateway API, cert-manager, Istio, Kuadrant and KServe bring their own kinds",
        namespaced=False,
        only="kubernetes",
    ),
    Rule(_RBAC, ("roles", "rolebindings"), HELM, "the operators' rights", only="kubernetes"),
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
        ("clusterroles", "roles"),
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
    Rule("gateway.networking.k8s.io", ("gateways", "httproutes"), MADE, "the gateway and the models' routes"),
    Rule("cert-manager.io", ("issuers",), APPLY, "dry runs, to see whether cert-manager answers"),
    Rule("cert-manager.io", ("issuers",), ("delete",), "the certificates of the gateway", only="kubernetes"),
    Rule("cert-manager.io", ("certificates",), MADE, "those of the gateway and KServe's webhook", only="kubernetes"),
    Rule("kuadrant.io", ("kuadrants",), APPLY, "the policy services"),
    Rule(
        "kuadrant.io",
        ("authpolicies", "ratelimitpolicies", "tokenratelimitpolicies"),
        MADE,
        "who may call, and how much",
    ),
    Rule("networking.istio.io", ("envoyfilters",), MADE, "hosts in lower case, before policies look at them"),
    Rule("serving.kserve.io", ("inferenceservices",), MADE, "the models"),
    Rule(
        "serving.kserve.io",
        ("clusterstoragecontainers", "clusterservingruntimes"),
        HELM,
        "KServe's chart",
        namespaced=False,
        only="kubernetes",
    ),
    Rule("nvidia.com", ("clusterpolicies",), APPLY, "the GPU Operator's configuration", namespaced=False),
    Rule("monitoring.coreos.com", ("podmonitors", "servicemonitors"), MADE, "metrics of gateway and models"),
    Rule("operators.coreos.com", ("subscriptions", "operatorgroups"), APPLY, "operators", only="openshift"),
    Rule("operators.coreos.com", ("installplans",), ("patch",), "approving what waits for approval", only="openshift"),
    Rule("route.openshift.io", ("routes",), MADE, "the gateway's address", only="openshift"),
    Rule("route.openshift.io", ("routes/custom-host",), ("create",), "the gateway's own host name", only="openshift"),
    Rule("sailoperator.io", ("istios", "istiocnis"), APPLY, "Service Mesh 3", namespaced=False, only="openshift"),
    Rule(
        "maistra.io",
        ("servicemeshcontrolplanes", "servicemeshmembers"),
        APPLY,
        "Gateway API on Service Mesh 2, where that is there",
        only="openshift",
    ),
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


# What only `maas uninstall` does besides. Nobody is asked for it before installing.
REMOVING: tuple[Rule, ...] = (
    Rule("", ("namespaces",), ("delete",), "those that we made and that hold nothing any more", namespaced=False),
    Rule("kuadrant.io", ("kuadrants",), ("delete",), "the policy services"),
    Rule("gateway.networking.k8s.io", ("gatewayclasses",), _GONE, "ours, and those that istiod leaves", False),
    Rule("nvidia.com", ("clusterpolicies",), ("delete",), "the GPU Operator's configuration", namespaced=False),
    Rule(
        _ADMISSION,
        ("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
        ("delete",),
        "those of the Gateway API bundle",
        namespaced=False,
        only="kubernetes",
    ),
    Rule(
        "apiextensions.k8s.io",
        ("customresourcedefinitions",),
        _GONE,
        "OLM leaves the kinds of operators that it removes",
        namespaced=False,
        only="openshift",
    ),
    Rule("operators.coreos.com", ("subscriptions", "operatorgroups"), ("delete",), "operators", only="openshift"),
    Rule("operators.coreos.com", ("clusterserviceversions",), _GONE, "operators", only="openshift"),
    Rule("sailoperator.io", ("istios", "istiocnis"), ("delete",), "Service Mesh 3", False, "openshift"),
    Rule(
        "datasciencecluster.opendatahub.io", ("datascienceclusters",), ("delete",), "OpenShift AI", False, "openshift"
    ),
    Rule("dscinitialization.opendatahub.io", ("dscinitializations",), ("delete",), "OpenShift AI", False, "openshift"),
    Rule("nfd.openshift.io", ("nodefeaturediscoveries",), ("delete",), "finding GPUs", only="openshift"),
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
