"""Kuadrant: its operators, its one object, and the two servers that decide about requests."""

from collections.abc import Iterator
from dataclasses import replace

from maas.cluster.changes import Change, Verb
from maas.cluster.components import gateway_api, kuadrant
from maas.cluster.components.pins import Pin, pins
from maas.cluster.components.state import By, Installation
from maas.cluster.components.versions import version
from maas.cluster.facts.model import Facts
from maas.cluster.facts.redaction import is_redacted
from maas.cluster.kinds import DEPLOYMENT, KUADRANT, SUBSCRIPTION
from maas.cluster.objects import Object, condition, is_observed, items, name, namespace, number, place, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, check
from maas.readiness.conditions import status, why
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, unknown, warning
from maas.readiness.installing import OLM_CODES, absent, described, operator, told, workload

STEP = "kuadrant"
_ABSENT = "Kuadrant is not installed"


@check(
    "MAAS-270",
    "Kuadrant is installed",
    Category.kuadrant,
    wanted="the operator of Kuadrant, or of Red Hat Connectivity Link",
    looks="the Deployment kuadrant-operator-controller-manager, and OLM's operators.",
    why="It lets only those with a key in, and counts what they use.",
    mend="`maas install` brings it.",
    covers=("7. Kuadrant",),
    after=OLM_CODES,
)
def installed(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = kuadrant.installations(facts)
    if not there:
        yield absent(asked, _ABSENT, step=STEP)
    elif len(there) > 1:
        found = names(f"{described(each)} in {each.namespace}" for each in there)
        remedy = Remedy(
            "Uninstall one of them. Careful: uninstalling the Helm chart deletes the CRDs, and every policy."
        )
        yield failed(f"it is installed {len(there)} times: {found}", *map(told, there[:5]), remedy=remedy)
    else:
        yield passed(f"{_pin(there[0]).title} {described(there[0])} in {there[0].namespace}", told(there[0]))
    yield from (operator(each, asked) for each in kuadrant.operators(facts) if not each.ready)


@check(
    "MAAS-271",
    "Kuadrant's operators are available",
    Category.kuadrant,
    wanted="the Deployments of Kuadrant's, Authorino's, Limitador's and the DNS operator Available",
    looks="their status.",
    why="Without them no policy takes effect and no change is taken up.",
    mend="Look at the pods of what is not available.",
    covers=("7. Kuadrant", "Authentication/Rate Limiting Issues"),
    after=("MAAS-204", "MAAS-404"),
)
def operators(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = kuadrant.operator_deployments(facts)
    if not there:
        yield skipped(_ABSENT)
    for each in there:
        yield workload(each, name(each))
        for part in kuadrant.PARTS:
            found = facts.one(DEPLOYMENT, part, namespace(each))
            if found:
                yield workload(found, part)
            elif part != kuadrant.DNS_OPERATOR:
                yield _no_part(part, namespace(each))


def _no_part(part: str, where: str) -> Outcome:
    remedy = Remedy("Install Kuadrant again, completely.", step=STEP)
    about = f"Deployment {where}/{part}"
    return failed(f"{part} is not there", Seen(about), remedy=remedy, about=about)


@check(
    "MAAS-272",
    "there is one Kuadrant, and it is ready",
    Category.kuadrant,
    wanted="exactly one Kuadrant object, condition Ready",
    looks="Kuadrant objects in all namespaces.",
    why="The operator takes one, and ignores all others. Without it no policy is enforced.",
    mend="MissingDependency: install what is missing, and restart the operator. Otherwise see MAAS-273 and 274.",
    covers=("7. Kuadrant", "Authentication/Rate Limiting Issues"),
    after=("MAAS-210", "MAAS-230", "MAAS-231", "MAAS-271", "MAAS-273", "MAAS-274", "MAAS-404", "MAAS-406"),
)
def instance(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = kuadrant.instances(facts)
    if not there:
        operated = bool(kuadrant.installations(facts))
        yield absent(asked, "there is no Kuadrant object", step=STEP) if operated else skipped(_ABSENT)
    if len(there) > 1:
        yield _too_many(there)
    yield from (_instance(each, facts) for each in there[:3])


def _too_many(there: list[Object]) -> Outcome:
    seen = [Seen(f"Kuadrant {place(each)}") for each in there[:5]]
    commands = tuple(
        f"kubectl delete {KUADRANT.key} -n {word(namespace(each))} {word(name(each))}" for each in there[1:3]
    )
    remedy = Remedy("Keep the one in the operator's namespace.", commands)
    found = failed(f"there are {len(there)}: the operator takes one, and ignores the others", *seen, remedy=remedy)
    return replace(found, itself=True)


def _instance(instance: Object, facts: Facts) -> Outcome:
    about, found = f"Kuadrant {place(instance)}", condition(instance, "Ready")
    seen = Seen(about, "status.conditions[Ready]", f"{status(found)} {text(found, 'reason')}".strip())
    if text(found, "status") == "True":
        return _up_to_date(instance, seen, about)
    where = namespace(instance)
    command = f"kubectl describe {KUADRANT.key} -n {word(where)} {word(name(instance))}"
    advice = _ADVICE.get(text(found, "reason"), "Do what the message asks for.")
    if not found and not kuadrant.operator_deployments(facts):
        advice = "Nobody looks after it: its operator is not there."
    return failed(f"not ready: {why(found)}", seen, remedy=Remedy(advice, (command,)), about=about)


def _up_to_date(object: Object, seen: Seen, about: str) -> Outcome:
    """What is ready may be so as it was before somebody changed it."""
    if is_observed(object):
        return passed(f"{name(object)} is ready", seen, about=about)
    remedy = Remedy(
        "Look whether its operator runs, and what it says.", (f"kubectl get pods -n {word(namespace(object))}",)
    )
    observed = Seen(about, "status.observedGeneration", str(number(object, "status", "observedGeneration")))
    return warning("its status is of an older spec", seen, observed, remedy=remedy, about=about)


_ADVICE = {
    "MissingDependency": "Install what the message names, then restart the operator: it looks only at its start.",
    "LimitadorNotReady": "See Limitador (MAAS-274).",
    "AuthorinoNotReady": "See Authorino (MAAS-273).",
}


@check(
    "MAAS-273",
    "Authorino is ready",
    Category.kuadrant,
    wanted="the Authorino beside the Kuadrant object Ready, and its Deployment Available",
    looks="Authorino objects and the Deployment authorino.",
    why="The gateway asks it who calls. It fails closed: without it every request is refused.",
    mend="Look at its pods.",
    covers=("7. Kuadrant", "Authentication/Rate Limiting Issues"),
    after=("MAAS-271", "MAAS-404"),
)
def authorino(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    yield from _server(facts, "Authorino", "authorino")


@check(
    "MAAS-274",
    "Limitador is ready",
    Category.kuadrant,
    wanted="the Limitador beside the Kuadrant object Ready, and its Deployment Available",
    looks="Limitador objects and the Deployment limitador-limitador.",
    why="The gateway asks it whether a limit is reached. By default the gateway fails open: then there are no limits.",
    mend="Look at its pods.",
    covers=("7. Kuadrant", "Authentication/Rate Limiting Issues"),
    after=("MAAS-271", "MAAS-404"),
)
def limitador(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    yield from _server(facts, "Limitador", "limitador-limitador")


def _server(facts: Facts, kind: str, deployment: str) -> Iterator[Outcome]:
    instances = kuadrant.instances(facts)
    if not instances:
        yield skipped("there is no Kuadrant object yet")
    of = kuadrant.authorinos if kind == "Authorino" else kuadrant.limitadors
    places = sorted({namespace(each) for each in instances})
    served = any(of(facts, where) for where in places)  # of two Kuadrants one has none, and needs none: MAAS-272
    for where in places:
        there = of(facts, where)
        if not there and not served:
            yield failed(
                f"there is no {kind} in {where}",
                remedy=Remedy("Kuadrant's operator creates it: restart it.", changes=_restart(facts)),
                about=f"{kind} in {where}",
            )
        yield from (_ready(each, kind) for each in there)
        found = facts.one(DEPLOYMENT, deployment, where)
        if found:
            yield workload(found, deployment)


def _restart(facts: Facts) -> tuple[Change, ...]:
    there = kuadrant.operator_deployments(facts)[:1]
    return tuple(Change(Verb.restart, DEPLOYMENT, name(each), namespace(each)) for each in there)


def _ready(object: Object, kind: str) -> Outcome:
    about, found = f"{kind} {place(object)}", condition(object, "Ready")
    seen = Seen(about, "status.conditions[Ready]", f"{status(found)} {text(found, 'reason')}".strip())
    if text(found, "status") == "True":
        # Of the two, only Limitador says which generation it has seen.
        well = passed(f"{name(object)} is ready", seen, about=about)
        return well if kind == "Authorino" else _up_to_date(object, seen, about)
    remedy = Remedy("Look at its pods.", (f"kubectl get pods -n {word(namespace(object))}",))
    return failed(f"not ready: {why(found)}", seen, remedy=remedy, about=about)


@check(
    "MAAS-275",
    "Kuadrant is new enough, and safe",
    Category.kuadrant,
    wanted=f"Kuadrant {pins()['kuadrant'].floor} or RHCL {pins()['rhcl'].floor}, or newer; not RHCL 1.4.0",
    looks="the version of the CSV, or of the operator's image.",
    why="Older versions lack limits in tokens. RHCL 1.4.0 lets everybody in without a word.",
    mend="Upgrade it; RHCL to 1.4.2 at least.",
    covers=("7. Kuadrant",),
    after=("MAAS-408",),
)
def new_enough(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = kuadrant.installations(facts)
    if not there:
        yield skipped(_ABSENT)
    yield from (_version(each) for each in there)


def _version(installation: Installation) -> Outcome:
    pin, found = _pin(installation), version(installation.version)
    seen = told(installation)
    if found is None:
        return warning(f"nothing tells the version of {pin.title}", seen)
    if bad := pin.why_bad(found):
        remedy = Remedy("Upgrade it to 1.4.2 or newer at once, and ask the gateway without a key: it must answer 401.")
        return failed(f"{pin.title} {installation.version} must not be used: {bad}", seen, remedy=remedy)
    if pin.is_old(found):
        remedy = Remedy(f"Upgrade it to {pin.version or 'its newest version'}.")
        return failed(f"{pin.title} {installation.version} is older than {pin.floor}", seen, remedy=remedy)
    return passed(f"{pin.title} {described(installation)}", seen)


def _pin(installation: Installation) -> Pin:
    by_red_hat = installation.by is By.olm and "rhcl-operator" in installation.told_by[0]
    return pins()["rhcl" if by_red_hat else "kuadrant"]


@check(
    "MAAS-276",
    "Kuadrant knows the gateway's controller",
    Category.kuadrant,
    wanted="openshift.io/gateway-controller/v1 in ISTIO_GATEWAY_CONTROLLER_NAMES, on OpenShift 4.19 and newer",
    looks="the environment of Kuadrant's operator.",
    why="Otherwise it does not take OpenShift's gateways for Istio's, and no policy on them is enforced.",
    mend="Set the variable: with OLM in the Subscription, else in the Deployment.",
    covers=("7. Kuadrant",),
)
def controllers(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there, wanted = kuadrant.operator_deployments(facts), gateway_api.wanted_controller(facts)
    if not there:
        yield skipped(_ABSENT)
    for each in there:
        about, known = f"Deployment {place(each)}", sorted(kuadrant.gateway_controllers(each))
        seen = Seen(about, f"env {kuadrant.CONTROLLERS_VARIABLE}", names(known))
        if any(map(is_redacted, known)):
            yield unknown("which controllers it knows was redacted", seen)
        elif wanted in known:
            yield passed(f"it knows {wanted}", seen, about=about)
        else:
            remedy = _name_controller(facts, each, sorted({*known, wanted}))
            yield failed(f"it does not take gateways of {wanted} for Istio's", seen, remedy=remedy, about=about)


def _name_controller(facts: Facts, deployment: Object, wanted: list[str]) -> Remedy:
    """OLM undoes what is written into a Deployment of its own: there, the Subscription is the place."""
    value = {"name": kuadrant.CONTROLLERS_VARIABLE, "value": ",".join(wanted)}
    by_olm = [each.subscription for each in kuadrant.operators(facts) if each.subscription]
    for subscription in by_olm:
        others = [e for e in items(subscription, "spec", "config", "env") if text(e, "name") != value["name"]]
        body = {"spec": {"config": {"env": [*others, value]}}}
        change = Change(Verb.patch, SUBSCRIPTION, name(subscription), namespace(subscription), body)
        return Remedy("Set it in the Subscription.", changes=(change,))
    where, said = namespace(deployment), f"{value['name']}={value['value']}"
    return Remedy(
        "Set it in the Deployment.",
        (f"kubectl set env deployment/{word(name(deployment))} -n {word(where)} {word(said)}",),
    )
