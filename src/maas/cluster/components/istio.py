"""Istio's own control plane, installed by Helm or istioctl: every istiod that no operator looks after."""

from maas.cluster.components.charts import fitting, its_namespace, runs
from maas.cluster.components.state import Installation, installation
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import DEPLOYMENT, GATEWAY_CLASS, ISTIO
from maas.cluster.objects import Object, items, label, name, namespace, text
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Chart, Step, Wait
from maas.cluster.wanted import Site

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


NAMESPACE = "istio-system"
_REPOSITORY = "https://istio-release.storage.googleapis.com/charts"
# istiod asks for 2 GiB by default, which small clusters do not have; it may use more than it asks for, and scales.
_ISTIOD = {"pilot": {"resources": {"requests": {"cpu": "250m", "memory": "512Mi"}}}}


def steps(site: Site) -> list[Step]:
    """Its gateway chart is not needed: istiod makes a Deployment and a Service of each Gateway."""
    number = fitting("istio", site)
    base = Chart("istio-base", NAMESPACE, "base", number, _REPOSITORY, {"defaultRevision": "default"})
    istiod = Chart("istiod", NAMESPACE, "istiod", number, _REPOSITORY, _ISTIOD)
    accepted = f"GatewayClass {site.gateway_class} is Accepted"
    return [
        Step(
            "istio",
            f"Istio {number}",
            "its Envoy is the gateway",
            actions=(its_namespace(NAMESPACE), base, istiod),
            waits=(
                runs("istiod", NAMESPACE),
                Wait(GATEWAY_CLASS, site.gateway_class, "", conditions.accepted, accepted, 120.0),
            ),
            needs=("gateway-api",),
            undo=f"helm uninstall istiod istio-base -n {NAMESPACE}",
            affects="the gateway's pods are replaced one after another; open streams are drained first",
        )
    ]
