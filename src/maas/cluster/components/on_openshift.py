"""The components on OpenShift, by OLM: which of them, in which order, on what the platform brings itself.

From 4.19 on, a GatewayClass is all that the gateway takes; before, Gateway API's CRDs and Service Mesh 3.
"""

from collections.abc import Iterator
from dataclasses import replace

from maas.cluster.components import (
    cert_manager,
    gateway_api,
    gpu_operator_install,
    kuadrant,
    nfd,
    olm,
    olm_install,
    rhoai_install,
    serverless,
    service_mesh,
)
from maas.cluster.components.charts import runs
from maas.cluster.kinds import CERTIFICATE, GATEWAY_CLASS, KUADRANT
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Restart, Step, Wait
from maas.cluster.wanted import Mesh, Serving, Site, Wanted

_MESH = ("gateway-api", "gateway-class", "istio", "service-mesh-2")  # keys of what makes a gateway possible
_SEEN_AT_START = (*_MESH, "cert-manager")
_BUILT_IN = 1200.0  # seconds: the ingress operator installs an Istio first


def steps(wanted: Wanted) -> list[Step]:
    return list(_steps(wanted))


def _steps(wanted: Wanted) -> Iterator[Step]:
    site = wanted.site
    yield from _mesh(wanted)
    yield _cert_manager(site)
    yield from _kuadrant(site)
    if site.serving is not Serving.kserve:
        yield from serverless.steps(site)
        yield from rhoai_install.steps(site)
    if wanted.gpu_operator:
        yield from nfd.steps(site)
        yield from gpu_operator_install.steps(site)


def _mesh(wanted: Wanted) -> Iterator[Step]:
    site = wanted.site
    if site.mesh is Mesh.built_in:
        yield _gateway_class(site)
        return
    yield from gateway_api.steps(site)
    if site.mesh is Mesh.service_mesh:
        yield from service_mesh.steps(site)
    elif site.mesh is Mesh.service_mesh_2:
        yield from service_mesh.steps_2(site, wanted.namespace)


def _gateway_class(site: Site) -> Step:
    named = site.gateway_class
    return Step(
        "gateway-class",
        f"GatewayClass {named}",
        "with it, OpenShift's ingress operator brings up the Istio that carries gateways",
        actions=(
            olm_install.operand(
                "gateway.networking.k8s.io/v1", "GatewayClass", named, {"controllerName": site.gateway_controller}
            ),
        ),
        waits=(Wait(GATEWAY_CLASS, named, "", conditions.accepted, f"GatewayClass {named} is Accepted", _BUILT_IN),),
        undo=f"oc delete gatewayclass {named}",
    )


def _cert_manager(site: Site) -> Step:
    operator = olm_install.Operator(
        olm.CERT_MANAGER,
        "cert-manager",
        "it issues the certificates of the gateway",
        owns=(CERTIFICATE,),
    )
    where = cert_manager.NAMESPACE
    return olm_install.step(site, operator, *(runs(role, where) for role in cert_manager.ROLES), cert_manager.issues())


def _kuadrant(site: Site) -> Iterator[Step]:
    operator = olm_install.Operator(
        olm.RHCL,
        "kuadrant-operator",
        "it asks for API keys at the gateway and counts requests and tokens",
        needs=_SEEN_AT_START,
        # A sidecar there would keep its pods from starting; nothing in this namespace is in the mesh.
        labels={"istio-injection": "disabled"},
        environment=_controllers(site) | kuadrant.FAIL_CLOSED,
        owns=(KUADRANT,),
        deployments=(kuadrant.OPERATOR, *kuadrant.PARTS),
        affects="policies are not updated while its operator restarts; what is enforced stays enforced",
    )
    yield olm_install.step(site, operator)
    made = kuadrant.instance(needs=("kuadrant-operator", *_SEEN_AT_START))
    actions = (replace(each, after=_SEEN_AT_START) if isinstance(each, Restart) else each for each in made.actions)
    yield replace(made, actions=tuple(actions))


def _controllers(site: Site) -> dict[str, str]:
    """Whose gateways it takes for Istio's: it knows only the upstream name by itself."""
    if site.gateway_controller == gateway_api.ISTIO_CONTROLLER:
        return {}
    return {kuadrant.CONTROLLERS_VARIABLE: f"{gateway_api.ISTIO_CONTROLLER},{site.gateway_controller}"}
