"""What we made once and nobody wants any more: a model taken out of maas.yaml, the limits of another mode.

Only objects that carry our label, that no other object owns (controllers copy labels to what they make), in the
namespaces of this installation, of kinds that an installation makes of maas.yaml. Never components, namespaces, CRDs or
keys: those are for `maas uninstall` and `maas keys revoke`. A list that was not read prunes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from maas.cluster import kinds
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object, items, label, name, namespace, place, text
from maas.cluster.plan.comparing import is_ours
from maas.cluster.plan.conditions import gone
from maas.cluster.plan.lookup import Lookup, is_going, is_owned
from maas.cluster.plan.model import Apply, Delete, Step, Wait
from maas.cluster.wanted import GATEWAY

MODELS, REST = "removed models", "leftovers"
_AT_WORK = (kinds.HTTP_ROUTE, kinds.INFERENCE_SERVICE, kinds.LLM_INFERENCE_SERVICE)
_LATER = (
    kinds.AUTH_POLICY, kinds.RATE_LIMIT_POLICY, kinds.TOKEN_RATE_LIMIT_POLICY, kinds.TLS_POLICY,
    kinds.REFERENCE_GRANT, kinds.CERTIFICATE, kinds.ISSUER, kinds.ROUTE, kinds.NETWORK_POLICY, kinds.SERVICE,
    kinds.DEPLOYMENT,
    *(kind for kind in kinds.OURS if kind.namespaced),
)  # fmt: skip
_GRACE = 300.0


def with_deletions(left: Sequence[Step], wanted: Sequence[Step], lookup: Lookup, in_namespace: str) -> list[Step]:
    """left: the steps of the plan so far; wanted: all of them, of which none is to be taken away."""
    applied = [action.object for step in wanted for action in step.actions if isinstance(action, Apply)]
    keep = {_key(kinds.of(each), each) for each in applied} | {each for one in applied for each in _secrets(one)}
    where = _namespaces(keep, lookup, in_namespace)
    models = list(_unwanted(_AT_WORK, keep, lookup, where))
    rest = list(_unwanted(_LATER, keep, lookup, where))
    result = list(left)
    if models:
        result = [_after(step, MODELS) if step.key == "models" else step for step in result]
        result.append(_removed(models))
    if rest:
        result.append(_leftovers(rest, [step.key for step in result]))
    return result


def _key(kind: Kind, object: Object) -> tuple[str, str, str, str]:
    return kind.group, kind.name, namespace(object), name(object)


def _secrets(wanted: Object) -> Iterator[tuple[str, str, str, str]]:
    """Secrets that it names: their values may be known only where they were given, and who names them needs them."""
    for named in _named(wanted):
        yield "", "Secret", namespace(wanted), named


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield text(value, "secretName")
        yield from (text(value, each, "name") for each in ("secretKeyRef", "secretRef"))
        yield from (text(each, "name") for each in items(value, "certificateRefs"))
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _named(each)


def _namespaces(keep: Iterable[tuple[str, str, str, str]], lookup: Lookup, in_namespace: str) -> frozenset[str]:
    """Another installation on this cluster shares the others with us; then only our own is ours to tidy."""
    gateways = [each for _, each in lookup.ours((kinds.GATEWAY,)) if is_ours(each) and name(each) == GATEWAY]
    alone = all(namespace(each) == in_namespace for each in gateways)
    return frozenset({in_namespace} | ({where for _, _, where, _ in keep if where} if alone else set()))


def _unwanted(
    of: Iterable[Kind], keep: set[tuple[str, str, str, str]], lookup: Lookup, where: frozenset[str]
) -> Iterator[tuple[Kind, Object]]:
    for kind, found in lookup.ours(of):
        if namespace(found) not in where or not is_ours(found) or label(found, kinds.SECRET.labels):
            continue
        if _key(kind, found) not in keep and not is_owned(found) and not is_going(found):
            yield kind, found


def _removed(found: Sequence[tuple[Kind, Object]]) -> Step:
    """Before other models start: they may need what these hold."""
    names = sorted({name(each) for kind, each in found if kind is not kinds.HTTP_ROUTE})
    told = f": {', '.join(names)}" if names else ""
    return Step(
        MODELS,
        f"remove what is not wanted any more{told}",
        "maas.yaml does not ask for them any more",
        tuple(_delete(kind, each, "maas.yaml does not ask for it any more") for kind, each in found),
        tuple(_gone(kind, each) for kind, each in found),
        undo="write them into maas.yaml again, and run `maas install`",
        affects=f"who asks for {', '.join(names)} gets 404" if names else "",
    )


def _leftovers(found: Sequence[tuple[Kind, Object]], after: Sequence[str]) -> Step:
    """At the very end, when what takes their place is there."""
    return Step(
        REST,
        "tidy up what an earlier installation left",
        "nothing needs it any more",
        tuple(
            _delete(kind, each, "an earlier installation made it, and nothing needs it any more")
            for kind, each in found
        ),
        needs=tuple(after),
        undo="none is needed: `maas install` makes what it needs",
    )


def _delete(kind: Kind, object: Object, why: str) -> Delete:
    return Delete(kind, name(object), namespace(object), why, if_ours=True)


def _gone(kind: Kind, object: Object) -> Wait:
    return Wait(kind, name(object), namespace(object), gone, f"{kind.name} {place(object)} is gone", _GRACE)


def _after(step: Step, key: str) -> Step:
    return replace(step, needs=(*step.needs, key))
