"""OpenShift Service Mesh: 2 (maistra, at its end) and 3 (the Sail operator), and which mesh carries the gateway.

On OpenShift 4.19 and newer the platform has an Istio of its own for Gateway API, and no Service Mesh is needed.
"""

from enum import StrEnum

from maas.cluster.components import gateway_api, istio, olm
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import ISTIO, ISTIO_CNI, SMCP, SMMR
from maas.cluster.objects import Object, condition, every, mapping, name, namespace, text


class Mesh(StrEnum):
    """Whose Istio serves the gateway of the models."""

    upstream = "Istio"  # by Helm, on Kubernetes
    built_in = "OpenShift's built-in gateway"  # 4.19 and newer
    service_mesh_3 = "OpenShift Service Mesh 3"  # before 4.19
    service_mesh_2 = "OpenShift Service Mesh 2"  # before 4.19, and only where it is there already


MEMBER_ROLL = "default"  # the only name that Service Mesh 2 takes notice of


def wanted(facts: Facts, *, openshift: bool) -> Mesh:
    """Raises NotRead."""
    if gateway_api.built_in(facts):
        return Mesh.built_in
    if not openshift or (istio.upstream(facts) and not has_2(facts) and not has_3(facts)):
        return Mesh.upstream
    return Mesh.service_mesh_2 if has_2(facts) and not has_3(facts) else Mesh.service_mesh_3


def operators_2(facts: Facts) -> list[olm.Operator]:
    """Raises NotRead."""
    return olm.operators(facts, olm.SERVICE_MESH_2)


def operators_3(facts: Facts) -> list[olm.Operator]:
    """Raises NotRead."""
    return olm.operators(facts, olm.SERVICE_MESH_3, olm.SAIL)


def has_2(facts: Facts) -> bool:
    """Raises NotRead."""
    return bool(operators_2(facts) or facts.all(SMCP))


def has_3(facts: Facts) -> bool:
    """What somebody installed: not the one that the ingress operator of OpenShift 4.19 to 4.21 brings for itself.
    Raises NotRead."""
    return bool([each for each in operators_3(facts) if not of_platform(each)] or user_istios(facts))


PLATFORM_ISTIO = "openshift-gateway"  # the ingress operator's own
_PLATFORM_MARK = "ingress.operator.openshift.io/owned"  # on the Subscription that the ingress operator made


def of_platform(operator: olm.Operator) -> bool:
    return _PLATFORM_MARK in mapping(operator.subscription, "metadata", "annotations")


def user_istios(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return [each for each in facts.all(ISTIO) if name(each) != PLATFORM_ISTIO]


def control_planes_2(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return list(facts.all(SMCP))


def member_rolls(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return list(facts.all(SMMR))


def roll_of(facts: Facts, control_plane: Object) -> Object | None:
    """Raises NotRead."""
    return next((each for each in every(facts.all(SMMR), namespace(control_plane)) if name(each) == MEMBER_ROLL), None)


def cnis(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return list(facts.all(ISTIO_CNI))


def state(istio: Object) -> str:
    """Healthy, or what is wrong: the reason of a False condition counts more than the word."""
    return text(istio, "status", "state") or text(condition(istio, "Ready"), "reason")
