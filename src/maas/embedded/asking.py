"""What Envoy's question says: who asks, for what. The names of the headers are a contract with `embedded.envoy`.

Envoy has read the JSON body and put what matters into x-maas-* headers; a client's own x-maas-* never get here.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import orjson

from maas.domain.admission import Dialect, Refused, Request, Why
from maas.domain.platform import Platform

HOST_SUFFIX = ".maas.local"
_DIALECTS = {
    "chat/completions": Dialect.CHAT,
    "completions": Dialect.COMPLETIONS,
    "embeddings": Dialect.EMBEDDINGS,
    "responses": Dialect.RESPONSES,
    "messages": Dialect.MESSAGES,
}
_PATH = re.compile(r"(?:(?:/llm)?/(?P<model>[^/]+))?/v1/(?P<rest>.*)")
_LONGEST_PATH = 512  # anybody may ask for any path, and thousands are remembered
_SCHEMES = ("bearer ", "apikey ")
_MAX_TOKENS = (
    "x-maas-max-tokens",
    "x-maas-max-completion-tokens",
    "x-maas-max-output-tokens",
    "x-maas-n-predict",  # llama.cpp's, which takes it before any other
)
_REMEMBERED = ("x-maas-previous-response-id", "x-maas-conversation")
_UNUSABLE = "?"  # what the gateway tells instead of a value of a type that a field can't have
_NO_JSON = "The body must be a JSON object, sent with Content-Type: application/json."
_AMBIGUOUS = {
    "duplicate": "The body has one of its fields twice; it is unclear which one is meant.",
    "name": "The body has a field whose name has an escape or a character beyond ASCII, is longer than 256 characters, "
    "or differs from that of another field in upper and lower case only.",
}
_MANY = 10**9
_LONGEST_COUNTED = 2**20  # bytes: parsing them takes up to 0.2 s, in which nobody gets a decision


class Headers(Protocol):
    """Of the question; names in lower case."""

    def get(self, key: str, default: None = None) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Target:
    """What a path means. dialect is None for discovery; model is the one named in the path, if any."""

    dialect: Dialect | None
    model: str | None


def target(path: str) -> Target | None:
    """None for a path that leads nowhere. It has no query, and percent signs have been decoded."""
    return _target(path) if len(path) <= _LONGEST_PATH else None


@lru_cache(4096)
def _target(path: str) -> Target | None:
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    rest = match["rest"]
    if rest == "models" or rest.startswith("models/"):
        return Target(None, match["model"])
    dialect = _DIALECTS.get(rest)
    return Target(dialect, match["model"]) if dialect else None


def presented_key(headers: Headers) -> str | None:
    """The key in `Authorization: Bearer|APIKEY …`, or else in `x-api-key`."""
    authorization = headers.get("authorization")
    if authorization and authorization[:7].lower() in _SCHEMES:
        return authorization[7:].strip() or None
    return headers.get("x-api-key") or None


def inference(target: Target, headers: Headers, body: bytes, platform: Platform) -> Request | Refused:
    """The request behind a question about a model."""
    assert target.dialect is not None
    if (wrong := _unreadable(target.dialect, headers)) is not None:
        return Refused(Why.BAD_REQUEST, wrong)
    model = _model(target, headers, platform)
    if isinstance(model, Refused):
        return model
    known = platform.model(model)
    answers = _answers(target.dialect, headers, body)
    if isinstance(answers, Refused):
        return answers
    return Request(
        id=headers.get("x-request-id") or "",
        dialect=target.dialect,
        model=known.name if known else model,
        stream=headers.get("x-maas-stream") == "true",
        body_bytes=_count(headers.get("x-maas-body-bytes")) or _MANY,
        max_tokens=_max_tokens(headers, known.context_length if known else None),
        answers=answers,
        remembered=any(headers.get(name) for name in _REMEMBERED),
    )


def _unreadable(dialect: Dialect, headers: Headers) -> str | None:
    """What the model could read in another way than we do, or do where nobody could meter it."""
    mark = headers.get("x-maas-json")
    if mark != "1":
        return _AMBIGUOUS.get(mark or "", _NO_JSON)
    if headers.get("x-maas-model") == _UNUSABLE:
        return "`model` must be a string."
    if headers.get("x-maas-stream") not in (None, "true", "false"):
        return "`stream` must be true or false."
    if dialect is Dialect.RESPONSES and headers.get("x-maas-background") not in (None, "false"):
        return "`background` is not served here: such an answer ends before its tokens can be counted. Use `stream`."
    return None


def _model(target: Target, headers: Headers, platform: Platform) -> str | Refused:
    """From the path, the host or the body; where several name one, they must mean the same."""
    host = (headers.get("host") or headers.get(":authority") or "").split(":")[0].lower()
    is_model = host.endswith(HOST_SUFFIX) and host not in platform.gateway.hosts
    named = {
        "path": target.model,
        "host": host.removesuffix(HOST_SUFFIX) if is_model else None,
        "body": headers.get("x-maas-model"),
    }
    names = {where: name for where, name in named.items() if name}
    if not names:
        return Refused(Why.BAD_REQUEST, "The body names no `model`. GET /v1/models lists those this key may use.")
    if len({platform.name_of(name) for name in names.values()}) > 1:
        said = ", ".join(f"the {where} names {name!r}" for where, name in names.items())
        return Refused(Why.BAD_REQUEST, f"It is unclear which model is meant: {said}. Name the same one, or only one.")
    return next(iter(names.values()))


def _max_tokens(headers: Headers, context_length: int | None) -> int | None:
    """The largest bound the client set under any of its names, at most what the model can hold.

    Zero and less bound nothing: llama.cpp takes -1 for as much as there is.
    """
    told = [value for name in _MAX_TOKENS if (value := headers.get(name)) is not None]
    bounds = [_count(value) or _MANY for value in told]
    if not bounds or _MANY in bounds:
        return None
    return max(bounds) if context_length is None else min(max(bounds), context_length)


def _answers(dialect: Dialect, headers: Headers, body: bytes) -> int | Refused:
    asked = max(_count(headers.get("x-maas-n")) or 1, _count(headers.get("x-maas-best-of")) or 1)
    if dialect is not Dialect.COMPLETIONS:
        return asked
    if not body:  # the gateway sends it along for this very path only: another spelling of it is no way around
        return Refused(Why.NO_ROUTE, "The path must be written as /v1/completions, without percent signs.")
    if len(body) > _LONGEST_COUNTED:
        return Refused(Why.BAD_REQUEST, f"A body of /v1/completions may have {_LONGEST_COUNTED // 2**20} MiB.")
    return asked * _prompts(body)


def _prompts(body: bytes) -> int:
    """How many prompts /v1/completions was given: the one thing that Envoy can't put into a header."""
    try:
        prompt = orjson.loads(body)["prompt"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return 1
    several = isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], int)
    return len(prompt) if several else 1


def _count(text: str | None) -> int | None:
    """A whole number ≥ 0, or None for anything else: the model will say what is wrong with it."""
    if text is None:
        return None
    try:
        return min(_MANY, max(0, int(float(text))))
    except (ValueError, OverflowError):
        return None
