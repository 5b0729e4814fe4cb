"""Versions of Red Hat Connectivity Link that let requests through unseen.

1.4.0 does not enforce authentication at the gateway. 1.4.0 and 1.4.1 ship a filter that drops lists and nested values
of the identity, so predicates of token limits on them never hold. Both are silent: every status is green.
"""

from collections.abc import Iterator

from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CSV, INSTALL_PLAN, SUBSCRIPTION, TOKEN_RATE_LIMIT_POLICY
from maas.cluster.objects import Object, every, label, name, namespace, place, text, texts
from maas.cluster.shell import word
from maas.readiness.catalogue import BOTH, Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed, warning
from maas.readiness.issues import known_issue
from maas.readiness.signs import called, version

_PACKAGE = "rhcl-operator"
_MENDED = (1, 4, 2)


@known_issue(
    "MAAS-408",
    "Connectivity Link is no version that lets requests through",
    sign="An installed ClusterServiceVersion rhcl-operator.v1.4.0 or v1.4.1.",
    cause="Connectivity Link 1.4.0 silently lets requests pass the gateway without a key. 1.4.0 and 1.4.1 silently "
    "ignore token limits whose predicates read lists or nested values of the identity.",
    mend="Update to 1.4.2 or newer: approve the waiting InstallPlan, or set the Subscription to a channel that has it.",
    needs=(CSV,),
    phases=BOTH,
    covers=("Authentication/Rate Limiting Issues",),
    explains=(
        "MAAS-275",
        "MAAS-202",
        "MAAS-203",
    ),
)
def bypass(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    for csv in facts.all(CSV):
        installed = version(text(csv, "spec", "version")) or version(name(csv))
        if not name(csv).startswith(f"{_PACKAGE}.") or label(csv, "olm.copiedFrom") or not installed:
            continue
        if text(csv, "status", "phase") in ("Replacing", "Deleting"):
            continue
        seen = Seen(called(CSV, csv), "spec.version", ".".join(map(str, installed)))
        about, remedy = called(CSV, csv), _remedy(facts, csv)
        if installed == (1, 4, 0):
            message = "it lets requests without a key through, whatever its policies say"
            yield failed(message, seen, remedy=remedy, about=about)
        elif (1, 4, 0) < installed < _MENDED:
            message = "it ignores token limits whose predicates read lists of the identity"
            yield warning(message, seen, *_token_limits(facts), remedy=remedy, about=about)


def _token_limits(facts: Facts) -> list[Seen]:
    found = facts.known(TOKEN_RATE_LIMIT_POLICY)
    return [Seen("TokenRateLimitPolicies", value=str(len(found)))] if found else []


def _remedy(facts: Facts, csv: Object) -> Remedy:
    look = f"oc get packagemanifests {_PACKAGE} -o custom-columns=CHANNEL:.status.channels[*].currentCSV"
    waiting = [plan for plan in every(facts.known(INSTALL_PLAN), namespace(csv)) if _brings_better(plan)]
    if waiting:
        plan = waiting[-1]
        brings = next(each for each in texts(plan, "spec", "clusterServiceVersionNames") if _is_better(each))
        body = {"spec": {"approved": True}}
        change = Change(Verb.patch, INSTALL_PLAN, name(plan), namespace(plan), body, f"it brings {brings}")
        return Remedy("Approve the update that waits.", changes=(change,))
    subscription = next((s for s in facts.known(SUBSCRIPTION) if text(s, "spec", "name") == _PACKAGE), None)
    if subscription is None:
        return Remedy("Update it to 1.4.2 or newer.", (look,))
    return Remedy(
        f"Update it to 1.4.2 or newer: see which channel has it, and set it in Subscription {place(subscription)}. "
        "Until then, let no client reach the gateway.",
        (look, f"oc edit {SUBSCRIPTION.key}/{word(name(subscription))} -n {word(namespace(subscription))}"),
    )


def _brings_better(plan: Object) -> bool:
    unapproved = text(plan, "status", "phase") == "RequiresApproval"
    return unapproved and any(map(_is_better, texts(plan, "spec", "clusterServiceVersionNames")))


def _is_better(csv: str) -> bool:
    return csv.startswith(f"{_PACKAGE}.") and (version(csv) or (0, 0, 0)) >= _MENDED
