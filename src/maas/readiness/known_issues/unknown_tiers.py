"""A tier that no limit names is a tier without limits.

Limits apply where their predicate holds. A user whose tier no predicate knows is counted nowhere and never refused,
unless the AuthPolicy lets only known tiers in.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Facts
from maas.cluster.facts.redaction import is_redacted
from maas.cluster.kinds import AUTH_POLICY, RATE_LIMIT_POLICY, SECRET, TOKEN_RATE_LIMIT_POLICY, Kind
from maas.cluster.objects import Object, annotation, items, mapping, name, namespace, number, place, text
from maas.cluster.stack.rules import unescaped
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Outcome, Remedy, Seen, failed, skipped
from maas.readiness.issues import known_issue
from maas.readiness.signs import called, few, listed

_GROUPS = "kuadrant.io/groups"
_WORD = re.compile(r"""==\s*["']([A-Za-z0-9][\w.-]*)["']|["']([A-Za-z0-9][\w.-]*)["']\s*(?:==|in\b)""")
_QUOTED = re.compile(r"""["']([A-Za-z0-9][\w.-]*)["']""")
_ABOUT_TIERS = ("group", "tier", "plan", "subscription")


@known_issue(
    "MAAS-412",
    "every tier has a limit",
    sign="A tier in a key Secret's kuadrant.io/groups, or one that an AuthPolicy lets in, that no predicate of a "
    "RateLimitPolicy or TokenRateLimitPolicy names, where no limit is for all.",
    cause="A limit applies only where its predicate holds. Who is in a tier that none names is never limited, unless "
    "the AuthPolicy refuses that tier.",
    mend="Give the tier a limit of its own, or add one without a predicate for everybody.",
    needs=(AUTH_POLICY,),
    covers=("Authentication/Rate Limiting Issues",),
    explains=(
        "MAAS-324",
        "MAAS-334",
    ),
)
def unlimited(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    policies = [(RATE_LIMIT_POLICY, each) for each in facts.all(RATE_LIMIT_POLICY)]
    policies += [(TOKEN_RATE_LIMIT_POLICY, each) for each in facts.all(TOKEN_RATE_LIMIT_POLICY)]
    if not policies:
        yield skipped("does not apply: there are no policies of limits")
        return
    every_limit = [limit for _, policy in policies for limit in limits(policy).values()]
    if any(_is_for_all(limit) for limit in every_limit):
        return
    limited = {tier for limit in every_limit for tier in _named(_predicates(limit))}
    admitted = _admitted(facts)
    used = Counter(tier for secret in facts.all(SECRET) for tier in _groups(secret))
    for tier in sorted((used.keys() | (admitted or set())) - limited):
        if admitted is None or tier in admitted:
            yield _outcome(facts, policies, tier, used[tier])


def _outcome(facts: Facts, policies: list[tuple[Kind, Object]], tier: str, keys: int) -> Outcome:
    holders = [secret for secret in facts.known(SECRET) if tier in _groups(secret)]
    field = f"metadata.annotations.{_GROUPS}"
    seen = [Seen(called(SECRET, each), field, annotation(each, _GROUPS)) for each in holders]
    seen += [
        Seen(called(kind, policy), "spec.limits", listed(list(map(str, limits(policy)))))
        for kind, policy in policies[:2]
    ]
    who = {0: "whoever is in it is", 1: "its one key is"}.get(keys, f"its {keys} keys are")
    return failed(
        f"it has no limit: {who} unlimited",
        *few(seen, 4),
        remedy=_remedy(policies, tier),
        about=f"tier {tier}",
    )


def _limits_seen(kind: Kind, policy: Object) -> Seen:
    return Seen(called(kind, policy), "spec.limits", listed(list(map(str, limits(policy)))))


def limits(policy: Object) -> Mapping[str, Any]:
    """By name, from wherever the policy has them."""
    return next((found for path in _PLACES if (found := mapping(policy, *path))), {})


_PLACES = (("spec", "limits"), ("spec", "defaults", "limits"), ("spec", "overrides", "limits"))


def _predicates(limit: object) -> list[str]:
    return [text(each, "predicate") for each in items(limit, "when")]


def _is_for_all(limit: object) -> bool:
    """Also one whose predicate excludes: it may well be the one for everybody else."""
    about_tiers = [each for each in _predicates(limit) if any(word in each for word in _ABOUT_TIERS)]
    return not about_tiers or any("!" in each for each in about_tiers)


def _tiers(predicates: list[str]) -> set[str]:
    about = [each for each in predicates if any(word in each for word in _ABOUT_TIERS)]
    return {one or other for each in about for one, other in _WORD.findall(unescaped(each))}


def _named(predicates: list[str]) -> set[str]:
    """Every word in quotes may be a tier: of those that a limit knows, one too many is better than one too few."""
    about = [each for each in predicates if any(word in each for word in _ABOUT_TIERS)]
    return {word for each in about for word in _QUOTED.findall(unescaped(each))}


def _groups(secret: Object) -> list[str]:
    value = annotation(secret, _GROUPS)
    return [] if is_redacted(value) else [each.strip() for each in value.split(",") if each.strip()]


def _admitted(facts: Facts) -> set[str] | None:
    """The tiers that authorization names; None where any is let in, or where nobody can tell."""
    found: set[str] = set()
    for policy in facts.all(AUTH_POLICY):
        rules = [mapping(policy, *path, "rules") for path in (("spec",), ("spec", "defaults"), ("spec", "overrides"))]
        for rule in (each for section in rules for each in mapping(section, "authorization").values()):
            rego = text(rule, "opa", "rego")
            patterns = [text(each, "predicate") for each in items(rule, "patternMatching", "patterns")]
            found |= _tiers([rego, *patterns])
    return found or None


def _remedy(policies: list[tuple[Kind, Object]], tier: str) -> Remedy:
    """The strictest limit there is, until somebody decides."""
    candidates = [(kind, policy, key, limit) for kind, policy in policies for key, limit in limits(policy).items()]
    candidates = [each for each in candidates if each[0] is candidates[0][0] and len(_tiers(_predicates(each[3]))) == 1]
    if not candidates:
        return Remedy(f"Add a limit for tier {tier}, or one without a predicate for everybody.")
    kind, policy, key, limit = min(candidates, key=lambda each: _rate(each[3]))
    old = next(iter(_tiers(_predicates(limit))))
    when = [{**each, "predicate": _renamed(text(each, "predicate"), old, tier)} for each in items(limit, "when")]
    body: dict[str, Any] = {tier: {**limit, "when": when}}
    for step in reversed(next(path for path in _PLACES if mapping(policy, *path))):
        body = {step: body}
    why = f"as strict as {key}, the strictest, until you decide"
    return Remedy(
        f"Give tier {tier} a limit in {kind.name} {place(policy)}: that of {key}, the strictest there is, until you "
        "decide on another.",
        changes=(Change(Verb.patch, kind, name(policy), namespace(policy), body, why),),
    )


def _renamed(predicate: str, old: str, new: str) -> str:
    return unescaped(predicate).replace(f'"{old}"', f'"{new}"').replace(f"'{old}'", f"'{new}'")


def _rate(limit: object) -> int:
    return min((number(rate, "limit") or 0 for rate in items(limit, "rates")), default=0)
