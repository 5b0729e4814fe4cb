"""Kuadrant's policies: accepted and in force, and whether they leave a way around them.

Accepted alone says nothing: a policy that is Accepted and not Enforced lets everybody pass.
"""

import re
from collections.abc import Container, Iterator, Sequence

from maas.cluster import kinds
from maas.cluster.changes import restart
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import Kind
from maas.cluster.objects import (
    Object,
    condition,
    is_current,
    is_observed,
    is_true,
    items,
    mapping,
    name,
    namespace,
    text,
)
from maas.cluster.shell import word
from maas.cluster.stack import ours, rules
from maas.readiness import conditions
from maas.readiness.catalogue import AFTER, Asked, check
from maas.readiness.evidence import brief, names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, warning

_COVERS = ("7. Kuadrant", "Authentication/Rate Limiting Issues")
_NO_AUTH = "All models require API key authentication"
# One path beside those of models: probes and the like.
_SPARES_HEALTH = re.compile(r"""^\s*request\.(url_)?path\s*!=\s*['"](?![^'"]*/v\d)/[^'"]+['"]\s*$""")


@check(
    "MAAS-320",
    "policies are in force",
    Category.policies,
    phases=AFTER,
    wanted="Accepted and Enforced are True on every policy of the platform",
    looks="AuthPolicy, RateLimitPolicy, TokenRateLimitPolicy, TLSPolicy: status.conditions.",
    why="A policy that is Accepted but not Enforced protects and limits nothing.",
    mend="Do what the reason asks for; MissingDependency: restart the Kuadrant operator.",
    covers=(*_COVERS, _NO_AUTH, "Rate limiting prevents abuse"),
    after=("MAAS-301", "MAAS-303", "MAAS-406"),
)
def enforced(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    gateways = ours.gateways(facts, asked.namespace)
    routes = ours.routes(facts, gateways)
    found = [(kind, each) for kind in ours.POLICIES for each in ours.policies(facts, kind, gateways, routes)]
    if not found:
        yield skipped("no policy is attached: MAAS-321 and MAAS-323 say what that means")
    in_force = {kind for kind, policy in found if is_true(policy, "Enforced")}
    bad = [outcome for kind, policy in found if (outcome := _enforced(kind, policy, kind in in_force))]
    yield from bad
    if found and not bad:
        yield passed(f"{len(found)} are: {names(ours.shown(*each) for each in found)}")


def _enforced(kind: Kind, policy: Object, others: bool) -> Outcome | None:
    """others: one of its kind is in force, so that this one may well be overridden: so defaults work."""
    if others and text(condition(policy, "Enforced"), "reason") == "Overridden":
        return None
    about = ours.shown(kind, policy)
    for type in ("Accepted", "Enforced"):
        found = condition(policy, type)
        seen = Seen(about, f"status.conditions[{type}]", f"{conditions.status(found)} {text(found, 'reason')}".strip())
        if text(found, "status") != "True":
            said = f"is not {type.lower()}: {_why(found)}"
            return failed(said, seen, remedy=_remedy(found, about), about=about)
        if not (is_current(policy, found) and is_observed(policy)):
            return warning("its status is of an older spec", seen, remedy=_restart("it lags"), about=about)
        if "partially" in text(found, "message"):
            return warning(f"{conditions.why(found)}", seen, remedy=_remedy(found, about), about=about)
    return None


def _why(found: Object) -> str:
    return conditions.why(found) if found else "its controller says nothing of it"


def _remedy(found: Object, about: str) -> Remedy:
    message, reason = text(found, "message"), text(found, "reason")
    if "not in the path to any existing routes" in message:
        return Remedy("Attach an HTTPRoute to the policy's target.", ("kubectl get httproutes -A",), step="routes")
    if reason == "MissingDependency" or not found:
        return _restart("it looks for what it depends on only when it starts")
    if "waiting for the following components to sync" in message:
        return Remedy("Wait; if it stays so, look at Kuadrant's pods.", ("kubectl get pods -n kuadrant-system",))
    return conditions.remedy(found, about)


def _restart(why: str) -> Remedy:
    change = restart(kinds.DEPLOYMENT, "kuadrant-operator-controller-manager", ours.KUADRANT, why)
    return Remedy("Restart the Kuadrant operator.", changes=(change,))


@check(
    "MAAS-321",
    "every route asks for a key",
    Category.policies,
    phases=AFTER,
    wanted="an AuthPolicy on the gateway, one on each of its listeners, or one on each route",
    looks="What AuthPolicies target, against the gateways, their listeners and the HTTPRoutes attached to them.",
    why="A route without an AuthPolicy is open to everybody who reaches the gateway.",
    mend="Attach an AuthPolicy to the gateway: it covers all routes, those of tomorrow as well.",
    covers=(*_COVERS, _NO_AUTH),
    after=("MAAS-300",),
)
def authenticated(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    gateways = ours.gateways(facts, asked.namespace)
    routes = ours.routes(facts, gateways)
    policies = facts.all(kinds.AUTH_POLICY)
    for gateway in gateways:
        yield _authenticated(gateway, [r for r in routes if _leads(r, gateway)], policies)
    if not gateways:
        yield skipped("there is no gateway: MAAS-300")


def _authenticated(gateway: Object, routes: Sequence[Object], policies: Sequence[Object]) -> Outcome:
    about = ours.shown(kinds.GATEWAY, gateway)
    on_gateway = [policy for policy in policies if ours.aimed_at(policy, [gateway], ())]
    asked = {t.section for policy in on_gateway for t in ours.targets(policy) if t.means(kinds.GATEWAY, gateway)}
    listeners = [text(each, "name") for each in items(gateway, "spec", "listeners")]
    open_ = [] if "" in asked else [each for each in listeners if each not in asked]
    if on_gateway and not open_:
        return passed(f"{names(map(name, on_gateway))} covers every route", about=about)
    serving = [route for route in routes if ours.backends(route)]  # one that only redirects needs no key
    bare = [r for r in serving if _enters(r, gateway, asked) and not _asks_itself(r, policies)]
    remedy = Remedy("Attach an AuthPolicy to the gateway.", ("kubectl get authpolicies -A",), step="policies")
    through = f" through the listener {names(open_)}" if asked else ""
    if not policies or not serving or (len(bare) == len(serving) and not asked):
        return failed(f"no AuthPolicy asks for a key{through}", Seen(about), remedy=remedy, about=about)
    if bare:
        seen = [Seen(ours.shown(kinds.HTTP_ROUTE, route)) for route in bare[:5]]
        said = f"{names(map(name, bare))} can be called without a key{through}"
        return failed(said, *seen, remedy=remedy, about=about)
    return passed(f"each of {len(serving)} routes has an AuthPolicy", about=about)


def _enters(route: Object, gateway: Object, asked: Container[str]) -> bool:
    """Whether it is reached through a listener that does not ask for keys. A parent without a section means all."""
    sections = [parent.section for parent in ours.parents(route) if parent.means(kinds.GATEWAY, gateway)]
    return any(not section or section not in asked for section in sections)


def _asks_itself(route: Object, policies: Sequence[Object]) -> bool:
    """By a policy on all of it, or by one on each of its rules."""
    on_it = {t.section for policy in policies for t in ours.targets(policy) if t.means(kinds.HTTP_ROUTE, route)}
    rules_ = {text(rule, "name") for rule in items(route, "spec", "rules")}
    return "" in on_it or bool(on_it and rules_ <= on_it)


def _leads(route: Object, gateway: Object) -> bool:
    return any(parent.means(kinds.GATEWAY, gateway) for parent in ours.parents(route))


@check(
    "MAAS-322",
    "policies look for API keys where clients send them",
    Category.policies,
    phases=AFTER,
    wanted="apiKey authentication with a selector, `credentials` beside it, and nobody let in unasked",
    looks="spec.rules.authentication and spec.when of the AuthPolicies.",
    why="`credentials` below `apiKey` is dropped silently; then the policy expects Bearer where clients send APIKEY.",
    mend="Move `credentials` one level up; remove anonymous access.",
    covers=(*_COVERS, _NO_AUTH),
    after=("MAAS-321", "MAAS-418"),
)
def placed(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    found = auth_policies(facts, asked)
    bad = [outcome for policy in found for outcome in _misplaced(policy)]
    yield from bad
    if not found:
        yield skipped("there is no AuthPolicy: MAAS-321")
    elif not bad:
        yield passed(f"{names(map(name, found))}: keys are looked for where clients send them")


def _misplaced(policy: Object) -> Iterator[Outcome]:
    about, ways = ours.shown(kinds.AUTH_POLICY, policy), rules.schemes(policy)
    edit = Remedy(
        "Correct the policy.", (f"kubectl edit authpolicy {word(name(policy))} -n {word(namespace(policy))}",)
    )
    if not ways and not mapping(rules.rules_of(policy), "authorization"):
        yield failed("has no authentication rule: everybody gets in", Seen(about), remedy=edit, about=about)
    if unasked := [each for each in rules.when(policy) if not _SPARES_HEALTH.match(each)]:
        said = f"asks for a key only if {brief(' and '.join(unasked))}: whatever else comes is let in"
        yield warning(said, Seen(about, "spec.when"), remedy=edit, about=about)
    for way in ways:
        field = f"spec.rules.authentication.{way.name}"
        if way.is_anonymous:
            said = f"{way.name} lets everybody in without a key"
            yield failed(said, Seen(about, field, "anonymous"), remedy=edit, about=about)
        if mapping(way.definition, "apiKey", "credentials"):
            said = f"credentials of {way.name} stand below apiKey, where nobody reads them"
            yield failed(said, Seen(about, f"{field}.apiKey.credentials"), remedy=edit, about=about)
        if way.is_api_key and not mapping(way.selector, "matchLabels") and not way.selector.get("matchExpressions"):
            said = f"{way.name} selects no labels, so every Secret with api_key lets in"
            yield warning(said, Seen(about, f"{field}.apiKey.selector", "{}"), remedy=edit, about=about)


def auth_policies(facts: Facts, asked: Asked) -> list[Object]:
    """Those of the platform. Raises NotRead."""
    gateways = ours.gateways(facts, asked.namespace)
    routes = ours.routes(facts, gateways)
    return [policy for policy in facts.all(kinds.AUTH_POLICY) if ours.aimed_at(policy, gateways, routes)]
