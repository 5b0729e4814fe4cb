"""How a verdict reads to the client: OpenAI's headers and error bodies, and Anthropic's on its own path."""

from collections.abc import Iterable, Sequence
from math import ceil

import orjson

from maas.domain import durations
from maas.domain.admission import Dialect, Refused, Status, Why
from maas.domain.limits import Unit

Pairs = list[tuple[str, str]]

_OPENAI_TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error"}
_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_SHOWN = {Unit.REQUESTS: "requests", Unit.TOKENS: "tokens"}


def limit_headers(statuses: Iterable[Status]) -> Pairs:
    """x-ratelimit-{limit,remaining,reset}-{requests,tokens} of the limit that has least left."""
    tightest: dict[Unit, Status] = {}
    for status in statuses:
        current = tightest.get(status.limit.unit)
        if current is None or (status.remaining, -status.resets_in) < (current.remaining, -current.resets_in):
            tightest[status.limit.unit] = status
    pairs: Pairs = []
    for unit, name in _SHOWN.items():
        if (shown := tightest.get(unit)) is not None:
            pairs += [
                (f"x-ratelimit-limit-{name}", str(shown.limit.amount)),
                (f"x-ratelimit-remaining-{name}", str(shown.remaining)),
                (f"x-ratelimit-reset-{name}", durations.openai_reset(shown.resets_in)),
            ]
    return pairs


def refusal_headers(refused: Refused) -> Pairs:
    pairs: Pairs = [("content-type", "application/json"), *limit_headers(refused.statuses)]
    if refused.retry_after is not None:
        pairs.append(("retry-after", str(max(1, ceil(refused.retry_after)))))
    if refused.status == 401:
        pairs.append(("www-authenticate", 'Bearer realm="maas"'))
    return pairs


def refusal_body(refused: Refused, dialect: Dialect | None) -> bytes:
    """OpenAI's shape everywhere; on /v1/messages with what Anthropic's clients look for beside it."""
    error: dict[str, object] = {
        "message": _told(refused),
        "type": _type(refused),
        "param": "model" if refused.why in (Why.NO_MODEL, Why.MODEL_DENIED) else None,
        "code": str(refused.why),
    }
    if dialect is not Dialect.MESSAGES:
        return orjson.dumps({"error": error})
    error["type"] = _ANTHROPIC_TYPES.get(refused.status, "invalid_request_error")
    return orjson.dumps({"type": "error", "error": error})


def failure_body(code: str, message: str, dialect: Dialect | None) -> bytes:
    """Of what is the platform's fault, and not the request's."""
    error = {"message": message, "type": "api_error", "param": None, "code": code}
    return orjson.dumps({"type": "error", "error": error} if dialect is Dialect.MESSAGES else {"error": error})


def model_list(names: Sequence[str], created: int) -> dict[str, object]:
    """GET /v1/models, in both OpenAI's and Anthropic's words."""
    entries = [model_entry(name, created) for name in names]
    ends = {"first_id": names[0], "last_id": names[-1]} if names else {"first_id": None, "last_id": None}
    return {"object": "list", "data": entries, "has_more": False, **ends}


def model_entry(name: str, created: int) -> dict[str, object]:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "maas",
        "type": "model",
        "display_name": name,
    }


def _told(refused: Refused) -> str:
    if refused.retry_after is None:
        return refused.message
    return f"{refused.message} Try again in {durations.openai_reset(max(1, ceil(refused.retry_after)))}."


def _type(refused: Refused) -> str:
    if refused.why is Why.LIMIT and refused.over is not None:
        return str(refused.over.unit)
    return _OPENAI_TYPES.get(refused.status, "invalid_request_error")
