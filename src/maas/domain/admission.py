"""The one decision: may this request pass, and what is reserved for it.

Tokens are spent while a request runs, and what it will spend is unknown when it arrives. So an upper bound is
reserved and later replaced by what the model reported. The bound is clipped to what remains, or a lone request
could never use the end of its quota; but then nothing else is granted until the clipped one has settled, or
every clipped one could overshoot. So spending never passes a limit by more than one answer.

The bound of a prompt is its bytes, since a token is never shorter than a byte. An average (four bytes to a
token) was rejected: prompts of digits would break the promise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from maas.domain.keys import Key
from maas.domain.limits import Level, Limit, Unit
from maas.domain.platform import Model, Platform, Tier

SETTLING_RETRY = 1.0  # seconds to wait when only requests under way stand in the way: their end is unknown


class Dialect(StrEnum):
    """What a path speaks; how usage is named in its answers, and whether a stream must be told to report it."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    RESPONSES = "responses"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Request:
    """What the gateway knows when a request asks to pass.

    body_bytes: length of the body. max_tokens: per answer, None if unset. answers: how many are asked for
    (n, best_of, several prompts). remembered: the prompt begins with what the server has kept, however long that is.
    """

    id: str
    dialect: Dialect
    model: str
    stream: bool
    body_bytes: int
    max_tokens: int | None = None
    answers: int = 1
    remembered: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """The most a request can spend; output None is unbounded."""

    prompt: int
    output: int | None

    def of(self, limit: Limit, model: Model) -> int | None:
        if limit.unit is Unit.REQUESTS:
            return 1
        if limit.unit is Unit.TOKENS:
            return None if self.output is None else self.prompt + self.output
        if self.output is None:
            return None if model.price.output else model.price.cost(self.prompt, 0)
        return model.price.cost(self.prompt, self.output)


@dataclass(frozen=True, slots=True)
class Hold:
    """What one limit holds for one request. Requests are charged at once; tokens and money settle later."""

    limit: Limit
    amount: int
    clipped: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """A limit as the client may see it: in headers and in a refusal."""

    limit: Limit
    remaining: int
    resets_in: float


@dataclass(frozen=True, slots=True)
class Admitted:
    model: Model
    holds: tuple[Hold, ...]
    statuses: tuple[Status, ...]


class Why(StrEnum):
    BAD_REQUEST = "invalid_request"
    NO_ROUTE = "unknown_url"
    METHOD = "method_not_allowed"
    NO_KEY = "missing_api_key"
    UNKNOWN_KEY = "invalid_api_key"
    REVOKED_KEY = "revoked_api_key"
    EXPIRED_KEY = "expired_api_key"
    TIER = "tier_not_allowed"
    MODEL_DENIED = "model_not_allowed"
    NO_MODEL = "model_not_found"
    LIMIT = "rate_limit_exceeded"


STATUS_OF = {
    Why.BAD_REQUEST: 400,
    Why.NO_ROUTE: 404,
    Why.METHOD: 405,
    Why.NO_KEY: 401,
    Why.UNKNOWN_KEY: 401,
    Why.REVOKED_KEY: 401,
    Why.EXPIRED_KEY: 401,
    Why.TIER: 403,
    Why.MODEL_DENIED: 403,
    Why.NO_MODEL: 404,
    Why.LIMIT: 429,
}


@dataclass(frozen=True, slots=True)
class Refused:
    """settling: room would be there if the requests under way turn out cheaper than what they hold."""

    why: Why
    message: str
    over: Limit | None = None
    retry_after: float | None = None
    settling: bool = False
    statuses: tuple[Status, ...] = ()

    @property
    def status(self) -> int:
        return STATUS_OF[self.why]


class Counters(Protocol):
    def level(self, user: str, tier: str, limit: Limit, now: float) -> Level: ...


def decide(request: Request, key: Key | None, platform: Platform, counters: Counters, now: float) -> Admitted | Refused:
    """The verdict on a request that presented a key with this hash (None: no key has it). Changes nothing."""
    identity = identify(key, platform, now)
    if isinstance(identity, Refused):
        return identity
    known, tier = identity
    model = permitted(request.model, known, tier, platform)
    if isinstance(model, Refused):
        return model
    return _within_limits(request, known, tier, model, counters, now)


