"""Answers of an API server: JSON, or the Status object that says why not, turned into a MaasError."""

from collections.abc import Iterator
from typing import Any

import orjson

from maas.cluster.failures import Conflicting, Denied, Missing, Refused, ServerFailed
from maas.cluster.objects import at, items, number, text
from maas.cluster.session import Answer
from maas.domain.errors import MaasError

_LONGEST = 600
_HELD = "FieldManagerConflict"  # the message names all of them
_DONE = {"GET": "reading", "POST": "creating", "PATCH": "changing", "DELETE": "deleting", "PUT": "replacing"}


def as_json(answer: Answer, path: str) -> Any:
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise ServerFailed(f"{_subject(path)}: the server did not answer in JSON: {_glimpse(answer)}") from None


def as_list(answer: Answer, path: str) -> Any:
    """What is no list, or holds no items, would be taken for an empty one."""
    found = as_json(answer, path)
    whole = text(found, "kind").endswith("List") and isinstance(at(found, "items"), list | None)
    if not whole or "items" not in found:
        raise ServerFailed(f"{_doing('GET', path)}: the server did not answer with a list: {_glimpse(answer)}")
    return found


def is_gone(answer: Answer) -> bool:
    """410: of a list that was begun too long ago."""
    return answer.status == 410


def failure(answer: Answer, method: str, path: str) -> MaasError:
    status = _status(answer)
    denied = " was denied" if answer.status == 403 else ""
    message = f"{_doing(method, path)}{denied}: {_cause(answer, status)}"
    match answer.status:
        case 400 | 413 | 415 | 422:
            return Refused(message)
        case 403:
            return Denied(message)
        case 404:
            return Missing(message, object_named=bool(text(status, "details", "name")))
        case 409:
            return Conflicting(message, conflicts=tuple(_conflicts(status)))
    return ServerFailed(message)


def _conflicts(status: Any) -> Iterator[tuple[str, str]]:
    """Of a server-side apply: who holds which field. 'conflict with "kubectl" using apps/v1' is all it says of who."""
    for cause in items(status, "details", "causes"):
        who = text(cause, "message").split('"')
        if text(cause, "reason") == _HELD and len(who) > 1:
            yield who[1], text(cause, "field")


def _doing(method: str, path: str) -> str:
    """ "listing pods", "changing nodes worker-1"."""
    subject = _subject(path)
    verb = "listing" if method == "GET" and " " not in subject and "/" not in subject else _DONE.get(method, method)
    return f"{verb} {subject}"


def _status(answer: Answer) -> Any:
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return found if text(found, "kind") == "Status" else {}


def _cause(answer: Answer, status: Any) -> str:
    said = text(status, "message")
    if not said and answer.status == 404:
        return "the cluster does not serve this API (404)"
    if not said:
        return f"the server answered {answer.status}: {_glimpse(answer)}"
    told = (cause for cause in items(status, "details", "causes") if text(cause, "reason") != _HELD)
    causes = [text(cause, "message") for cause in told]
    more = [cause for cause in causes if cause and cause not in said]
    short = "; ".join([said, *more])[:_LONGEST]
    return f"{short} ({number(status, 'code') or answer.status})" if answer.status >= 500 else short


def _glimpse(answer: Answer) -> str:
    """Enough of a foreign answer to recognise whose it is: a login page, a proxy's apology."""
    start = " ".join(answer.body[:400].decode(errors="replace").split())
    return f"{start[:80]!r}" if start else "nothing"


def _subject(path: str) -> str:
    """ "gateways.gateway.networking.k8s.io llm/maas-gateway", from /apis/gateway.networking.k8s.io/v1/namespaces/…"""
    parts = path.partition("?")[0].strip("/").split("/")
    if parts[0] not in ("api", "apis") or len(parts) < 3:
        return path.partition("?")[0]
    group, rest = (parts[1], parts[3:]) if parts[0] == "apis" else ("", parts[2:])
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    if not rest:
        return path
    kind = f"{rest[0]}.{group}" if group else rest[0]
    name = "/".join(part for part in (namespace, rest[1] if len(rest) > 1 else "") if part)
    below = f" ({rest[2]})" if len(rest) > 2 else ""
    return f"{kind} {name}{below}".rstrip() if name else kind
