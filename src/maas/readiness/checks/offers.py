"""Whether what is still to be installed on OpenShift can be had: from which catalog, in which version, in which place.

Channels come and go with releases of operators: what was asked of the catalogs is judged, not what is usual.
"""

from collections.abc import Iterator

from maas.cluster.components import offers, olm
from maas.cluster.components.olm import Package
from maas.cluster.facts.model import Facts
from maas.cluster.facts.packages import PROBE
from maas.cluster.kinds import OPERATOR_GROUP, SUBSCRIPTION
from maas.cluster.objects import Object, every, mapping, name, place, texts
from maas.cluster.shell import word
from maas.cluster.sites import of as site_of
from maas.cluster.wanted import Offer
from maas.cluster.wanted import Target as On
from maas.readiness.catalogue import BEFORE, Asked, Target, check
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, warning

_ONLY_FOR_GPUS = (olm.NFD, olm.GPU)


@check(
    "MAAS-207",
    "operators can be had from the catalogs",
    Category.olm,
    phases=BEFORE,
    wanted="for each operator that is not there yet, a channel whose version may be used",
    looks="the PackageManifests of these operators: catalogs, channels and their newest versions.",
    why="What no catalog has, OLM waits for without end. Some versions must not be used: Connectivity Link 1.4.0 lets "
    "everybody in.",
    mend="Have the catalog updated or mirrored with a version that may be used, then begin again.",
    after=("MAAS-200", "MAAS-201"),
)
def can_be_had(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if asked.target is not Target.openshift:
        yield skipped("the target is not OpenShift")
        return
    found = facts.probe(PROBE)
    there = {olm.subscribed(each) for each in facts.all(SUBSCRIPTION)}
    wanted = [each for each in olm.STACK if offers.was_asked_for(facts, each) and each.name not in there]
    if found is None or not wanted:
        yield skipped("no catalog was asked: nothing is missing, or the API of PackageManifests is not served")
        return
    chosen = site_of(facts, asked.namespace, On.openshift).operators
    for package in wanted:
        if package.name in chosen:
            offer, needed = chosen[package.name], asked.gpu or package not in _ONLY_FOR_GPUS
            yield _refused(package, offer, needed) if offer.refused else _had(facts, package, offer)
            yield from _group(facts, package)


def _refused(package: Package, offer: Offer, needed: bool) -> Outcome:
    about = f"PackageManifest {package.name}"
    remedy = Remedy(
        "Have the catalog updated, or a newer one mirrored. See what it has:",
        (f"oc get packagemanifests -n {word(offer.catalog_namespace)} | grep {word(package.name)}",),
    )
    told = failed if needed else warning
    seen = Seen(about, "status.channels", "none that may be used")
    return told(f"{package.title}: {offer.refused}", seen, remedy=remedy, about=about)


def _had(facts: Facts, package: Package, offer: Offer) -> Outcome:
    about = f"PackageManifest {package.name}"
    seen = Seen(about, f"status.channels[{offer.channel}].currentCSV", offer.csv)
    message = f"{package.title} comes from {offer.catalog}, channel {offer.channel}: {offer.csv}"
    if offers.is_newest(facts, package, offer):
        return passed(message, seen, about=about)
    remedy = Remedy("Have the catalog updated; until then, approve no update of it without a look at its version.")
    message += "; the channel's newest must not be used, so updates wait for approval"
    return warning(message, seen, remedy=remedy, about=about)


def _group(facts: Facts, package: Package) -> Iterator[Outcome]:
    """One that is there is used: then it has to choose what the operator supports."""
    groups = every(facts.all(OPERATOR_GROUP), package.namespace)
    about = f"Namespace {package.namespace}"
    if len(groups) > 1:
        remedy = Remedy("Delete those too many.", tuple(_delete(each) for each in groups[1:3]))
        seen = [Seen(f"OperatorGroup {place(each)}") for each in groups[:5]]
        yield failed(f"{package.namespace} has {len(groups)} OperatorGroups", *seen, remedy=remedy, about=about)
    elif groups and package.all_namespaces and (chosen := texts(groups[0], "spec", "targetNamespaces")):
        seen_here = Seen(f"OperatorGroup {place(groups[0])}", "spec.targetNamespaces", ", ".join(chosen[:5]))
        advice = f"{package.title} works for all namespaces only: have the group choose all, if nobody needs it so."
        remedy = Remedy(advice, (_choose_all(groups[0]),))
        yield failed(f"the OperatorGroup of {package.namespace} chooses some namespaces", seen_here, remedy=remedy)


def _delete(group: Object) -> str:
    return (
        f"oc delete operatorgroup -n {word(str(mapping(group, 'metadata').get('namespace', '')))} {word(name(group))}"
    )


def _choose_all(group: Object) -> str:
    where = str(mapping(group, "metadata").get("namespace", ""))
    patch = word('[{"op": "remove", "path": "/spec/targetNamespaces"}]')
    return f"oc patch operatorgroup -n {word(where)} {word(name(group))} --type=json -p {patch}"
