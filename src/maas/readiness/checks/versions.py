"""Which of the pinned versions this cluster carries: the floors of today's components, not those once asked for."""

from collections.abc import Iterator

from maas.cluster.components import gateway_api, rhoai, serverless, service_mesh
from maas.cluster.components.pins import Pin, asked_floor, pins
from maas.cluster.components.versions import Version, kubernetes, openshift, version, written
from maas.cluster.facts.model import Facts
from maas.readiness.catalogue import Asked, Target, check
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, passed, skipped, unknown, warning


@check(
    "MAAS-290",
    "Kubernetes carries the pinned versions",
    Category.platform,
    severity=Severity.warning,
    wanted="for each component, a Kubernetes version that its makers name",
    looks="the version of the API server, and `maas version --components`.",
    why=f"Kubernetes {asked_floor('kubernetes')} was asked for; today's components need newer ones, each its own.",
    mend="Pin the older version that the finding names, or upgrade Kubernetes.",
    covers=("Kubernetes (Alternative)",),
)
def on_kubernetes(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = kubernetes(facts)
    wanted = [pin for pin in pins().values() if pin.version and str(pin.kubernetes)]
    if asked.target is Target.openshift:
        wanted = [pin for pin in wanted if pin.key == "gateway-api" and not gateway_api.built_in(facts)]
    if not wanted:
        yield skipped("on OpenShift, operators come in the version that OperatorHub has for it (MAAS-291)")
    elif found is None:
        yield unknown("the API server does not say its version")
    else:
        yield from (_carried(pin, found) for pin in wanted)


def _carried(pin: Pin, found: Version) -> Outcome:
    about, seen = pin.title, Seen("API server", "gitVersion", written(found))
    now = written(found[:2])
    if pin.kubernetes.holds(found):
        return passed(f"{pin.title} {pin.version} is made for Kubernetes {pin.kubernetes}", seen, about=about)
    message = f"{pin.title} {pin.version} is made for Kubernetes {pin.kubernetes}, not for {now}"
    if pin.kubernetes.too_new(found):
        return warning(f"{message}; nobody has named a version for it yet", seen, remedy=_newer(pin), about=about)
    older = pin.fitting(found)
    if older:
        remedy = Remedy(f"`maas install` uses {pin.title} {older.version}, which is for {older.kubernetes}.")
        return warning(f"{message}; {older.version} is", seen, remedy=remedy, about=about)
    remedy = Remedy(f"Upgrade Kubernetes to {pin.kubernetes.first} or newer.")
    return warning(f"{message}; nor is any older version that MaaS knows", seen, remedy=remedy, about=about)


def _newer(pin: Pin) -> Remedy:
    return Remedy(f"Look whether a newer {pin.title} names it; older ones usually work.")


@check(
    "MAAS-291",
    "OpenShift carries what is used of it",
    Category.platform,
    severity=Severity.warning,
    wanted="OpenShift 4.19 or newer for the built-in Gateway API, 4.19.9 for OpenShift AI 3",
    looks="ClusterVersion, and `maas version --components`.",
    why=f"OpenShift {asked_floor('openshift')} was asked for. From 4.19 on, no Service Mesh is needed for the gateway.",
    mend="Upgrade OpenShift, or stay with what is for your version, as the finding says.",
    covers=("OpenShift (Recommended)",),
)
def on_openshift(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = openshift(facts)
    if asked.target is not Target.openshift:
        yield skipped("the target is not OpenShift")
    elif found is None:
        yield unknown("ClusterVersion does not say its version")
    else:
        used = _used(facts)
        wanted = [pin for pin in pins().values() if str(pin.openshift) and (not pin.optional or pin.key in used)]
        yield from (_on(pin, found, _instead(facts, pin)) for pin in wanted)


def _used(facts: Facts) -> frozenset[str]:
    """Of what is only wanted where it is there, or where what is there needs it."""
    found = {"service-mesh-2"} if service_mesh.has_2(facts) else set()
    return frozenset(found | ({"serverless"} if serverless.needed(facts) else set()))


def _to_compare(found: Version, floor: str) -> str:
    """With its patch release where that is what is missing."""
    same_minor = version(floor) is not None and (version(floor) or ())[:2] == found[:2]
    return written(found if same_minor else found[:2])


def _instead(facts: Facts, pin: Pin) -> str:
    """What does the same on older ones, if it is there already."""
    if pin.key == "gateway-api-built-in" and (service_mesh.has_2(facts) or service_mesh.has_3(facts)):
        return "Service Mesh is installed"
    if pin.key == "rhoai" and rhoai.operators(facts) and not rhoai.is_3(facts):
        return "OpenShift AI 2 is installed"
    return ""


def _on(pin: Pin, found: Version, instead: str) -> Outcome:
    about, wanted = pin.title, pin.openshift
    seen = Seen("ClusterVersion version", "status.history[0].version", written(found))
    if wanted.holds(found):
        return passed(f"{pin.title} is for OpenShift {wanted}", seen, about=about)
    message = f"{pin.title} is for OpenShift {wanted}, not for {_to_compare(found, wanted.first)}"
    if instead:
        return passed(f"{message}; {instead}", seen, about=about)
    note = f"; {pin.note}" if pin.note else ""
    return warning(f"{message}{note}", seen, remedy=_remedy(pin, found), about=about)


def _remedy(pin: Pin, found: Version) -> Remedy:
    if pin.openshift.too_new(found):
        return Remedy(f"Look whether a newer {pin.title} names it, or go without.")
    until = "; until then, `maas install` takes what is for yours" if pin.note else ""
    return Remedy(f"Upgrade OpenShift to {pin.openshift.first} or newer{until}.")