def identify(key: Key | None, platform: Platform, now: float) -> tuple[Key, Tier] | Refused:
    """Who is calling: a live key of a known tier."""
    if key is None:
        return Refused(Why.UNKNOWN_KEY, "This API key is not known here. Ask your administrator for a key.")
    if (status := key.status(now)) != "active":
        why = Why.REVOKED_KEY if status == "revoked" else Why.EXPIRED_KEY
        return Refused(
            why,
            f"This API key ({key.prefix}) has been revoked."
            if status == "revoked"
            else f"This API key ({key.prefix}) has expired. Ask your administrator for a new one.",
        )
    tier = platform.tiers.get(key.tier)
    if tier is None:
        return Refused(Why.TIER, f"The tier {key.tier!r} of this key does not exist any more.")
    return key, tier


def permitted(name: str, key: Key, tier: Tier, platform: Platform) -> Model | Refused:
    model = platform.model(name)
    if model is None:
        return Refused(
            Why.NO_MODEL, f"The model {name!r} does not exist here. GET /v1/models lists those this key may use."
        )
    if not may_use(model, key, tier):
        by = f"the tier {tier.name!r}" if tier.models is not None and model.name not in tier.models else "this API key"
        return Refused(Why.MODEL_DENIED, f"The model {name!r} is not open to {by}.")
    return model


def may_use(model: Model, key: Key, tier: Tier) -> bool:
    return (tier.models is None or model.name in tier.models) and (key.models is None or model.name in key.models)


def demand(request: Request, model: Model) -> Demand:
    if request.dialect is Dialect.EMBEDDINGS:
        return Demand(request.body_bytes, 0)
    if request.remembered:
        return Demand(request.body_bytes, None)
    bounds = [bound for bound in (request.max_tokens, model.context_length) if bound is not None]
    return Demand(request.body_bytes, min(bounds) * request.answers if bounds else None)


def statuses(user: str, tier: Tier, counters: Counters, now: float) -> tuple[Status, ...]:
    levels = ((limit, counters.level(user, tier.name, limit, now)) for limit in tier.limits)
    return tuple(Status(limit, level.remaining(limit), level.resets_in(limit, now)) for limit, level in levels)


def _within_limits(
    request: Request, key: Key, tier: Tier, model: Model, counters: Counters, now: float
) -> Admitted | Refused:
    wanted = demand(request, model)
    holds: list[Hold] = []
    shown: list[Status] = []
    refusals: list[Refused] = []
    for limit in tier.limits:
        level = counters.level(key.user, tier.name, limit, now)
        remaining = level.remaining(limit)
        need = wanted.of(limit, model)
        if need != 0 and (remaining == 0 or level.clipped):
            refusals.append(_refusal(limit, level, now))
        granted = remaining if need is None else min(need, remaining)
        holds.append(Hold(limit, granted, clipped=need is None or need > remaining))
        shown.append(Status(limit, remaining, level.resets_in(limit, now)))
    if refusals:
        return _strictest(refusals, shown)
    return Admitted(model, tuple(holds), tuple(map(_after_this_request, shown)))


def _after_this_request(status: Status) -> Status:
    """A request is charged when it is admitted; what it will spend in tokens is not known yet."""
    if status.limit.unit is not Unit.REQUESTS:
        return status
    return Status(status.limit, status.remaining - 1, status.resets_in)


def _refusal(limit: Limit, level: Level, now: float) -> Refused:
    if level.used >= limit.amount:
        wait = level.resets_in(limit, now)
        return Refused(Why.LIMIT, f"Over the limit of {limit}.", limit, wait)
    message = (
        f"The rest of the limit of {limit} is reserved for requests still under way. A lower max_tokens reserves less."
    )
    return Refused(Why.LIMIT, message, limit, SETTLING_RETRY, settling=True)


def _strictest(refusals: Sequence[Refused], shown: Sequence[Status]) -> Refused:
    """The refusal that lasts longest: waiting for any other would only meet this one next."""
    worst = max(refusals, key=lambda refusal: refusal.retry_after or 0.0)
    return Refused(
        worst.why, worst.message, worst.over, worst.retry_after, all(r.settling for r in refusals), tuple(shown)
    )
