"""Secrets that an AuthPolicy takes for API keys, and that Authorino does not watch: their revoking goes unnoticed.

Nothing of them is read but their metadata, and of that only who they are is kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from maas.cluster.api import Api
from maas.cluster.kinds import SECRET, Body
from maas.cluster.objects import Object, annotation, label, mapping, name, namespace, selects
from maas.cluster.stack.rules import TIER_ANNOTATIONS, USER_ID, schemes

PROBE = "stray_keys"
_POLICIES, _KEPT = 3, 100


async def stray_keys(api: Api, policies: Sequence[Object]) -> list[dict[str, str]]:
    """One call (and its pages) for each selector of labels. Raises MaasError."""
    found: list[dict[str, str]] = []
    for labels in list(dict.fromkeys(_selectors(policies)))[:_POLICIES]:
        terms = ",".join(f"{key}={value}" for key, value in labels)
        kind = replace(SECRET, labels=f"{terms},!{SECRET.labels}", body=Body.metadata)
        listed = await api.list(kind, "v1")
        found += [_who(each) for each in listed if _is_stray(each, dict(labels))]
    return found[:_KEPT]


def _selectors(policies: Sequence[Object]) -> Iterator[tuple[tuple[str, str], ...]]:
    for policy in policies:
        for way in schemes(policy):
            labels = mapping(way.selector, "matchLabels")
            if way.is_api_key and labels and all(isinstance(value, str) for value in labels.values()):
                yield tuple(sorted((str(key), str(value)) for key, value in labels.items()))


def _is_stray(secret: Object, labels: dict[str, str]) -> bool:
    """Others may have the same labels: a key has a tier or a user as well."""
    meant = any(annotation(secret, each) for each in (*TIER_ANNOTATIONS, USER_ID))
    chosen = selects({"matchLabels": labels}, mapping(secret, "metadata", "labels"))
    return meant and chosen and not label(secret, SECRET.labels)


def _who(secret: Object) -> dict[str, str]:
    return {"namespace": namespace(secret), "name": name(secret)}
