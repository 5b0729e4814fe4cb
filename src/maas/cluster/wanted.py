"""What is to be on a cluster: the platform as maas.yaml describes it, and what the cluster's own nature makes of it.

A Site is worked out from facts (sites.of) or, where there is no cluster to look at, assumed (sites.assumed): so plans
and rendered manifests come out of the same functions, with and without a cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from maas.domain.platform import Platform
from maas.models.sizing.fit import Device

NAMESPACE = "llm"
GATEWAY = "maas-gateway"
KUADRANT = "kuadrant-system"
PART_OF = "app.kubernetes.io/part-of"  # "maas": belongs to the platform, whoever made it
MANAGED_BY = "app.kubernetes.io/managed-by"  # "maas": made by us, and ours to remove
APPLIED = "maas.io/applied"  # an annotation: a hash of what was applied last
NOTHING: Mapping[str, str] = MappingProxyType({})


class Target(StrEnum):
    kubernetes = "kubernetes"
    openshift = "openshift"


class Mesh(StrEnum):
    """Whose Envoy the gateway is."""

    istio = "istio"  # upstream charts, on Kubernetes
    built_in = "built-in"  # OpenShift 4.19 or newer brings it: a GatewayClass is all it takes
    service_mesh = "service-mesh"  # OpenShift Service Mesh 3, on older ones
    service_mesh_2 = "service-mesh-2"  # only where it is there already


class Serving(StrEnum):
    """Whose KServe it is."""

    kserve = "kserve"  # upstream charts
    rhoai = "rhoai"  # OpenShift AI 3.x
    rhoai_2 = "rhoai-2"  # OpenShift AI 2.x, where the cluster is too old for 3.x
    odh = "odh"  # Open Data Hub, where it is there already


@dataclass(frozen=True)
class GpuKind:
    """A kind of GPU that nodes of the cluster have.

    free: how many no pod has asked for, on the node that has most of them: no model spans two.
    selector: labels that choose its nodes.
    by_node: how many each of its nodes has free; () where nobody knows of more than one.
    """

    device: Device
    free: int
    selector: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    by_node: tuple[int, ...] = ()


@dataclass(frozen=True)
class Offer:
    """How OLM is asked for an operator: as a catalog offers it or, once that was done, as it was asked.

    csv: the ClusterServiceVersion that it brings, or has brought; "" where no catalog could be asked.
    starting: the one that the Subscription names, which updates leave behind.
    manual: in its namespace, people approve what OLM installs.
    group: the OperatorGroup that its namespace has already: OLM works with exactly one.
    example: the spec of its operand, as the ClusterServiceVersion has it.
    refused: why nothing that catalogs offer may be installed; "" if something may.
    """

    channel: str
    catalog: str
    catalog_namespace: str = "openshift-marketplace"
    csv: str = ""
    starting: str = ""
    manual: bool = False
    group: str = ""
    example: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""


@dataclass(frozen=True)
class Site:
    """
    domain: models are at MODEL.domain, all of them at maas.domain.
    gateway_class: Istio calls the gateway's Service and Deployment GATEWAY-CLASS.
    versions: what is installed of each component, by the keys of pins.toml.
    pod_monitors: whether the cluster has the Prometheus operator's kinds.
    theirs: keys of the steps whose components others have installed: they are left alone.
    has_default_storage: whether a PersistentVolumeClaim without a class would be bound.
    operators: by the names of OLM's packages. managed: OpenShift that others run: "rosa", "osd", "aro".
    serverless: whether the OpenShift AI 2.x that is there runs KServe on Knative.
    control_plane: of Service Mesh 2, where it carries the gateway: "istio-system/data-science-smcp".
    """

    target: Target
    domain: str = "maas.local"
    mesh: Mesh = Mesh.istio
    serving: Serving = Serving.kserve
    gateway_class: str = "istio"
    gateway_controller: str = "istio.io/gateway-controller"
    gpus: tuple[GpuKind, ...] = ()
    kubernetes: str = ""  # "1.34"; "" if nobody knows
    openshift: str = ""
    versions: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    pod_monitors: bool = False
    has_default_storage: bool = True
    theirs: frozenset[str] = frozenset()
    operators: Mapping[str, Offer] = field(default_factory=dict)
    managed: str = ""
    serverless: bool = False
    control_plane: str = ""

    @property
    def gateway_service(self) -> str:
        return f"{GATEWAY}-{self.gateway_class}"


@dataclass(frozen=True)
class Wanted:
    """
    document: maas.yaml as it was written, with its comments; "" if nobody wrote one.
    tokens_only: token limits instead of request limits, as --token-rate-limit asks.
    gpu_operator: the GPU Operator (and on OpenShift Node Feature Discovery) is to be installed too.
    credentials: what the files hold that maas.yaml names (api_key_file, the gateway's certificate and key), by their
    paths; none where nobody looked.
    """

    platform: Platform
    site: Site
    namespace: str = NAMESPACE
    tokens_only: bool = False
    metrics: bool = True
    gpu_operator: bool = False
    document: str = ""
    credentials: Mapping[str, str] = field(default_factory=lambda: NOTHING, repr=False)
