"""Tiers' limits as Kuadrant's policies: requests in a RateLimitPolicy, tokens in a TokenRateLimitPolicy.

Limitador counts for each limit and each value of its counters, from the first hit of a window on: what
domain/limits.py calls a window, so both targets mean the same. What it cannot count (money) is refused, not rounded.

Requests that spend nothing (GET, HEAD, OPTIONS: discovery) are not counted. Every tier has an entry in the token
policy, also one that limits no tokens: what no limit counts appears in no metric, and usage is read from those.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maas.cluster.objects import Object
from maas.cluster.resources.making import made
from maas.cluster.resources.windows import window
from maas.cluster.wanted import GATEWAY, Wanted
from maas.domain.errors import InvalidInput
from maas.domain.limits import Limit, Unit
from maas.domain.platform import Tier

REQUESTS, TOKENS = "maas-requests", "maas-tokens"
NEVER_REACHED = Limit(Unit.TOKENS, 10**12, 366 * 86400)  # counts and does not limit
CATCH_ALL = "any other tier"  # no tier can be called so
COUNTED = '!(request.method in ["GET", "HEAD", "OPTIONS"])'
USER = "auth.identity.userid"
TARGET: Mapping[str, str] = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": GATEWAY}


def policies(wanted: Wanted) -> list[Object]:
    """Raises InvalidInput for limits that a cluster cannot keep."""
    tiers = list(wanted.platform.tiers.values())
    if problems := [problem for tier in tiers for problem in _problems(tier, wanted.tokens_only)]:
        raise InvalidInput("\n".join(problems))
    tokens = _policy("kuadrant.io/v1alpha1", "TokenRateLimitPolicy", TOKENS, _tokens(tiers), wanted.namespace)
    if wanted.tokens_only:
        return [tokens]
    return [_policy("kuadrant.io/v1", "RateLimitPolicy", REQUESTS, _requests(tiers), wanted.namespace), tokens]


def _requests(tiers: Sequence[Tier]) -> dict[str, Any]:
    limited = {tier.name: _of(tier, Unit.REQUESTS) for tier in tiers}
    known = {name: _entry(limits, _is(name)) for name, limits in limited.items() if limits}
    return known | {CATCH_ALL: _entry([Limit(Unit.REQUESTS, 0, 3600)], _is_none_of(limited))}


def _tokens(tiers: Sequence[Tier]) -> dict[str, Any]:
    known = {tier.name: _entry(_of(tier, Unit.TOKENS) or [NEVER_REACHED], _is(tier.name)) for tier in tiers}
    return known | {CATCH_ALL: _entry([Limit(Unit.TOKENS, 0, 3600)], _is_none_of(known))}


def _of(tier: Tier, unit: Unit) -> list[Limit]:
    return [limit for limit in tier.limits if limit.unit is unit]


def _is(tier: str) -> str:
    return f'auth.identity.tier == "{tier}"'


def _is_none_of(tiers: Mapping[str, object]) -> str:
    names = ", ".join(f'"{name}"' for name in sorted(tiers))
    return f"!(auth.identity.tier in [{names}])"


def _entry(limits: Sequence[Limit], condition: str) -> dict[str, Any]:
    return {
        "rates": [{"limit": limit.amount, "window": window(limit.seconds)} for limit in limits],
        "when": [{"predicate": COUNTED}, {"predicate": condition}],
        "counters": [{"expression": USER}],
    }


def _policy(version: str, kind: str, name: str, limits: Mapping[str, Any], namespace: str) -> Object:
    spec = {"targetRef": dict(TARGET), "limits": dict(limits)}
    return made(version, kind, name, namespace, spec=spec)


def _problems(tier: Tier, tokens_only: bool) -> Iterator[str]:
    for index, limit in enumerate(tier.limits):
        if limit.unit is Unit.MONEY:
            yield (
                f"tiers.{tier.name}.limits[{index}]: {limit} cannot be kept on a cluster, which counts requests and "
                f"tokens and knows no prices; write tokens instead, such as {{tokens: 5_000_000, per: {limit.per}}}"
            )
    if tokens_only and tier.limits and not _of(tier, Unit.TOKENS):
        yield (
            f"tiers.{tier.name}.limits: only requests are limited, and --token-rate-limit leaves those limits out; "
            "add one such as {tokens: 1000, per: 1m}, or leave the option out"
        )
