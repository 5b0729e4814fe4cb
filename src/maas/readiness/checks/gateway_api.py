"""Gateway API: its CRDs, whose they are, and whether somebody implements it."""

from collections.abc import Iterator

from maas.cluster.changes import Change, Verb
from maas.cluster.components import gateway_api, service_mesh
from maas.cluster.components.pins import pins
from maas.cluster.components.state import By
from maas.cluster.components.versions import version, written
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import GATEWAY_CLASS
from maas.cluster.objects import Object, condition, is_true, name, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, Phase, Target, check
from maas.readiness.conditions import status, why
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, warning
from maas.readiness.installing import absent

STEP = "gateway-api"
_LOOK_AT_INGRESS = ("oc describe clusteroperator ingress",)


@check(
    "MAAS-210",
    "Gateway API's kinds are served",
    Category.gateway_api,
    wanted="GatewayClass, Gateway and HTTPRoute, as v1",
    looks="which versions of these kinds the API server serves.",
    why="The gateway, its routes and all policies stand on them. OpenShift 4.19 and newer brings them, and forbids "
    "everybody else to.",
    mend="`maas install` applies the CRDs. On OpenShift 4.19 and newer, mend the ingress operator.",
    covers=("5. Gateway API",),
)
def served(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    gone = gateway_api.missing(facts)
    seen = [Seen(f"API {kind}", "versions", "v1 is not served") for kind in gone]
    if not gone:
        yield passed("GatewayClass, Gateway and HTTPRoute are served as v1")
    elif gateway_api.built_in(facts):
        advice = "The ingress operator brings them: see what it says. Nobody else may install them."
        yield failed(f"OpenShift ought to serve {names(gone)}", *seen, remedy=Remedy(advice, _LOOK_AT_INGRESS))
    elif len(gone) < len(gateway_api.KINDS):
        yield absent(asked, f"Gateway API is there in part: {names(gone)} not served as v1", *seen, step=STEP)
    else:
        yield absent(asked, "Gateway API is not installed", *seen, step=STEP)


@check(
    "MAAS-211",
    "Gateway API is new enough, and of one piece",
    Category.gateway_api,
    wanted="bundle version 1.1 or newer, the same for all its CRDs",
    looks="the annotations bundle-version and channel of its CRDs.",
    why="Version 1.0 was asked for; routes to Services without an address of their own are certain from 1.1 on.",
    mend="`maas install` upgrades CRDs that were applied by hand; others are upgraded by who installed them.",
    covers=("5. Gateway API",),
    after=("MAAS-210",),
)
def bundle(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = [crd for crd in gateway_api.crds(facts).values() if crd]
    if not there:
        yield skipped("Gateway API is not installed")
        return
    yield _bundle(there)


def _bundle(crds: list[Object]) -> Outcome:
    pin = pins()["gateway-api"]
    seen = [Seen(f"CRD {name(crd)}", gateway_api.BUNDLE_VERSION, gateway_api.bundle_version(crd)) for crd in crds]
    numbers = {crd: version(gateway_api.bundle_version(each)) for crd, each in enumerate(crds)}
    found = sorted({each for each in numbers.values() if each})
    if not found:
        return warning("the CRDs do not say of which version they are", *seen, remedy=None)
    if pin.is_old(found[0]):
        remedy = Remedy(f"Upgrade them to {pin.version}: step {STEP} of `maas install`.", step=STEP)
        return failed(f"Gateway API {written(found[0])} is too old", *seen, remedy=remedy)
    if len(found) > 1:
        remedy = Remedy(f"Apply all CRDs of one version: step {STEP} of `maas install`.", step=STEP)
        return warning(f"its CRDs are of {len(found)} versions: {names(map(written, found))}", *seen, remedy=remedy)
    channels = {gateway_api.channel(crd) for crd in crds} - {""}
    return passed(f"Gateway API {written(found[0])}, channel {names(sorted(channels)) or 'unknown'}", *seen)


@check(
    "MAAS-212",
    "who may change Gateway API is clear",
    Category.gateway_api,
    wanted="on OpenShift 4.19 and newer, the ingress operator; elsewhere whoever installed it",
    looks="labels of the CRDs, and the admission policies that protect them.",
    why="Since 4.19 a policy of OpenShift denies all changes; since 1.5, Gateway API's own denies downgrades.",
    mend="Leave CRDs of the platform alone. Delete the policy safe-upgrades only for a downgrade that you mean.",
    covers=("5. Gateway API",),
)
def owner(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = [crd for crd in gateway_api.crds(facts).values() if crd]
    if not there:
        yield skipped("Gateway API is not installed")
    elif gateway_api.built_in(facts):
        yield _of_platform(facts)
    else:
        yield _of_others(facts, there)


def _of_platform(facts: Facts) -> Outcome:
    seen = Seen(f"ValidatingAdmissionPolicy {gateway_api.CRD_POLICY}")
    if gateway_api.policy(facts, gateway_api.CRD_POLICY):
        return passed("they belong to OpenShift's ingress operator, and `maas install` leaves them alone", seen)
    remedy = Remedy("See whether the ingress operator is well.", _LOOK_AT_INGRESS)
    return warning("the policy with which OpenShift protects Gateway API is not there", seen, remedy=remedy)


def _of_others(facts: Facts, crds: list[Object]) -> Outcome:
    makers = {gateway_api.owner(facts, crd) for crd in crds}
    seen = [Seen(f"CRD {name(crd)}", "installed by", gateway_api.owner(facts, crd)) for crd in crds]
    if len(makers) > 1:
        return warning(
            f"its CRDs have several owners: {names(sorted(makers))}",
            *seen,
            remedy=Remedy("Let one tool install all of them, or the next upgrade of one will undo the other's."),
        )
    protected = gateway_api.policy(facts, gateway_api.UPGRADE_POLICY)
    note = "; downgrades are denied" if protected else ""
    theirs = "" if makers <= {By.manifests} else ", and `maas install` leaves them alone"
    return passed(f"installed by {names(sorted(makers))}{theirs}{note}", *seen)


_INGRESS_ADVICE = {
    "GatewayAPICRDsDegraded": "Delete the CRDs that the message names, or bring them to OpenShift's own version.",
    "GatewayAPIInstallConflict": "Remove the Service Mesh that somebody installed, or upgrade OpenShift (MAAS-235).",
    "GatewayAPIOSSMConflict": "Remove the Service Mesh that somebody installed, or upgrade OpenShift (MAAS-235).",
    "GatewayAPIInstallWarnings": "Read the message: the built-in gateway was installed, with reservations.",
}


@check(
    "MAAS-213",
    "OpenShift's ingress operator is well",
    Category.gateway_api,
    wanted="ClusterOperator ingress: Available, and not Degraded",
    looks="its conditions, and the reasons that it gives for Gateway API.",
    why="It publishes Routes, and from 4.19 on it brings Gateway API and its Istio.",
    mend="Do what the condition's message asks for.",
    after=("MAAS-235", "MAAS-409"),
)
def ingress_operator(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    operator = gateway_api.ingress_operator(facts)
    if operator is None:
        yield skipped("the cluster is not OpenShift")
        return
    degraded, available = condition(operator, "Degraded"), condition(operator, "Available")
    if text(degraded, "status") == "True":
        yield _ingress(degraded, "is degraded")
    if text(available, "status") == "False":
        yield _ingress(available, "is not available")
    if text(degraded, "status") != "True" and text(available, "status") != "False":
        yield passed("it is available and not degraded", Seen("ClusterOperator ingress"))


def _ingress(found: Object, what: str) -> Outcome:
    reasons = text(found, "reason")
    advice = next((each for reason, each in _INGRESS_ADVICE.items() if reason in reasons), "Read its message.")
    if not reasons or all(reason not in reasons for reason in _INGRESS_ADVICE):
        advice = next((each for reason, each in _INGRESS_ADVICE.items() if reason in text(found, "message")), advice)
    seen = Seen("ClusterOperator ingress", f"status.conditions[{text(found, 'type')}].reason", reasons)
    return failed(f"the ingress operator {what}: {why(found)}", seen, remedy=Remedy(advice, _LOOK_AT_INGRESS))


@check(
    "MAAS-214",
    "a GatewayClass is accepted",
    Category.gateway_api,
    wanted="one of Istio's controller, or from OpenShift 4.19 on of OpenShift's, with condition Accepted",
    looks="GatewayClasses, their controllers and conditions.",
    why="A Gateway whose class no controller has accepted never gets a proxy.",
    mend="`maas install` brings the class. If it waits for its controller, mend Istio, or the ingress operator.",
    covers=("Validate Gateway API",),
    after=("MAAS-210", "MAAS-213", "MAAS-231", "MAAS-234", "MAAS-235", "MAAS-409"),
)
def gateway_class(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    controller = gateway_api.wanted_controller(facts)
    there = gateway_api.classes(facts, controller)
    accepted = [each for each in there if is_true(each, "Accepted")]
    if accepted:
        yield passed(
            f"GatewayClass {names(map(name, accepted))} is accepted", Seen(f"GatewayClass {name(accepted[0])}")
        )
        yield from (_not_accepted(each, blocking=False) for each in there if each not in accepted)
    elif there:
        yield from (_not_accepted(each, blocking=True) for each in there)
    else:
        yield _no_class(facts, asked, controller)


def _not_accepted(gateway_class: Object, *, blocking: bool) -> Outcome:
    about, found = f"GatewayClass {name(gateway_class)}", _telling(gateway_class)
    seen = Seen(about, f"status.conditions[{text(found, 'type') or 'Accepted'}]", status(found))
    advice = "See whether its controller runs: istiod (MAAS-231), or OpenShift's ingress operator (MAAS-213)."
    remedy = Remedy(advice, (f"kubectl describe gatewayclass {word(name(gateway_class))}",))
    message = f"not accepted: {why(found)}"
    return (failed if blocking else warning)(message, seen, remedy=remedy, about=about)


def _telling(gateway_class: Object) -> Object:
    """OpenShift says more in conditions of its own."""
    more = (condition(gateway_class, type) for type in ("CRDsReady", "ControllerInstalled"))
    return next((each for each in more if text(each, "status") == "False"), condition(gateway_class, "Accepted"))


def _no_class(facts: Facts, asked: Asked, controller: str) -> Outcome:
    others = [f"{name(each)} ({text(each, 'spec', 'controllerName')})" for each in facts.all(GATEWAY_CLASS)]
    message = f"no GatewayClass of {controller}" + (f"; there are {names(others)}" if others else "")
    seen = [Seen(f"GatewayClass {each}") for each in others[:5]]
    if not gateway_api.built_in(facts) or asked.phase is Phase.before:
        return absent(asked, message, *seen, step=_maker(facts, asked))
    return failed(
        message, *seen, remedy=Remedy("Create it: the ingress operator then installs Istio.", changes=(_CLASS,))
    )


def _maker(facts: Facts, asked: Asked) -> str:
    """The step that brings a GatewayClass."""
    match service_mesh.wanted(facts, openshift=asked.target is Target.openshift):
        case service_mesh.Mesh.built_in:
            return "gateway-class"
        case service_mesh.Mesh.service_mesh_2:
            return "service-mesh-2"
    return "istio"


_CLASS = Change(
    Verb.apply,
    GATEWAY_CLASS,
    "openshift-default",
    body={
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": {"name": "openshift-default"},
        "spec": {"controllerName": gateway_api.OPENSHIFT_CONTROLLER},
    },
)
