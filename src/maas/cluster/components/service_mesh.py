"""OpenShift Service Mesh: 2 (maistra, at its end) and 3 (the Sail operator), and which mesh carries the gateway.

On OpenShift 4.19 and newer the platform has an Istio of its own for Gateway API, and no Service Mesh is needed.
"""

from enum import StrEnum

from maas.cluster.components import gateway_api, istio, olm, olm_install
from maas.cluster.components.charts import its_namespace
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import GATEWAY_CLASS, ISTIO, ISTIO_CNI, SERVICE_MESH_MEMBER, SMCP, SMMR
from maas.cluster.objects import Object, condition, every, is_true, mapping, name, namespace, place, text
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Step, Wait
from maas.cluster.wanted import Site
from maas.domain.errors import Unavailable


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


def control_plane_2(facts: Facts) -> str:
    """The one that carries the gateway, "namespace/name": one that is ready, if any is. Raises NotRead."""
    there = sorted(facts.all(SMCP), key=lambda each: (not is_true(each, "Ready"), place(each)))
    return place(there[0]) if there else ""


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


_NAME, _API = "default", "sailoperator.io/v1"
_NAMESPACE, _CNI_NAMESPACE = "istio-system", "istio-cni"


def steps(site: Site) -> list[Step]:
    """Service Mesh 3, and the one control plane that carries the gateway."""
    operator = olm_install.Operator(
        olm.SERVICE_MESH_3,
        "service-mesh",
        "its Istio carries the gateway: this OpenShift brings none of its own",
        owns=(ISTIO, ISTIO_CNI),
    )
    return [olm_install.step(site, operator), _control_plane(site)]


def _control_plane(site: Site) -> Step:
    """Without a version: the operator's newest, which its CRD has as the default."""
    names = ((ISTIO, _NAMESPACE), (ISTIO_CNI, _CNI_NAMESPACE))
    return Step(
        "istio",
        "Istio, by Service Mesh 3",
        "its control plane turns gateways and routes into Envoy's configuration",
        actions=(
            *(its_namespace(where) for _, where in names),
            *(olm_install.operand(_API, kind.name, _NAME, {"namespace": where}) for kind, where in names),
        ),
        waits=(
            *(Wait(kind, _NAME, "", conditions.ready, f"{kind.name} {_NAME} is Ready", 600.0) for kind, _ in names),
            Wait(
                GATEWAY_CLASS,
                site.gateway_class,
                "",
                conditions.accepted,
                f"GatewayClass {site.gateway_class} is Accepted",
            ),
        ),
        needs=("gateway-api", "service-mesh"),
        undo=f"oc delete istio/{_NAME} istiocni/{_NAME}",
        affects="gateways keep serving while their control plane restarts",
    )


def steps_2(site: Site, in_namespace: str) -> list[Step]:
    """What a control plane of Service Mesh 2 that is there lacks for Gateway API. Raises Unavailable without one.

    A ServiceMeshMember makes our namespace a member: the roll itself is OpenShift AI's, or its owner's.
    """
    where, _, named = site.control_plane.partition("/")
    if not named:
        raise Unavailable(
            "Service Mesh 2 is installed and has no ServiceMeshControlPlane: delete its Subscription and CSV, and "
            "Service Mesh 3 is installed instead"
        )
    return [_for_gateways(site, where, named), _member(where, named, in_namespace)]


def _for_gateways(site: Site, where: str, named: str) -> Step:
    enabled = {"techPreview": {"gatewayAPI": {"enabled": True}}}
    classed = {"controllerName": site.gateway_controller}
    return Step(
        "service-mesh-2",
        "Service Mesh 2, for Gateway API",
        "its Istio carries the gateway; by itself it takes no notice of Gateway API",
        actions=(
            olm_install.operand("maistra.io/v2", SMCP.name, named, enabled, where, adopt=True),
            olm_install.operand("gateway.networking.k8s.io/v1", GATEWAY_CLASS.name, site.gateway_class, classed),
        ),
        waits=(
            Wait(
                SMCP,
                named,
                where,
                conditions.observed(conditions.ready),
                f"ServiceMeshControlPlane {where}/{named} is Ready",
                600.0,
            ),
        ),
        needs=("gateway-api",),
        undo=f"oc patch smcp/{named} -n {where} --type=json "
        '-p \'[{"op": "remove", "path": "/spec/techPreview/gatewayAPI"}]\'',
        affects="gateways keep serving while their control plane restarts",
    )


def _member(where: str, named: str, in_namespace: str) -> Step:
    reference = {"controlPlaneRef": {"name": named, "namespace": where}}
    member = olm_install.operand("maistra.io/v1", SERVICE_MESH_MEMBER.name, MEMBER_ROLL, reference, in_namespace)
    return Step(
        "mesh-member",
        f"namespace {in_namespace} in the mesh",
        "Service Mesh 2 looks at gateways of its members only",
        actions=(member,),
        waits=(
            Wait(
                SERVICE_MESH_MEMBER,
                MEMBER_ROLL,
                in_namespace,
                conditions.ready,
                f"ServiceMeshMember {in_namespace}/{MEMBER_ROLL} is Ready",
            ),
        ),
        needs=("namespaces", "service-mesh-2"),
        undo=f"oc delete servicemeshmember {MEMBER_ROLL} -n {in_namespace}",
    )
