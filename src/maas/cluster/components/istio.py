"""Istio's own control plane, installed by Helm or istioctl: every istiod that no operator looks after."""

from maas.cluster.components.state import Installation, installation
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DEPLOYMENT, ISTIO
from maas.cluster.objects import Object, items, label, name, namespace, text

PLATFORM_NAMESPACE = "openshift-ingress"  # where the ingress operator of OpenShift installs the gateway's Istio


def control_planes(facts: Facts) -> list[Object]:
    """Deployments of istiod, of any revision and maker. Raises NotRead."""
    return [each for each in facts.all(DEPLOYMENT) if label(each, "app") == "istiod" or _named(name(each))]


def _named(deployment: str) -> bool:
    return deployment == "istiod" or deployment.startswith("istiod-")


def is_upstream(deployment: Object) -> bool:
    """Neither made by the Sail operator nor by Service Mesh 2, nor the platform's own."""
    ours = label(deployment, "managed-by") == "sail-operator" or label(deployment, "maistra.io/owner")
    part = label(deployment, "app.kubernetes.io/managed-by") in ("sail-operator", "maistra-istio-operator")
    return not (ours or part or namespace(deployment) == PLATFORM_NAMESPACE or _owned(deployment))


def _owned(deployment: Object) -> bool:
    owners = {text(each, "kind") for each in items(deployment, "metadata", "ownerReferences")}
    return bool(owners & {"IstioRevision", "Istio", "ServiceMeshControlPlane", "GatewayClass"})


def upstream(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return [each for each in control_planes(facts) if is_upstream(each)]


def installations(facts: Facts) -> list[Installation]:
    """Of Istio itself. Raises NotRead."""
    return [installation(each) for each in upstream(facts)]


def custom_resources(facts: Facts) -> list[Object]:
    """Istio objects of the Sail operator. Raises NotRead."""
    return list(facts.all(ISTIO))
