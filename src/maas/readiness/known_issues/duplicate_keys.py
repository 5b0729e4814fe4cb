"""Two Secrets with the same API key: which of them counts depends on which was read last."""

from collections import defaultdict
from collections.abc import Iterator

from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts
from maas.cluster.facts.redaction import is_redacted
from maas.cluster.kinds import SECRET
from maas.cluster.objects import Object, mapping, name, namespace, place, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed, skipped
from maas.readiness.issues import known_issue
from maas.readiness.signs import called, few, listed

_TOUCHED = "maas/indexed-anew"


@known_issue(
    "MAAS-413",
    "every API key has a value of its own",
    sign="Two Secrets of keys with the same data.api_key.",
    cause="Authorino keeps keys by value: of two with the same value the one it read last counts, with its user and "
    "tier, and deleting either takes the key away from both until Authorino reads them anew.",
    mend="Delete all but one; where they are of different users, give each a new value.",
    covers=("Authentication/Rate Limiting Issues",),
    explains=("MAAS-333",),
)
def duplicates(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    by_value = defaultdict(list)
    secrets = facts.all(SECRET)
    for secret in secrets:
        value = _value(secret)
        if value and not is_redacted(value):
            by_value[value].append(secret)
    if secrets and not by_value:
        yield skipped("cannot be judged: the values of the keys were taken away before the facts were kept")
    for same in by_value.values():
        if len(same) > 1:
            same.sort(key=lambda each: (text(each, "metadata", "creationTimestamp"), place(each)))
            yield failed(
                f"{listed([place(each) for each in same[1:]])} {'holds' if len(same) == 2 else 'hold'} the same key: "
                "which of them counts is chance",
                *few([Seen(called(SECRET, each), "data.api_key", "the same value") for each in same]),
                remedy=_remedy(same),
                about=called(SECRET, same[0]),
            )


def _value(secret: Object) -> str:
    return text(secret, "data", "api_key") or text(secret, "stringData", "api_key")


def _remedy(same: list[Object]) -> Remedy:
    oldest, *others = same
    if any(_holder(each) != _holder(oldest) for each in others):
        return Remedy(
            "They are of different users or tiers, so whose key it is, is yours to decide: delete the others, and make "
            "their users new ones.",
            tuple(f"kubectl delete secrets/{word(name(each))} -n {word(namespace(each))}" for each in others),
        )
    why = "the same key of the same user and tier, once more"
    deleted = [Change(Verb.delete, SECRET, name(each), namespace(each), why=why) for each in others]
    body = {"metadata": {"annotations": {_TOUCHED: "true"}}}
    why = "Authorino reads it anew; deleting its double took it away"
    touched = Change(Verb.patch, SECRET, name(oldest), namespace(oldest), body, why)
    return Remedy("Delete all but the oldest: they are of the same user.", changes=(*deleted, touched))


def _holder(secret: Object) -> tuple[str, ...]:
    annotations = mapping(secret, "metadata", "annotations")
    return tuple(text(annotations, key) for key in ("kuadrant.io/groups", "secret.kuadrant.io/user-id"))
