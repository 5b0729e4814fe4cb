"""The kinds of objects that are read from a cluster, and how much of each.

One entry is one list call (and its further pages) where the API is served, none where it is not: discovery says so
beforehand. `versions` are those whose fields the checks understand, best first; a cluster that serves only others is
asked for the one it prefers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from maas.cluster.objects import text


class Body(StrEnum):
    """How much of an object is kept. Nothing ever needs managedFields or the last-applied annotation."""

    whole = "whole"
    metadata = "metadata"  # asked for as PartialObjectMetadata: the body never leaves the server


@dataclass(frozen=True)
class Kind:
    name: str  # "Gateway"
    plural: str  # "gateways"
    group: str = ""  # "" is the core group
    versions: tuple[str, ...] = ("v1",)
    namespaced: bool = True
    body: Body = Body.whole
    labels: str = ""  # a label selector: only these are read
    fields: str = ""  # a field selector
    selection: str = ""  # what another choice of the same kind is called: "maas"

    @property
    def key(self) -> str:
        """As kubectl writes it: "gateways.gateway.networking.k8s.io", "pods". Another choice: "secrets@maas"."""
        plain = f"{self.plural}.{self.group}" if self.group else self.plural
        return f"{plain}@{self.selection}" if self.selection else plain


def _crd(name: str, group: str, *versions: str, plural: str = "", namespaced: bool = True) -> Kind:
    return Kind(name, plural or name.lower() + "s", group, versions or ("v1",), namespaced)


NODE = Kind("Node", "nodes", namespaced=False)
NAMESPACE = Kind("Namespace", "namespaces", namespaced=False)
POD = Kind("Pod", "pods")
SERVICE = Kind("Service", "services")
EVENT = Kind("Event", "events", fields="type!=Normal")
SECRET = Kind("Secret", "secrets", labels="authorino.kuadrant.io/managed-by")  # API keys; nothing else is anybody's
CONFIG_MAP = Kind("ConfigMap", "configmaps", fields="metadata.name=inferenceservice-config")
QUOTA = Kind("ResourceQuota", "resourcequotas")
VOLUME = Kind("PersistentVolume", "persistentvolumes", namespaced=False)
DEPLOYMENT = Kind("Deployment", "deployments", "apps")
DAEMON_SET = Kind("DaemonSet", "daemonsets", "apps")
STORAGE_CLASS = Kind("StorageClass", "storageclasses", "storage.k8s.io", namespaced=False)
CSI_DRIVER = Kind("CSIDriver", "csidrivers", "storage.k8s.io", namespaced=False)
CSI_CAPACITY = Kind("CSIStorageCapacity", "csistoragecapacities", "storage.k8s.io")
NETWORK_POLICY = Kind("NetworkPolicy", "networkpolicies", "networking.k8s.io")
ENDPOINT_SLICE = Kind("EndpointSlice", "endpointslices", "discovery.k8s.io")
CRD = Kind(
    "CustomResourceDefinition",
    "customresourcedefinitions",
    "apiextensions.k8s.io",
    namespaced=False,
    body=Body.metadata,
)
VALIDATING_WEBHOOK = Kind(
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    "admissionregistration.k8s.io",
    namespaced=False,
)
VALIDATING_POLICY = Kind(
    "ValidatingAdmissionPolicy",
    "validatingadmissionpolicies",
    "admissionregistration.k8s.io",
    namespaced=False,
    body=Body.metadata,
)

_GATEWAY_API = "gateway.networking.k8s.io"
GATEWAY_CLASS = _crd("GatewayClass", _GATEWAY_API, plural="gatewayclasses", namespaced=False)
GATEWAY = _crd("Gateway", _GATEWAY_API)
HTTP_ROUTE = _crd("HTTPRoute", _GATEWAY_API)
REFERENCE_GRANT = _crd("ReferenceGrant", _GATEWAY_API, "v1", "v1beta1")

_CERT_MANAGER = "cert-manager.io"
ISSUER = _crd("Issuer", _CERT_MANAGER)
CLUSTER_ISSUER = _crd("ClusterIssuer", _CERT_MANAGER, namespaced=False)
CERTIFICATE = _crd("Certificate", _CERT_MANAGER)

ISTIO = _crd("Istio", "sailoperator.io", namespaced=False)
ISTIO_CNI = _crd("IstioCNI", "sailoperator.io", namespaced=False)
SMCP = _crd("ServiceMeshControlPlane", "maistra.io", "v2")
SMMR = _crd("ServiceMeshMemberRoll", "maistra.io")
ENVOY_FILTER = _crd("EnvoyFilter", "networking.istio.io", "v1alpha3")
WASM_PLUGIN = _crd("WasmPlugin", "extensions.istio.io", "v1alpha1")
PEER_AUTHENTICATION = _crd("PeerAuthentication", "security.istio.io", "v1", "v1beta1")

KUADRANT = _crd("Kuadrant", "kuadrant.io", "v1beta1")
AUTHORINO = _crd("Authorino", "operator.authorino.kuadrant.io", "v1beta1")
LIMITADOR = _crd("Limitador", "limitador.kuadrant.io", "v1alpha1")
AUTH_POLICY = _crd("AuthPolicy", "kuadrant.io", plural="authpolicies")
RATE_LIMIT_POLICY = _crd("RateLimitPolicy", "kuadrant.io", plural="ratelimitpolicies")
TOKEN_RATE_LIMIT_POLICY = _crd("TokenRateLimitPolicy", "kuadrant.io", "v1alpha1", plural="tokenratelimitpolicies")
TLS_POLICY = _crd("TLSPolicy", "kuadrant.io", plural="tlspolicies")

_KSERVE = "serving.kserve.io"
INFERENCE_SERVICE = _crd("InferenceService", _KSERVE, "v1beta1")
LLM_INFERENCE_SERVICE = _crd("LLMInferenceService", _KSERVE, "v1alpha2", "v1alpha1")
CLUSTER_SERVING_RUNTIME = _crd("ClusterServingRuntime", _KSERVE, "v1alpha1", namespaced=False)
CLUSTER_STORAGE_CONTAINER = _crd("ClusterStorageContainer", _KSERVE, "v1alpha1", namespaced=False)

KNATIVE_SERVING = _crd("KnativeServing", "operator.knative.dev", "v1beta1")
DATA_SCIENCE_CLUSTER = _crd("DataScienceCluster", "datasciencecluster.opendatahub.io", "v2", "v1", namespaced=False)
DSC_INITIALIZATION = _crd("DSCInitialization", "dscinitialization.opendatahub.io", "v2", "v1", namespaced=False)
CLUSTER_POLICY = _crd("ClusterPolicy", "nvidia.com", plural="clusterpolicies", namespaced=False)
NODE_FEATURE_DISCOVERY = _crd("NodeFeatureDiscovery", "nfd.openshift.io", plural="nodefeaturediscoveries")

_OLM = "operators.coreos.com"
SUBSCRIPTION = _crd("Subscription", _OLM, "v1alpha1")
INSTALL_PLAN = _crd("InstallPlan", _OLM, "v1alpha1")
# Without the copies that OLM makes in every namespace: large, alike, and thousands of them.
CSV = replace(_crd("ClusterServiceVersion", _OLM, "v1alpha1"), labels="!olm.copiedFrom")
OPERATOR_GROUP = _crd("OperatorGroup", _OLM)
CATALOG_SOURCE = _crd("CatalogSource", _OLM, "v1alpha1")
OLM_CONFIG = _crd("OLMConfig", _OLM, namespaced=False)
PACKAGE_MANIFEST = _crd("PackageManifest", f"packages.{_OLM}")  # megabytes each: asked for by name (facts/packages.py)

_CONFIG = "config.openshift.io"
CLUSTER_VERSION = _crd("ClusterVersion", _CONFIG, namespaced=False)
CLUSTER_OPERATOR = _crd("ClusterOperator", _CONFIG, namespaced=False)
INFRASTRUCTURE = _crd("Infrastructure", _CONFIG, namespaced=False)
INGRESS_CONFIG = _crd("Ingress", _CONFIG, plural="ingresses", namespaced=False)
PROXY_CONFIG = _crd("Proxy", _CONFIG, plural="proxies", namespaced=False)
INGRESS_CONTROLLER = _crd("IngressController", "operator.openshift.io")
ROUTE = _crd("Route", "route.openshift.io")

# Whether they are served is asked for, never which there are: no call is spent on those.
SERVED_ONLY = (ENVOY_FILTER, WASM_PLUGIN, PEER_AUTHENTICATION, CLUSTER_STORAGE_CONTAINER, PACKAGE_MANIFEST)
ALL: tuple[Kind, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Kind) and value not in SERVED_ONLY
)
BY_KEY = {kind.key: kind for kind in ALL}

# What else an installation compares with what it wants: of these, only objects of the platform are read, and no check
# asks for them. Secrets and ConfigMaps are read in another choice as well: a label selector has no "or".
_PLATFORM = "app.kubernetes.io/part-of=maas"
OUR_CONFIG_MAP = Kind("ConfigMap", "configmaps", labels=_PLATFORM, selection="maas")
OUR_SECRET = Kind("Secret", "secrets", labels=f"{_PLATFORM},!{SECRET.labels}", selection="maas")

# Helm's records of its releases: of the Secrets that hold them, the labels say all that planning asks for.
RELEASE = Kind("Secret", "secrets", body=Body.metadata, labels="owner=helm", selection="helm")


def _ours(name: str, plural: str, group: str, *versions: str, namespaced: bool = True) -> Kind:
    return Kind(name, plural, group, versions or ("v1",), namespaced, labels=_PLATFORM)


SERVICE_MESH_MEMBER = _ours("ServiceMeshMember", "servicemeshmembers", "maistra.io")
_RBAC, _MONITORING, _ISTIO = "rbac.authorization.k8s.io", "monitoring.coreos.com", "networking.istio.io"
OURS: tuple[Kind, ...] = (
    OUR_CONFIG_MAP,
    OUR_SECRET,
    _ours("ServiceAccount", "serviceaccounts", ""),
    _ours("PersistentVolumeClaim", "persistentvolumeclaims", ""),
    _ours("PodDisruptionBudget", "poddisruptionbudgets", "policy"),
    _ours("Role", "roles", _RBAC),
    _ours("RoleBinding", "rolebindings", _RBAC),
    _ours("ClusterRole", "clusterroles", _RBAC, namespaced=False),
    _ours("ClusterRoleBinding", "clusterrolebindings", _RBAC, namespaced=False),
    _ours("PodMonitor", "podmonitors", _MONITORING),
    _ours("ServiceMonitor", "servicemonitors", _MONITORING),
    _ours("PrometheusRule", "prometheusrules", _MONITORING),
    _ours("ServiceEntry", "serviceentries", _ISTIO, "v1", "v1beta1"),
    _ours("DestinationRule", "destinationrules", _ISTIO, "v1", "v1beta1"),
    SERVICE_MESH_MEMBER,
    _ours("Telemetry", "telemetries", "telemetry.istio.io", "v1", "v1alpha1"),
    *(replace(kind, labels=_PLATFORM) for kind in (ENVOY_FILTER, WASM_PLUGIN, PEER_AUTHENTICATION)),
)
_BY_NAME = {(kind.group, kind.name): kind for kind in (*OURS, *SERVED_ONLY, *ALL)}


def of(object: Mapping[str, Any]) -> Kind:
    """The kind of an object, to address it: without any selector. Of a kind not known here, its plural is guessed."""
    group, _, version = str(object.get("apiVersion", "")).rpartition("/")
    named = str(object.get("kind", ""))
    known = _BY_NAME.get((group, named))
    if known is None:
        inside = bool(text(object, "metadata", "namespace"))
        return Kind(named, _plural(named.lower()), group, (version,), inside)
    return replace(known, versions=(version,), body=Body.whole, labels="", fields="", selection="")


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")
