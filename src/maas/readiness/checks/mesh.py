"""The mesh whose Istio serves the gateway: upstream's, Service Mesh 2 or 3, or OpenShift's own; and only one."""

from collections.abc import Iterator, Sequence

from maas.cluster.components import gateway_api, istio, serverless, service_mesh
from maas.cluster.components.olm import Operator
from maas.cluster.components.pins import Pin, pins
from maas.cluster.components.service_mesh import Mesh
from maas.cluster.components.state import Installation
from maas.cluster.components.versions import version
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, condition, items, name, namespace, place, text, texts
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, Target, check
from maas.readiness.conditions import status, why
from maas.readiness.evidence import names, some
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, warning
from maas.readiness.installing import OLM_CODES, absent, described, operator, softened, told, workload

_STEPS = {Mesh.upstream: "istio", Mesh.service_mesh_3: "service-mesh", Mesh.service_mesh_2: "service-mesh"}


def _wanted(facts: Facts, asked: Asked) -> Mesh:
    return service_mesh.wanted(facts, openshift=asked.target is Target.openshift)


@check(
    "MAAS-230",
    "the mesh for the gateway is installed",
    Category.mesh,
    wanted="Istio on Kubernetes, Service Mesh on OpenShift before 4.19, and nothing from 4.19 on",
    looks="istiod, and OLM's operators servicemeshoperator and servicemeshoperator3.",
    why="Istio's Envoy carries the requests. OpenShift 4.19 and newer has an Istio for Gateway API, with which "
    "Service Mesh 2 conflicts: what the prerequisites ask for there is no longer right.",
    mend="`maas install` brings what is needed.",
    covers=(
        "1. OpenShift Service Mesh (OpenShift Only)",
        "Service Mesh operator installed (OpenShift)",
        "Kubernetes (Alternative)",
    ),
    after=OLM_CODES,
)
def installed(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    match _wanted(facts, asked):
        case Mesh.built_in:
            yield passed("OpenShift 4.19 and newer has its own for Gateway API: no Service Mesh operator is needed")
        case Mesh.upstream:
            yield from _upstream(facts, asked)
        case Mesh.service_mesh_2:
            yield from (operator(each, asked) for each in service_mesh.operators_2(facts))
            message = "Service Mesh 2 is at the end of its life; version 3 serves Gateway API without it"
            yield warning(message, remedy=Remedy("Plan to move to Service Mesh 3, or to OpenShift 4.19."))
        case Mesh.service_mesh_3:
            yield from _service_mesh_3(facts, asked)


def _upstream(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = istio.installations(facts)
    if there:
        yield passed(f"Istio {described(there[0])} in {there[0].namespace}", told(there[0]))
    elif istio.custom_resources(facts):
        yield passed("the Sail operator installs Istio", Seen(f"Istio {name(istio.custom_resources(facts)[0])}"))
    else:
        yield absent(asked, "Istio is not installed", step="istio")


def _service_mesh_3(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = service_mesh.operators_3(facts)
    yield from (operator(each, asked) for each in there)
    if not there:
        yield absent(asked, "the Service Mesh operator is not installed", step="service-mesh")
    elif not service_mesh.user_istios(facts):
        yield absent(asked, "the operator is there, but no Istio object that asks for a mesh", step="istio")


@check(
    "MAAS-231",
    "istiod is available",
    Category.mesh,
    wanted="every istiod Deployment Available",
    looks="Deployments of istiod, whoever installed them.",
    why="Without its control plane, a gateway keeps what it has, and takes up no change.",
    mend="Look at its pods: on small nodes its request of 2 GiB is often what does not fit.",
    covers=("Service Mesh",),
    after=("MAAS-204",),
)
def control_planes(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = istio.control_planes(facts)
    if not there:
        yield skipped("there is no istiod yet")
    built_in = _wanted(facts, asked) is Mesh.built_in
    for each in there:
        foreign = built_in and namespace(each) != istio.PLATFORM_NAMESPACE
        yield from softened([workload(each, f"{name(each)} in {namespace(each)}")], when=foreign)


@check(
    "MAAS-232",
    "the ServiceMeshControlPlane is ready",
    Category.mesh,
    wanted="condition Ready, reason ComponentsReady",
    looks="ServiceMeshControlPlanes of Service Mesh 2.",
    why="Only OpenShift AI 2.x in Serverless mode needs it; where it is there, it has to work.",
    mend="Do what the condition's message asks for.",
    covers=("Check Service Mesh", "1. OpenShift Service Mesh (OpenShift Only)"),
    after=("MAAS-204", "MAAS-235"),
)
def control_planes_2(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = service_mesh.control_planes_2(facts)
    if not there:
        yield skipped(_no_mesh_2(facts))
    found = (_condition_ready(each, "ServiceMeshControlPlane", _components(each)) for each in there)
    yield from softened(found, when=not _needs_2(facts, asked))


def _components(control_plane: Object) -> str:
    """ "6/6"."""
    return text(control_plane, "status", "annotations", "readyComponentCount")


def _needs_2(facts: Facts, asked: Asked) -> bool:
    return _wanted(facts, asked) is Mesh.service_mesh_2 or serverless.needed(facts)


def _no_mesh_2(facts: Facts) -> str:
    if gateway_api.built_in(facts):
        return "Service Mesh 2 is neither there nor wanted: OpenShift 4.19 and newer has its own Istio for Gateway API"
    return "Service Mesh 2 is not there, and not needed: only OpenShift AI 2.x in Serverless mode asks for it"


def _condition_ready(object: Object, kind: str, extra: str = "") -> Outcome:
    about, found = f"{kind} {place(object)}", condition(object, "Ready")
    seen = Seen(
        about, "status.conditions[Ready]", " ".join(filter(None, (status(found), text(found, "reason"), extra)))
    )
    if text(found, "status") == "True":
        return passed(f"{name(object)} is ready: {text(found, 'reason') or 'Ready'}", seen, about=about)
    where = f" -n {word(namespace(object))}" if namespace(object) else ""
    remedy = Remedy("Do what the message asks for.", (f"oc describe {kind.lower()} {word(name(object))}{where}",))
    return failed(f"not ready: {why(found)}", seen, remedy=remedy, about=about)


@check(
    "MAAS-233",
    "the ServiceMeshMemberRoll is configured",
    Category.mesh,
    wanted="named default, condition Ready with reason Configured, no pending members",
    looks="ServiceMeshMemberRolls of Service Mesh 2.",
    why="A namespace is in the mesh once the roll says that it is configured.",
    mend="Name it default, in the control plane's namespace; remove members that do not exist.",
    covers=("Check Service Mesh", "1. OpenShift Service Mesh (OpenShift Only)"),
    after=("MAAS-232",),
)
def member_rolls(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = service_mesh.member_rolls(facts)
    if not there:
        yield skipped(
            _no_mesh_2(facts) if not service_mesh.has_2(facts) else "no namespace is a member of Service Mesh 2"
        )
    yield from softened((_roll(each) for each in there), when=not _needs_2(facts, asked))


def _roll(roll: Object) -> Outcome:
    about = f"ServiceMeshMemberRoll {place(roll)}"
    if name(roll) != service_mesh.MEMBER_ROLL:
        remedy = Remedy("Create one named default with the same members, and delete this one.")
        return failed(
            "Service Mesh 2 ignores a roll that is not named default", Seen(about), remedy=remedy, about=about
        )
    pending = texts(roll, "status", "pendingMembers")
    if pending:
        seen = Seen(about, "status.pendingMembers", names(pending))
        remedy = Remedy("Create these namespaces, or remove them from the roll.")
        return warning(f"members are pending: {names(pending)}", seen, remedy=remedy, about=about)
    return _condition_ready(roll, "ServiceMeshMemberRoll")


@check(
    "MAAS-234",
    "the Istio object is healthy",
    Category.mesh,
    wanted="Istio and IstioCNI: Ready; state Healthy",
    looks="Istio and IstioCNI objects of the Sail operator, which is Service Mesh 3.",
    why="They say whether the operator could bring the control plane up. On OpenShift, Istio needs its CNI plug-in.",
    mend="Do what the condition's message asks for; create an IstioCNI if there is none.",
    covers=("Check Service Mesh",),
    after=("MAAS-204", "MAAS-231", "MAAS-235"),
)
def istio_objects(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = istio.custom_resources(facts)
    if not there:
        yield skipped("there is no Istio object: nobody asked the Sail operator for a mesh")
        return
    mine, cnis = service_mesh.user_istios(facts), service_mesh.cnis(facts)
    yield from (_istio(each, "Istio") for each in there if each not in mine)
    users = [*(_istio(each, "Istio") for each in mine), *(_istio(each, "IstioCNI") for each in cnis)]
    foreign = _wanted(facts, asked) is Mesh.built_in
    if mine and asked.target is Target.openshift and not cnis and not foreign:
        users.append(_no_cni(asked))
    yield from softened(users, when=foreign)


def _istio(object: Object, kind: str) -> Outcome:
    about, ready, state = f"{kind} {name(object)}", condition(object, "Ready"), service_mesh.state(object)
    false = [each for each in items(object, "status", "conditions") if each.get("status") == "False"]
    seen = Seen(about, "status.state", state or "absent")
    if text(ready, "status") == "True" and state in ("Healthy", ""):
        return passed(
            f"{name(object)} is healthy, {text(object, 'spec', 'version') or 'default version'}", seen, about=about
        )
    bad = false[0] if false else ready
    remedy = Remedy("Do what the message asks for.", (f"oc describe {kind.lower()} {word(name(object))}",))
    return failed(f"{state or 'not ready'}: {why(bad)}", seen, remedy=remedy, about=about)


def _no_cni(asked: Asked) -> Outcome:
    return absent(asked, "there is no IstioCNI, which OpenShift needs for sidecars", step="istio")


@check(
    "MAAS-235",
    "no two meshes in each other's way",
    Category.mesh,
    wanted="one Istio for the gateway",
    looks="Service Mesh 2 and 3, upstream's istiod, and OpenShift's version.",
    why="They share CRDs and GatewayClasses. On OpenShift 4.19 and newer, Service Mesh 2 keeps the built-in "
    "gateway from coming up.",
    mend="Remove the one that nothing needs.",
    after=("MAAS-409",),
)
def conflicts(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    two, three, upstream = service_mesh.has_2(facts), service_mesh.has_3(facts), istio.upstream(facts)
    built_in = gateway_api.built_in(facts)
    found = [
        _both(facts) if two and three else None,
        _two_on_new(facts) if two and built_in else None,
        _beside(facts, upstream) if upstream and (two or three or built_in) else None,
    ]
    conflicting = [each for each in found if each]
    yield from conflicting
    if not conflicting:
        yield passed("there is no more than one mesh for the gateway")


def _both(facts: Facts) -> Outcome:
    there = [*service_mesh.operators_2(facts), *service_mesh.operators_3(facts)]
    remedy = Remedy("Move to Service Mesh 3, and remove version 2: nothing but OpenShift AI 2.x Serverless needs it.")
    return failed("Service Mesh 2 and 3 are both installed", *_seen(there), remedy=remedy, about="Service Mesh 2 and 3")


def _two_on_new(facts: Facts) -> Outcome:
    message = "Service Mesh 2 is installed, and conflicts with the built-in Gateway API of OpenShift 4.19 and newer"
    commands = ("oc get smcp,smmr -A", "oc get subscriptions.operators.coreos.com -A | grep servicemeshoperator")
    remedy = Remedy("Remove it, with its CRDs (*.istio.io and *.maistra.io), once nothing uses them.", commands)
    seen = _seen(service_mesh.operators_2(facts)) or [
        Seen(f"ServiceMeshControlPlane {place(each)}") for each in service_mesh.control_planes_2(facts)[:5]
    ]
    return failed(message, *seen, remedy=remedy, about="Service Mesh 2")


def _beside(facts: Facts, upstream: Sequence[Object]) -> Outcome:
    seen = [Seen(f"Deployment {place(each)}") for each in upstream]
    other = "OpenShift's built-in Istio" if gateway_api.built_in(facts) else "OpenShift Service Mesh"
    message = f"an istiod of upstream's Istio runs beside {other}"
    remedy = Remedy(f"Remove it, or keep it away from Gateway API; {other} serves the gateway.", ("helm list -A",))
    return failed(message, *some(seen), remedy=remedy, about="upstream Istio")


def _seen(operators: Sequence[Operator]) -> list[Seen]:
    return [told(each.installation) for each in operators[:5]]


@check(
    "MAAS-236",
    "Istio is new enough",
    Category.mesh,
    wanted=f"Istio {pins()['istio'].floor} or newer; Service Mesh {pins()['service-mesh'].floor} or newer",
    looks="the images of istiod, and the versions of the operators.",
    why="Older versions lack what KServe and Kuadrant use of Gateway API.",
    mend="Upgrade it, one minor version after the other.",
    covers=("Kubernetes (Alternative)",),
)
def new_enough(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = [(pins()["istio"], each) for each in istio.installations(facts)]
    there += [(pins()["service-mesh"], each.installation) for each in service_mesh.operators_3(facts)]
    old = [(pins()["service-mesh-2"], each.installation) for each in service_mesh.operators_2(facts)]
    if not there and not old:
        yield skipped("there is none but the platform's own, if any")
    yield from (_version(pin, each) for pin, each in there)
    yield from softened((_version(pin, each) for pin, each in old), when=not _needs_2(facts, asked))


def _version(pin: Pin, installation: Installation) -> Outcome:
    found, seen = version(installation.version), told(installation)
    if found is None:
        return warning(f"nothing tells the version of {pin.title}", seen, about=pin.title)
    if pin.is_old(found):
        newest = f" to {pin.version}, or" if pin.version else ""
        remedy = Remedy(f"Upgrade it{newest} to the newest that your cluster carries (MAAS-290).")
        message = f"{pin.title} {installation.version} is older than {pin.floor}"
        return failed(message, seen, remedy=remedy, about=pin.title)
    return passed(f"{pin.title} {described(installation)}", seen, about=pin.title)
