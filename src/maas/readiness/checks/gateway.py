"""The way in: gateways and their listeners."""

from collections.abc import Iterator

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, condition, is_current, is_true, items, name, namespace, number, text
from maas.cluster.shell import word
from maas.cluster.stack import ours
from maas.readiness import conditions
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, warning


@check(
    "MAAS-300",
    "there is a gateway",
    Category.gateway,
    phases=AFTER,
    wanted="a Gateway that is the platform's",
    looks="Gateways with MaaS' labels or names; else those that Kuadrant's policies or routes to models use.",
    why="Clients reach models through the gateway alone: it is where keys and limits are looked at.",
    mend="Create the Gateway, or label the one that you have: app.kubernetes.io/part-of=maas.",
    covers=("5. Gateway API", "Ingress"),
)
def exists(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if found := ours.gateways(facts, asked.namespace):
        yield passed(f"{names(ours.shown(kinds.GATEWAY, each) for each in found)}")
        return
    others = facts.all(kinds.GATEWAY)
    about = f"; there are {len(others)} that serve something else" if others else ""
    remedy = Remedy("Install the platform's gateway, or label yours.", ("kubectl get gateways -A",), step="gateway")
    if others:
        one = others[0]
        command = f"kubectl label gateway {word(name(one))} -n {word(namespace(one))} app.kubernetes.io/part-of=maas"
        remedy = Remedy("Label the gateway that models are to be reached through.", (command,))
    yield failed(f"no Gateway is the platform's{about}", remedy=remedy)


@check(
    "MAAS-301",
    "the gateway is programmed",
    Category.gateway,
    phases=AFTER,
    wanted="conditions Accepted and Programmed are True, for the newest spec",
    looks="status.conditions of each of the platform's Gateways, and their observedGeneration.",
    why="A Gateway that is not programmed has no proxy that would take requests.",
    mend="Do what the condition's reason asks for; the message names it.",
    covers=("5. Gateway API", "Ingress"),
    after=("MAAS-300", "MAAS-409"),
)
def programmed(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    for gateway in ours.gateways(facts, asked.namespace):
        yield _programmed(gateway)
    if not ours.gateways(facts, asked.namespace):
        yield skipped("there is no gateway: MAAS-300")


def _programmed(gateway: Object) -> Outcome:
    about = ours.shown(kinds.GATEWAY, gateway)
    for type in ("Accepted", "Programmed"):
        found = condition(gateway, type)
        seen = Seen(about, f"status.conditions[{type}]", f"{conditions.status(found)} {text(found, 'reason')}".strip())
        if not found:
            return failed("no controller has looked at it", seen, remedy=_no_controller(gateway), about=about)
        if text(found, "status") == "True" and is_current(gateway, found):
            continue
        if not is_current(gateway, found):
            return warning("its status is of an older spec", seen, remedy=conditions.describe(about), about=about)
        if text(found, "reason") == "AddressNotAssigned":
            return _no_address(about, seen)
        said = f"is not {type.lower()}: {conditions.why(found)}"
        return failed(said, seen, remedy=conditions.remedy(found, about), about=about)
    addresses = [text(each, "value") for each in items(gateway, "status", "addresses")]
    return passed("is programmed" + (f", at {names(addresses)}" if addresses else ""), about=about)


def _no_address(about: str, seen: Seen) -> Outcome:
    place, _, named = about.removeprefix("Gateway ").rpartition("/")
    command = f"kubectl annotate gateway {word(named)} -n {word(place)} networking.istio.io/service-type=ClusterIP"
    remedy = Remedy(
        "Give the cluster a load balancer. Without one: let the Service be a ClusterIP, and reach it by a Route, "
        "an ingress or kubectl port-forward.",
        (command,),
    )
    said = "has no address of its own: nothing gives out LoadBalancer addresses here"
    return warning(said, seen, remedy=remedy, about=about)


def _no_controller(gateway: Object) -> Remedy:
    used = text(gateway, "spec", "gatewayClassName") or "?"
    return Remedy(
        f"Look whether the class {used} exists, and whether its controller runs.",
        (f"kubectl get gatewayclass {word(used)}",),
    )


@check(
    "MAAS-302",
    "the gateway's listeners work",
    Category.gateway,
    phases=AFTER,
    wanted="each listener is accepted, has its certificate, conflicts with none, and has a route",
    looks="status.listeners of the platform's Gateways: conditions and attachedRoutes.",
    why="A Gateway can be programmed while one of its listeners, or all routes to it, are left out.",
    mend="Do what the condition's reason asks for; attach an HTTPRoute to a listener that has none.",
    covers=("5. Gateway API", "Ports"),
    after=("MAAS-300", "MAAS-301"),
)
def listeners(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = ours.gateways(facts, asked.namespace)
    bad = [outcome for gateway in found for outcome in _listener_problems(gateway)]
    yield from bad
    count = sum(len(items(gateway, "status", "listeners")) for gateway in found)
    if not found:
        yield skipped("there is no gateway: MAAS-300")
    elif not bad and not count:
        yield skipped("no gateway tells of its listeners yet: MAAS-301")
    elif not bad:
        yield passed(f"{count} {'listener works' if count == 1 else 'listeners work'}")


def _listener_problems(gateway: Object) -> Iterator[Outcome]:
    reported = items(gateway, "status", "listeners")
    for listener in reported:
        about = _about(gateway, listener)
        for found in items(listener, "conditions"):
            if text(found, "status") not in _GOOD.get(text(found, "type"), ("True", "False", "Unknown", "")):
                yield _not_as_wanted(found, about)
        if number(listener, "attachedRoutes") == 0:
            yield warning("has no route", Seen(about, "attachedRoutes", "0"), remedy=_ATTACH, about=about)
    told = {text(listener, "name") for listener in reported}
    for listener in items(gateway, "spec", "listeners"):
        if text(listener, "name") not in told and (reported or is_true(gateway, "Programmed")):
            about = _about(gateway, listener)
            seen = Seen(about, "status.listeners", names(sorted(told)) or "none")
            yield failed("its status is not told", seen, remedy=conditions.describe(about), about=about)


# What each type of condition says of a listener that works; others, such as OverlappingTLSConfig, are mere notes.
_GOOD = {
    **dict.fromkeys(("Accepted", "Programmed", "ResolvedRefs", "Ready"), ("True",)),
    "Conflicted": ("False",),
}


def _about(gateway: Object, listener: Object) -> str:
    return f"{ours.shown(kinds.GATEWAY, gateway)}, listener {text(listener, 'name') or '?'}"


def _not_as_wanted(found: Object, about: str) -> Outcome:
    seen = Seen(about, f"conditions[{text(found, 'type')}]", f"{conditions.status(found)} {text(found, 'reason')}")
    said = f"{text(found, 'type')} is {conditions.status(found)}: {conditions.why(found)}"
    return failed(said, seen, remedy=conditions.remedy(found, about), about=about)


_ATTACH = Remedy("Attach an HTTPRoute with parentRefs to it, or remove the listener.", ("kubectl get httproutes -A",))
