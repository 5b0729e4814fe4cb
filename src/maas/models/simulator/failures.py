"""Failures on purpose: by rate, as a bad day at a model server, or by header, as one test case."""

from collections.abc import Callable
from random import Random

from .errors import ApiError, bad_request, model_not_found
from .settings import Settings

_MAKERS: dict[str, Callable[[str], ApiError]] = {
    "rate_limit": lambda model: ApiError(
        429, f"Rate limit reached for {model}.", kind="rate_limit_exceeded", code="rate_limit_exceeded"
    ),
    "invalid_api_key": lambda model: ApiError(401, "Incorrect API key provided.", code="invalid_api_key"),
    "context_length": lambda model: ApiError(
        400,
        "This model's maximum context length is exceeded.",
        code="context_length_exceeded",
        param="messages",
    ),
    "server_error": lambda model: ApiError(503, "The server is overloaded or not ready yet.", kind="server_error"),
    "invalid_request": lambda model: bad_request(f"Invalid request for model {model}."),
    "model_not_found": model_not_found,
}


def injected(settings: Settings, model: str, random: Random) -> ApiError | None:
    if not settings.failure_injection_rate or random.random() * 100 >= settings.failure_injection_rate:
        return None
    return _MAKERS[random.choice(settings.failure_types)](model)


def demanded(header: str | None) -> ApiError | None:
    """By `X-Return-Error: 429`, or any other status from 400 to 599."""
    if header is None:
        return None
    status = int(header) if header.isascii() and header.isdecimal() and len(header) == 3 else 0
    if not 400 <= status <= 599:
        return bad_request("X-Return-Error must be a status from 400 to 599.", "X-Return-Error")
    return ApiError(status, f"Error {status} as demanded by X-Return-Error.", code="injected")
