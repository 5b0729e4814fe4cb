"""Whether limits really limit: Kuadrant lets everybody pass while Limitador is down, with all statuses green."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maas.readiness.findings import Outcome, Remedy, Seen, failed, passed, skipped, unknown, warning
from maas.readiness.traffic import answers
from maas.readiness.traffic.answers import CHAT, Answer
from maas.readiness.traffic.declaring import live
from maas.readiness.traffic.site import Key, Limit, Tier, Unit

if TYPE_CHECKING:
    from maas.readiness.traffic.visit import Visit

MOST_TOKENS = 20_000
_TOKEN_CALLS = 40  # requests that a token limit may take
_TOKENS_A_CALL = 25  # a guess, to choose by
_SHORT = 5.0  # seconds
_AT_ONCE = 4
_MORE = 2  # requests beyond the limit
_LIMITADOR = Remedy(
    "Look whether Limitador runs: the gateway lets everybody pass while it does not answer. Then look whether the "
    "policy is Enforced.",
    (
        "kubectl get pods -n kuadrant-system -l app=limitador",
        "kubectl get ratelimitpolicies,tokenratelimitpolicies -A",
        "kubectl logs -n kuadrant-system deploy/limitador-limitador --tail=50",
    ),
)
_COUNTERS = Remedy(
    "Count per user (counters: auth.identity.userid) and per tier (when: a predicate on the groups).",
    ("kubectl get ratelimitpolicies -A -o yaml",),
)
_UNLIMITED = Remedy("Give the tiers limits: a RateLimitPolicy on a cluster, `limits` in maas.yaml.", step="policies")


@dataclass(frozen=True)
class Spent:
    """What came of asking until a limit was met. refusal: the first 429."""

    passed: int
    refused: int
    seconds: float
    refusal: Answer | None
    other: Answer | None  # the first that was neither


def cheapest(tiers: Sequence[Tier], unit: Unit, most: int) -> tuple[Tier, Limit] | None:
    """The limit that is reached with least, among those that no other limit of the same tier is reached before."""
    fit = [
        (tier, limit)
        for tier in tiers
        for limit in tier.limits
        if limit.unit is unit
        and 0 < limit.amount <= most
        and not any(each.shared for each in tier.limits)
        and (tier.models is None or tier.models)
    ]
    return min(fit, key=lambda pair: _cost(*pair), default=None)


def _cost(tier: Tier, limit: Limit) -> tuple[bool, bool, int]:
    """A limit that another one of its tier comes before shows little; a very short window ends meanwhile."""
    calls = limit.amount if limit.unit is Unit.requests else limit.amount / _TOKENS_A_CALL
    others = [each for each in tier.limits if each.unit is not limit.unit]
    first = any((e.amount if e.unit is Unit.requests else e.amount / _TOKENS_A_CALL) <= calls for e in others)
    return first, limit.seconds < _SHORT, limit.amount


@live(
    "MAAS-508",
    "the limit on requests holds",
    wanted="429 with Retry-After to the first request beyond the limit, and to none before",
    looks="The tier with the smallest limit on requests: as many requests as it allows, and two more.",
    why="While Limitador does not answer, the gateway lets everything pass, and no status tells of it.",
    mend="Look whether Limitador runs; whether the RateLimitPolicy is Enforced and its condition fits the tier.",
    covers=("Rate limiting prevents abuse", "Authentication/Rate Limiting Issues"),
    after=("MAAS-504", "MAAS-505", "MAAS-320", "MAAS-323", "MAAS-407", "MAAS-412"),
)
async def requests_limited(visit: Visit) -> AsyncIterator[Outcome]:
    chosen = cheapest(visit.tiers, Unit.requests, visit.most_requests)
    if chosen is None:
        yield _not_tried(visit, Unit.requests, "MAAS-509")
        return
    tier, limit = chosen
    yield _requests_outcome(tier, limit, await _spend(visit, await visit.key(tier, "limited"), limit.amount + _MORE))


async def _spend(visit: Visit, key: Key, requests: int) -> Spent:
    """Ask for as little as possible, a few at a time, so that a short window does not end meanwhile."""
    began, gate = time.monotonic(), asyncio.Semaphore(_AT_ONCE)
    await visit.model()

    async def ask() -> Answer:
        async with gate:
            return await visit.chat(key, say="Hi", max_tokens=1)

    answers = await asyncio.gather(*(ask() for _ in range(requests)))
    refused = [answer for answer in answers if answer.status == 429]
    other = next((answer for answer in answers if answer.status not in (200, 429)), None)
    count = sum(answer.status == 200 for answer in answers)
    return Spent(count, len(refused), time.monotonic() - began, refused[0] if refused else None, other)


def _requests_outcome(tier: Tier, limit: Limit, spent: Spent) -> Outcome:
    tried = spent.passed + spent.refused
    seen = Seen(f"POST {CHAT}", f"tier {tier.name}, {limit}", f"{spent.passed} passed, {spent.refused} got 429")
    if spent.other is not None:
        return unknown(f"the tier {tier.name} was not limited but failed: a request got {spent.other.said}", seen)
    if spent.seconds >= limit.seconds:
        return unknown(f"{tried} requests took {spent.seconds:.1f} s, longer than the window of {limit}", seen)
    if spent.refusal is None:
        said = f"{tried} requests passed, and the tier {tier.name} allows {limit}: nothing is limited"
        return failed(said, seen, remedy=_LIMITADOR)
    if spent.passed > limit.amount:
        return failed(f"{spent.passed} requests passed, and the tier allows {limit}", seen, remedy=_LIMITADOR)
    return _with_retry_after(f"{limit} ({tier.name}): {spent.passed} passed, then 429", spent.refusal, seen)


def _with_retry_after(said: str, refusal: Answer, seen: Seen) -> Outcome:
    if refusal.headers.get("retry-after"):
        return passed(f"{said}, Retry-After {refusal.headers['retry-after']}")
    remedy = Remedy("On a cluster, Limitador's rateLimitHeaders: DRAFT_VERSION_03 tells clients what is left.")
    return warning(f"{said}, but without Retry-After: clients cannot know when to come again", seen, remedy=remedy)


def _not_tried(visit: Visit, unit: Unit, instead: str) -> Outcome:
    """instead: the check of the other unit, which shows as well that somebody counts."""
    limits = [limit for tier in visit.tiers for limit in tier.limits if limit.unit is unit]
    other = Unit.tokens if unit is Unit.requests else Unit.requests
    if not any(tier.limits for tier in visit.tiers):
        return failed("no tier has any limit", remedy=_UNLIMITED)
    if not limits:
        return skipped(f"no tier has a limit on {unit}")
    if all(limit.shared for limit in limits):
        return unknown(
            f"limits on {unit} are counted for all users together: reaching one would lock them all out",
            remedy=_COUNTERS,
        )
    least = min(limits, key=lambda limit: limit.amount)
    said = f"the smallest limit on {unit} is {least}, which takes too much to reach"
    if cheapest(visit.tiers, other, _most(visit, other)):
        return skipped(f"{said}; {instead} shows whether anything is limited")
    requests = [limit.amount for tier in visit.tiers for limit in tier.limits if limit.unit is Unit.requests]
    commands = (f"maas validate --requests {min(requests)}",) if requests else ()
    return unknown(said, remedy=Remedy("Allow more requests, if the model can take them.", commands))


def _most(visit: Visit, unit: Unit) -> int:
    return visit.most_requests if unit is Unit.requests else MOST_TOKENS


@live(
    "MAAS-509",
    "the limit on tokens holds",
    wanted="429 to the request after the one that spent the last tokens",
    looks="The tier with the smallest limit on tokens: requests until it is spent, and one more.",
    why="One long answer can cost what a thousand short ones do: requests alone say little.",
    mend="Look whether Limitador runs, and whether models report usage (MAAS-505).",
    covers=("Rate limiting prevents abuse",),
    after=("MAAS-505", "MAAS-508", "MAAS-320", "MAAS-407", "MAAS-419"),
)
async def tokens_limited(visit: Visit) -> AsyncIterator[Outcome]:
    chosen = cheapest(visit.tiers, Unit.tokens, MOST_TOKENS)
    if chosen is None:
        yield _not_tried(visit, Unit.tokens, "MAAS-508")
        return
    tier, limit = chosen
    yield await _spend_tokens(visit, tier, limit)


async def _spend_tokens(visit: Visit, tier: Tier, limit: Limit) -> Outcome:
    key, spent, began = await visit.key(tier, "tokens"), 0, time.monotonic()
    say = " ".join(["word"] * min(400, max(4, limit.amount // 10)))
    for calls in range(1, _TOKEN_CALLS + 1):
        answer = await visit.chat(key, say=say, max_tokens=16)
        seen = Seen(f"POST {CHAT}", f"tier {tier.name}, {limit}", f"{spent} tokens in {calls} requests")
        if answer.status == 429:
            return _tokens_outcome(tier, limit, spent, answer, seen)
        if answer.status != 200:
            return unknown(f"a request of the tier {tier.name} got {answer.said}", seen)
        if time.monotonic() - began >= limit.seconds:
            return unknown(f"{spent} tokens took longer than the window of {limit}", seen)
        if spent >= limit.amount:
            said = f"{spent} tokens are spent, and requests still pass: the tier {tier.name} allows {limit}"
            return failed(said, seen, remedy=_LIMITADOR)
        spent += answers.tokens(answer.json) or 0
    return unknown(f"{_TOKEN_CALLS} requests spent {spent} tokens only, of {limit}", seen)


def _tokens_outcome(tier: Tier, limit: Limit, spent: int, refusal: Answer, seen: Seen) -> Outcome:
    by_requests = any(each.unit is Unit.requests and each.amount <= _TOKEN_CALLS for each in tier.limits)
    if spent < limit.amount and by_requests:
        return passed(f"{tier.name}: 429 after {spent} tokens, by its limit on requests or by that on tokens")
    return _with_retry_after(f"{limit} ({tier.name}): 429 after {spent} tokens", refusal, seen)


@live(
    "MAAS-510",
    "one tier's limit leaves the others alone",
    wanted="200 to a key of another tier while one is over its limit",
    looks="A key of another tier, right after the requests of MAAS-508.",
    why="Limits are per user and tier: one user who spends all must not lock the others out.",
    mend="Give each limit a counter (auth.identity.userid) and a condition on the tier.",
    covers=("Rate limiting prevents abuse",),
    after=("MAAS-505", "MAAS-508"),
)
async def others_unaffected(visit: Visit) -> AsyncIterator[Outcome]:
    chosen = cheapest(visit.tiers, Unit.requests, visit.most_requests)
    if chosen is None:
        yield skipped("no tier was brought over its limit: MAAS-508")
        return
    spent = await visit.chat(await visit.key(chosen[0], "limited"), max_tokens=1)
    if spent.status != 429:
        yield skipped(f"no tier is over its limit ({chosen[0].name} gets {spent.said}): MAAS-508")
        return
    for tier, what in _others(visit, chosen[0]):
        answer = await visit.chat(await visit.key(tier, "other"), max_tokens=1)
        seen = Seen(f"POST {CHAT}", f"{what}, while {chosen[0].name} is over its limit", answer.said)
        if answer.status == 200:
            yield passed(f"{what} gets 200 while {chosen[0].name} gets 429", about=what)
        else:
            yield failed(f"{what} gets {answer.said}", seen, remedy=_COUNTERS, about=what)


def _others(visit: Visit, limited: Tier) -> list[tuple[Tier, str]]:
    others = [tier for tier in visit.tiers if tier.name != limited.name and (tier.models is None or tier.models)]
    first = [(tier, f"the tier {tier.name}") for tier in others[-1:]]
    return [*first, (limited, f"another user of {limited.name}")]
