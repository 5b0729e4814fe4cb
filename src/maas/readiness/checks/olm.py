"""Operators that OLM installs: what it was asked for, and where it got stuck.

Only the operators of the stack are judged, and what holds them up: OLM resolves all Subscriptions of a namespace
together, so a foreign one that cannot be resolved stops ours beside it.
"""

from collections.abc import Iterator

from maas.cluster.components import olm
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import OLM_CONFIG, SUBSCRIPTION
from maas.cluster.objects import (
    Object,
    condition,
    is_true,
    name,
    namespace,
    place,
    text,
)
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, Phase, Target, check
from maas.readiness.evidence import brief
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, warning
from maas.readiness.installing import no_operators, softened


@check(
    "MAAS-200",
    "the Operator Lifecycle Manager is there",
    Category.olm,
    wanted="on OpenShift, the API operators.coreos.com",
    looks="whether the API server serves Subscriptions, and whether OLM copies the CSVs of operators.",
    why="On OpenShift, `maas install` installs operators with OLM, as OperatorHub does.",
    mend="Enable the cluster capabilities OperatorLifecycleManager and marketplace in ClusterVersion.",
    covers=("Installation Order",),
)
def lifecycle_manager(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if facts.serves(SUBSCRIPTION):
        copies = olm.copies_disabled(facts.one(OLM_CONFIG, "cluster"))
        note = "; CSVs are not copied, so look for operators in their own namespaces" if copies else ""
        yield passed(f"OLM serves Subscriptions{note}")
    elif asked.target is Target.openshift:
        yield failed(
            "OpenShift runs without the Operator Lifecycle Manager",
            Seen("API operators.coreos.com/v1alpha1", "subscriptions", "not served"),
            remedy=Remedy(
                "Enable the capability OperatorLifecycleManager, and marketplace for the catalogs.",
                ("oc get clusterversion version -o jsonpath='{.status.capabilities}'",),
            ),
        )
    else:
        yield skipped(
            "the cluster has no Operator Lifecycle Manager, and needs none: components are installed with Helm"
        )


@check(
    "MAAS-201",
    "the catalogs of operators are healthy",
    Category.olm,
    wanted="each CatalogSource that an operator comes from is READY",
    looks="the CatalogSources of the stack's Subscriptions, and those of what is still to be installed on OpenShift.",
    why="Operators are installed from catalogs. Without a healthy one, a Subscription waits for ever.",
    mend="Look at the catalog's pod in openshift-marketplace; a cluster without internet needs mirrored catalogs.",
)
def catalogs(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if not facts.serves(SUBSCRIPTION):
        yield no_operators(facts)
        return
    there, waited_for = olm.catalogs(facts), _waited_for(facts, asked)
    named = {text(each, "spec", "source") for each in olm.of_stack(facts)} - {""}
    if not named | waited_for:
        yield no_operators(facts)
    for catalog in sorted(named | waited_for):
        found = [_catalog(catalog, there.get(catalog))]
        yield from softened(found, when=catalog not in waited_for)


def _waited_for(facts: Facts, asked: Asked) -> set[str]:
    """Catalogs without which something cannot be installed; a bad one of the others only holds up upgrades."""
    ours = olm.of_stack(facts)
    waiting = {text(each, "spec", "source") for each in ours if not text(each, "status", "installedCSV")} - {""}
    if asked.target is not Target.openshift or asked.phase is not Phase.before:
        return waiting
    wanted: list[tuple[olm.Package, ...]] = [
        (olm.RHOAI, olm.ODH),
        (olm.CERT_MANAGER, olm.CERT_MANAGER_COMMUNITY),
        (olm.RHCL, olm.KUADRANT),
    ]
    wanted += [(olm.GPU,), (olm.NFD,)] if asked.gpu else []
    return waiting | {family[0].catalog for family in wanted if not olm.operators(facts, *family)}


def _catalog(named: str, catalog: Object | None) -> Outcome:
    about = f"CatalogSource {place(catalog) if catalog else named}"
    if catalog is None:
        advice = "Enable OperatorHub's default catalogs, or create one that mirrors it."
        enable = 'oc patch operatorhub cluster --type=merge -p \'{"spec":{"disableAllDefaultSources":false}}\''
        return failed(f"there is no catalog {named}", remedy=Remedy(advice, (enable,)), about=about)
    state = olm.catalog_state(catalog)
    seen = Seen(about, "status.connectionState.lastObservedState", state or "absent")
    if state == "READY":
        return passed(f"catalog {named} is ready", seen, about=about)
    where = namespace(catalog)
    commands = (
        f"oc get pods -n {word(where)} -l olm.catalogSource={word(named)}",
        f"oc describe catalogsource -n {word(where)} {word(named)}",
    )
    remedy = Remedy("Look at the catalog's pod: usually its image cannot be pulled.", commands)
    return failed(f"catalog {named} is {state or 'not connected yet'}", seen, remedy=remedy, about=about)


_STUCK = (
    "ResolutionFailed",
    "BundleUnpackFailed",
    "InstallPlanFailed",
    "InstallPlanMissing",
    "CatalogSourcesUnhealthy",
)


@check(
    "MAAS-202",
    "Subscriptions are resolved",
    Category.olm,
    wanted="state AtLatestKnown, and no condition that says that something failed",
    looks="state and conditions of each Subscription of the stack, and of those beside them in the same namespace.",
    why="OLM resolves all Subscriptions of a namespace together: one that cannot be resolved stops all of them.",
    mend="Do what the condition's message asks for; delete the Subscription that cannot be resolved.",
    after=("MAAS-201", "MAAS-205"),
)
def subscriptions(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    ours = olm.of_stack(facts)
    neighbours = {namespace(each) for each in ours}
    if not ours:
        yield no_operators(facts)
    for each in facts.all(SUBSCRIPTION):
        if olm.subscribed(each) in olm.NAMES:
            yield _subscription(each)
        elif namespace(each) in neighbours and is_true(each, "ResolutionFailed"):
            yield _stuck(each, "ResolutionFailed", "it stops every other operator in its namespace")


def _subscription(subscription: Object) -> Outcome:
    stuck = next((type for type in _STUCK if is_true(subscription, type)), "")
    if stuck:
        return _stuck(subscription, stuck)
    about, state = f"Subscription {place(subscription)}", text(subscription, "status", "state")
    seen = Seen(about, "status.state", state or "absent")
    if state == "AtLatestKnown":
        return passed(
            f"{olm.subscribed(subscription)} is at {text(subscription, 'status', 'installedCSV')}", seen, about=about
        )
    if state in ("UpgradePending", "UpgradeAvailable") and text(subscription, "status", "installedCSV"):
        return warning(f"an upgrade of {olm.subscribed(subscription)} is waiting", seen, about=about)
    if state == "UpgradeFailed":
        remedy = Remedy("Look at what OLM says, and at the CSV that failed.", (_describe(subscription),))
        return failed(f"an upgrade of {olm.subscribed(subscription)} failed", seen, remedy=remedy, about=about)
    remedy = Remedy("Wait a minute; if it stays so, look at what OLM says.", (_describe(subscription),))
    return failed(f"OLM has not installed {olm.subscribed(subscription)} yet", seen, remedy=remedy, about=about)


def _stuck(subscription: Object, type: str, consequence: str = "") -> Outcome:
    why = condition(subscription, type)
    about = f"Subscription {place(subscription)}"
    message = brief(text(why, "message")) or text(why, "reason") or "no message"
    return failed(
        f"{olm.subscribed(subscription)}: {type}: {message}" + (f"; {consequence}" if consequence else ""),
        Seen(about, f"status.conditions[{type}].reason", text(why, "reason")),
        remedy=Remedy(_ADVICE.get(type, "Do what the message asks for."), (_describe(subscription),)),
        about=about,
    )


_ADVICE = {
    "ResolutionFailed": "Correct the channel or the catalog, or delete the Subscription that cannot be resolved.",
    "CatalogSourcesUnhealthy": "Mend the catalog (MAAS-201).",
    "BundleUnpackFailed": "The operator's bundle could not be unpacked: delete its Job in openshift-marketplace.",
    "InstallPlanFailed": "Delete the failed InstallPlan and the Subscription, and subscribe again.",
    "InstallPlanMissing": "Delete the Subscription and its CSV, and subscribe again.",
}


def _describe(subscription: Object) -> str:
    return f"oc describe {SUBSCRIPTION.key} -n {word(namespace(subscription))} {word(name(subscription))}"
