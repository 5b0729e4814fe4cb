"""Which Helm releases, packages of OLM and kinds belong to which component, and which needs which.

In the order in which they are removed: each before those that it needs, or whose objects its chart holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from maas.cluster import kinds
from maas.cluster.components import olm
from maas.cluster.kinds import Kind
from maas.cluster.uninstalling.model import Found


@dataclass(frozen=True)
class Part:
    """groups: of its kinds' APIs; "*.x" is every group that ends so. needs: keys of those that it cannot do without."""

    key: str
    title: str
    groups: tuple[str, ...]
    releases: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def brings(self, group: str) -> bool:
        return any(group == each or (each.startswith("*") and group.endswith(each[1:])) for each in self.groups)


_SERVING = ("serving.kserve.io",)
PARTS: tuple[Part, ...] = (
    Part("kserve", "KServe", _SERVING, ("kserve", "kserve-resources", "kserve-crd"), needs=("cert-manager",)),
    Part(
        "rhoai",
        "OpenShift AI",
        (*_SERVING, "*.opendatahub.io"),
        packages=(olm.RHOAI.name, olm.ODH.name),
        needs=("serverless",),
    ),
    Part("serverless", "OpenShift Serverless", ("*.knative.dev",), packages=(olm.SERVERLESS.name,)),
    Part("gpu-operator", "the GPU Operator", ("nvidia.com",), ("gpu-operator",), (olm.GPU.name,), ("nfd",)),
    Part("nfd", "Node Feature Discovery", ("*.openshift.io/nfd", "nfd.openshift.io"), packages=(olm.NFD.name,)),
    Part(
        "kuadrant",
        "Kuadrant",
        ("kuadrant.io", "*.kuadrant.io"),
        ("kuadrant-operator",),
        (olm.RHCL.name, olm.KUADRANT.name, olm.AUTHORINO.name, olm.LIMITADOR.name, olm.DNS.name),
        ("istio", "cert-manager", "gateway-api"),
    ),
    Part("istio", "Istio", ("*.istio.io",), ("istiod", "istio-base", "istio-cni"), needs=("gateway-api",)),
    Part(
        "service-mesh",
        "OpenShift Service Mesh",
        ("*.istio.io", "sailoperator.io", "maistra.io"),
        packages=(olm.SERVICE_MESH_3.name, olm.SAIL.name),
        needs=("gateway-api",),
    ),
    Part(
        "cert-manager",
        "cert-manager",
        ("cert-manager.io", "acme.cert-manager.io"),
        ("cert-manager",),
        (olm.CERT_MANAGER.name, olm.CERT_MANAGER_COMMUNITY.name),
    ),
    Part("gateway-api", "Gateway API", ("gateway.networking.k8s.io",)),
)
BY_KEY = {part.key: part for part in PARTS}
# What tells a component what to be: removed while its operator is there to take down what it made.
OPERANDS: tuple[Kind, ...] = (
    kinds.KUADRANT,
    kinds.DATA_SCIENCE_CLUSTER,
    kinds.DSC_INITIALIZATION,
    kinds.CLUSTER_POLICY,
    kinds.NODE_FEATURE_DISCOVERY,
    kinds.KNATIVE_SERVING,
    kinds.ISTIO,
    kinds.ISTIO_CNI,
    kinds.SMCP,
    kinds.SMMR,
    kinds.GATEWAY_CLASS,
)
_BY_ISTIOD = ("istio", "istio-remote", "istio-waypoint")
_BY_OPERATORS = frozenset({("DSCInitialization", "default-dsci"), ("CertManager", "cluster")})


def of_group(group: str, among: Iterable[str]) -> str | None:
    """The key of the part, of those with these keys, that brings this API group."""
    known = set(among)
    return next((part.key for part in PARTS if part.key in known and part.brings(group)), None)


def of_release(release: str) -> str | None:
    return next((part.key for part in PARTS if release in part.releases), None)


def of_package(package: str) -> str | None:
    return next((part.key for part in PARTS if package in part.packages), None)


def is_its_namespace(package: str, namespace: Found) -> bool:
    """Whether an operator of this package makes this namespace for what it runs."""
    if package in (olm.RHOAI.name, olm.ODH.name):
        labels = namespace.object.get("metadata", {}).get("labels") or {}
        return labels.get("opendatahub.io/generated-namespace") == "true"
    return package == olm.CERT_MANAGER.name and namespace.name == "cert-manager"


def is_by_component(found: Found) -> bool:
    """Made by a component of its own accord: not owned by anything, and yet nobody's."""
    labels = found.object.get("metadata", {}).get("labels") or {}
    if found.kind.name == "GatewayClass" and found.name in _BY_ISTIOD:
        return True
    if (found.kind.name, found.name) in _BY_OPERATORS or any(key.startswith("olm.") for key in labels):
        return True
    return labels.get("kuadrant.io/managed") == "true" or "app.opendatahub.io/kserve" in labels
