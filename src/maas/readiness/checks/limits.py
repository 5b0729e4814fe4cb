"""Limits: whether there are any, whether they can hold, and whether every tier has one."""

from collections.abc import Iterator, Sequence

from maas.cluster import kinds
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object, name, namespace
from maas.cluster.shell import word
from maas.cluster.stack import ours, rules
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.checks.policies import auth_policies
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, unknown, warning

_LIMITS = (kinds.RATE_LIMIT_POLICY, kinds.TOKEN_RATE_LIMIT_POLICY)
_COVERS = ("7. Kuadrant", "Authentication/Rate Limiting Issues")
_ABUSE = "Rate limiting prevents abuse"


@check(
    "MAAS-323",
    "requests are limited",
    Category.policies,
    phases=AFTER,
    wanted="a RateLimitPolicy or TokenRateLimitPolicy with valid windows on the gateway or its routes",
    looks="What they target; each rate's limit and window; and whether an AuthPolicy hands on what they read.",
    why="Without limits one client can take all of a model; with a window such as 1d the limit does not exist.",
    mend="Attach one; write windows in h, m, s or ms: 24h, not 1d; hand on auth.identity in response.success.filters.",
    covers=(*_COVERS, _ABUSE),
    after=("MAAS-300",),
)
def limited(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = limit_policies(facts, asked)
    bad = [outcome for kind, policy in found for outcome in _bad_rates(kind, policy)]
    bad += [outcome for kind, policy in found for outcome in _unfed(kind, policy, auth_policies(facts, asked))]
    yield from bad
    if not found:
        remedy = Remedy("Attach a RateLimitPolicy.", ("kubectl get ratelimitpolicies -A",), step="policies")
        yield failed("no policy limits requests or tokens", remedy=remedy)
    elif not bad:
        yield passed(f"{names(ours.shown(*each) for each in found)}")


def _bad_rates(kind: Kind, policy: Object) -> Iterator[Outcome]:
    about, limits = ours.shown(kind, policy), rules.limits(policy)
    edit = Remedy(
        "Correct it: for example {limit: 5, window: 2m}.",
        (f"kubectl edit {kind.plural} {word(name(policy))} -n {word(namespace(policy))}",),
    )
    if not limits:
        yield failed("has no limits", Seen(about, "spec.limits"), remedy=edit, about=about)
    for limit in limits:
        for rate in limit.rates:
            field = f"spec.limits.{limit.name}.rates"
            if not rates_valid(rate):
                said = f"{limit.name} has the rate {rate.limit} per {rate.window!r}, which is not valid"
                yield failed(said, Seen(about, field, rate.window), remedy=edit, about=about)
        if not limit.rates:
            said = f"{limit.name} has no rates, and limits nothing"
            yield failed(said, Seen(about, f"spec.limits.{limit.name}"), remedy=edit, about=about)


def _unfed(kind: Kind, policy: Object, auth: Sequence[Object]) -> Iterator[Outcome]:
    """A condition on what is not there is never met; no status tells of it."""
    known = [rules.handed_on(each) for each in auth]
    if not auth or None in known:
        return
    about, there = ours.shown(kind, policy), frozenset[str]().union(*(each or () for each in known))
    for limit in rules.limits(policy):
        if missing := sorted(limit.reads - there):
            said = f"{limit.name} reads {names(f'auth.identity.{m}' for m in missing)}, which no AuthPolicy hands on"
            seen = Seen(about, f"spec.limits.{limit.name}")
            yield warning(f"{said}: it limits nobody", seen, remedy=_feed(auth[0]), about=about)


def _feed(auth: Object) -> Remedy:
    command = f"kubectl edit authpolicy {word(name(auth))} -n {word(namespace(auth))}"
    return Remedy("Hand it on in spec.rules.response.success.filters.identity of the AuthPolicy.", (command,))


def rates_valid(rate: rules.Rate) -> bool:
    return rate.seconds > 0 and rate.limit is not None and rate.limit >= 0


@check(
    "MAAS-324",
    "every tier has a limit",
    Category.policies,
    phases=AFTER,
    wanted="a limit for each tier that the AuthPolicy lets in, or one that holds for everybody",
    looks="The tiers in the authorization rules, those on keys, and those in the conditions of limits.",
    why="Whoever is in a tier that no limit names is not limited at all, and no status tells of it.",
    mend="Add a limit for the tier, or a limit without a condition on tiers.",
    covers=(*_COVERS, _ABUSE),
    after=("MAAS-323", "MAAS-412"),
)
def tiers_limited(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    limits = [limit for _, policy in limit_policies(facts, asked) for limit in rules.limits(policy)]
    if not limits:
        yield skipped("there is no limit at all: MAAS-323")
        return
    named = frozenset[str]().union(*(limit.tiers for limit in limits))
    if any(limit.is_catch_all and any(map(rates_valid, limit.rates)) for limit in limits):
        yield passed("a limit without a condition holds for everybody")
        return
    policies = auth_policies(facts, asked)
    if not policies:
        yield skipped("there is no AuthPolicy that could let anybody in: MAAS-321")
        return
    admitted = frozenset[str]().union(*map(rules.admitted_tiers, policies))
    if not admitted and any(map(rules.asks_for_tier, policies)):
        asking = names(ours.shown(kinds.AUTH_POLICY, each) for each in policies if rules.asks_for_tier(each))
        yield unknown(f"which tiers {asking} lets in cannot be read from its rules; {names(sorted(named))} are limited")
        return
    if not admitted:
        yield warning(
            f"the AuthPolicy lets every tier in, and only {names(sorted(named))} are limited",
            remedy=_tier_remedy("any other"),
        )
        return
    for tier in sorted(admitted - named):
        yield failed(f"the tier {tier} is let in, and has no limit", Seen(tier), remedy=_tier_remedy(tier), about=tier)
    if admitted <= named:
        yield passed(f"{names(sorted(admitted))} are limited")


def _tier_remedy(tier: str) -> Remedy:
    text = f"Give {tier} tier a limit, or refuse it in the AuthPolicy's authorization."
    return Remedy(text, ("kubectl get ratelimitpolicies -A", "kubectl get authpolicies -A"))


def limit_policies(facts: Facts, asked: Asked) -> list[tuple[Kind, Object]]:
    """Those of the platform. Raises NotRead."""
    gateways = ours.gateways(facts, asked.namespace)
    routes = ours.routes(facts, gateways)
    return [(k, policy) for k in _LIMITS for policy in facts.all(k) if ours.aimed_at(policy, gateways, routes)]
