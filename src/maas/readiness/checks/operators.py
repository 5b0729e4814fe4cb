"""What OLM made of the Subscriptions: InstallPlans, CSVs, OperatorGroups, and operators that are installed twice."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from maas.cluster.changes import Change, Verb
from maas.cluster.components import olm
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import INSTALL_PLAN, OPERATOR_GROUP, SUBSCRIPTION
from maas.cluster.objects import (
    Object,
    condition,
    every,
    flag,
    items,
    name,
    namespace,
    number,
    place,
    text,
    texts,
)
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, check
from maas.readiness.evidence import brief, names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, warning
from maas.readiness.installing import no_operators
from maas.readiness.wording import count


@check(
    "MAAS-203",
    "no InstallPlan waits or failed",
    Category.olm,
    wanted="phase Complete",
    looks="the InstallPlans that hold CSVs of the stack.",
    why="With manual approval, OLM installs nothing before somebody agrees.",
    mend="Approve the InstallPlan after having looked at what it installs.",
)
def install_plans(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    plans = [each for each in facts.all(INSTALL_PLAN) if _ours(each)]
    succeeded = {(namespace(csv), name(csv)) for csv in olm.csvs(facts) if text(csv, "status", "phase") == "Succeeded"}
    bad = [outcome for each in plans if not _is_past(each, plans, succeeded) and (outcome := _plan(each, succeeded))]
    yield from bad
    if not plans:
        yield no_operators(facts)
    elif not bad:
        yield passed(f"{count(len(plans), 'InstallPlan')} of the stack, none of which is stuck")


def _ours(plan: Object) -> set[str]:
    """The packages of the stack that it installs."""
    named = texts(plan, "spec", "clusterServiceVersionNames")
    return {package.name for package in olm.STACK if any(csv.startswith(package.prefix) for csv in named)}


def _is_past(plan: Object, plans: list[Object], succeeded: set[tuple[str, str]]) -> bool:
    """OLM keeps old plans: one that is carried out after all, or that a newer one has replaced, says nothing."""
    named = texts(plan, "spec", "clusterServiceVersionNames")
    if all((namespace(plan), csv) in succeeded for csv in named):
        return True
    generation = number(plan, "spec", "generation") or 0
    newer = [each for each in every(plans, namespace(plan)) if (number(each, "spec", "generation") or 0) > generation]
    return any(_ours(plan) <= _ours(each) for each in newer)


def _plan(plan: Object, succeeded: set[tuple[str, str]]) -> Outcome | None:
    about, phase = f"InstallPlan {place(plan)}", text(plan, "status", "phase")
    what = names(texts(plan, "spec", "clusterServiceVersionNames"))
    seen = Seen(about, "status.phase", phase)
    if phase == "RequiresApproval" and not flag(plan, "spec", "approved"):
        change = Change(Verb.patch, INSTALL_PLAN, name(plan), namespace(plan), {"spec": {"approved": True}})
        remedy = Remedy(f"Approve it, if you want {what}.", changes=(change,))
        if _is_upgrade(plan, succeeded):
            return warning(f"an upgrade waits for somebody's approval: {what}", seen, remedy=remedy, about=about)
        return failed(f"{what} waits for somebody's approval", seen, remedy=remedy, about=about)
    if phase == "Failed":
        why = condition(plan, "Installed")
        command = f"oc describe {INSTALL_PLAN.key} -n {word(namespace(plan))} {word(name(plan))}"
        remedy = Remedy("Mend what the message says; delete the InstallPlan to have it tried again.", (command,))
        return failed(f"installing {what} failed: {brief(text(why, 'message'))}", seen, remedy=remedy, about=about)
    return None


def _is_upgrade(plan: Object, succeeded: set[tuple[str, str]]) -> bool:
    """Whether an older version of all that it brings is at work."""
    at_work = [csv for where, csv in succeeded if where == namespace(plan)]
    prefixes = [package.prefix for package in olm.STACK if package.name in _ours(plan)]
    return all(any(csv.startswith(prefix) for csv in at_work) for prefix in prefixes)


@check(
    "MAAS-204",
    "operators of the stack have succeeded",
    Category.olm,
    wanted="phase Succeeded for the ClusterServiceVersion of each operator",
    looks="the original CSVs, without the copies that OLM makes in every namespace.",
    why="An operator whose CSV has not succeeded does not run, or not with what it needs.",
    mend="Do what the CSV's message asks for.",
    covers=("Check operators (OpenShift)", "Installation Order"),
    after=("MAAS-202", "MAAS-203", "MAAS-205"),
)
def service_versions(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    ours = [csv for csv in olm.csvs(facts) if olm.package_of(csv)]
    if not ours:
        yield no_operators(facts)
    for csv in ours:
        yield _csv(csv)


def _csv(csv: Object) -> Outcome:
    about, phase = f"ClusterServiceVersion {place(csv)}", text(csv, "status", "phase")
    seen = Seen(about, "status.phase", phase or "absent")
    if phase == "Succeeded":
        return passed(f"{name(csv)} runs in {namespace(csv)}", seen, about=about)
    if phase in ("Replacing", "Deleting"):
        return warning(f"{name(csv)} is being replaced", seen, about=about)
    why = ": ".join(part for part in (text(csv, "status", "reason"), brief(text(csv, "status", "message"))) if part)
    command = f"oc describe csv -n {word(namespace(csv))} {word(name(csv))}"
    unmet = [text(each, "name") for each in items(csv, "status", "requirementStatus") if _is_unmet(each)]
    message = f"{name(csv)} is {phase or 'pending'}: {why or 'no reason is given'}"
    if unmet:
        message += f"; missing: {names(unmet)}"
    return failed(message, seen, remedy=Remedy(_csv_advice(csv), (command,)), about=about)


def _is_unmet(requirement: Object) -> bool:
    return text(requirement, "status") not in ("Present", "Satisfied", "")


def _csv_advice(csv: Object) -> str:
    match text(csv, "status", "reason"):
        case "TooManyOperatorGroups" | "NoOperatorGroup":
            return "Have exactly one OperatorGroup in its namespace (MAAS-205)."
        case "UnsupportedOperatorGroup":
            return "Its OperatorGroup chooses namespaces in a way that this operator does not support: change it."
        case "RequirementsNotMet":
            return "Install what it requires."
    return "Look at its Deployment's pods."


@check(
    "MAAS-205",
    "one OperatorGroup in each namespace with a Subscription",
    Category.olm,
    wanted="exactly one",
    looks="the OperatorGroups in the namespaces of the stack's Subscriptions.",
    why="With none, OLM ignores the Subscription; with two, every CSV in the namespace fails.",
    mend="Create one, or delete those too many.",
)
def operator_groups(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    subscribed = sorted({namespace(each) for each in olm.of_stack(facts)})
    groups = {where: every(facts.all(OPERATOR_GROUP), where) for where in subscribed}
    if not subscribed:
        yield no_operators(facts)
    elif all(len(each) == 1 for each in groups.values()):
        yield passed(f"one each in {names(subscribed)}")
    for where, here in groups.items():
        if len(here) != 1:
            yield _wrong_groups(where, here)


def _wrong_groups(where: str, groups: list[Object]) -> Outcome:
    about = f"Namespace {where}"
    if not groups:
        change = Change(Verb.apply, OPERATOR_GROUP, where, where, _group(where))
        return failed(f"{where} has no OperatorGroup", remedy=Remedy("Create one.", changes=(change,)), about=about)
    found = [Seen(f"OperatorGroup {place(each)}") for each in groups]
    extra = sorted(map(name, groups))[1:]
    commands = tuple(f"oc delete operatorgroup -n {word(where)} {word(each)}" for each in extra)
    remedy = Remedy("Look which of them is the one to keep, and delete the others.", commands)
    return failed(f"{where} has {len(groups)} OperatorGroups", *found[:5], remedy=remedy, about=about)


def _group(where: str) -> Object:
    wide = any(package.namespace == where and package.all_namespaces for package in olm.STACK)
    spec = {} if wide else {"targetNamespaces": [where]}
    identity = {"name": where, "namespace": where}
    return {"apiVersion": "operators.coreos.com/v1", "kind": "OperatorGroup", "metadata": identity, "spec": spec}


@check(
    "MAAS-206",
    "no operator is installed twice",
    Category.olm,
    wanted="one Subscription for each operator, and not two products that do the same",
    looks="Subscriptions of one package in two namespaces, OpenShift AI beside Open Data Hub, RHCL beside Kuadrant.",
    why="Two operators that own the same CRDs undo each other's work.",
    mend="Delete the Subscription and the CSV of the one that you do not want.",
)
def twice(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    ours = olm.of_stack(facts)
    bad = [*_same_package(ours), *_rivals(ours)]
    yield from bad
    if not ours:
        yield no_operators(facts)
    elif not bad:
        yield passed(f"{count(len(ours), 'operator')}, each installed once")


def _same_package(subscriptions: Iterable[Object]) -> Iterator[Outcome]:
    by_package: dict[str, list[Object]] = defaultdict(list)
    for each in subscriptions:
        by_package[olm.subscribed(each)].append(each)
    for package, found in by_package.items():
        if len(found) > 1:
            yield _conflict(f"{package} is subscribed {len(found)} times", found, package)


_RIVALS = ((olm.RHOAI, olm.ODH), (olm.RHCL, olm.KUADRANT))


def _rivals(subscriptions: list[Object]) -> Iterator[Outcome]:
    for one, other in _RIVALS:
        found = [each for each in subscriptions if olm.subscribed(each) in (one.name, other.name)]
        if {olm.subscribed(each) for each in found} == {one.name, other.name}:
            yield _conflict(f"{one.title} and {other.title} are both installed", found, f"{one.name}, {other.name}")


def _conflict(message: str, subscriptions: list[Object], about: str) -> Outcome:
    seen = [Seen(f"Subscription {place(each)}", "spec.name", olm.subscribed(each)) for each in subscriptions]
    commands = tuple(
        f"oc delete {SUBSCRIPTION.key} -n {word(namespace(each))} {word(name(each))}" for each in subscriptions[1:3]
    )
    return failed(message, *seen[:5], remedy=Remedy("Keep one: delete the other, and its CSV.", commands), about=about)
