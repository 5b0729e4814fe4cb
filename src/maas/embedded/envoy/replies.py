"""What Envoy itself has to say when there is no answer to pass on, in the shape that OpenAI's clients read, and on
Anthropic's path in that of Anthropic's."""

from collections.abc import Iterator
from dataclasses import dataclass

from maas.embedded.envoy.names import ANSWER_LIMIT, BODY_LIMIT, Json, typed


@dataclass(frozen=True)
class _Reply:
    """flags: Envoy's response flags. details: its response code details. Either says when this is the reply.

    status: None keeps Envoy's.
    """

    code: str
    message: str
    status: int | None
    flags: tuple[str, ...] = ()
    details: str = ""
    type: str = "api_error"


_TOO_MUCH = "This gateway has too much to do. Try again shortly."
_REPLIES = (
    _Reply("model_unavailable", "The server of this model is not reachable. Try again.", 503, ("UF", "UH", "NC")),
    _Reply("model_unavailable", "The server of this model broke the connection.", 503, ("UC", "UR", "LR", "UPE")),
    _Reply("timeout", "The model did not answer in time.", 504, ("UT", "SI", "DT")),
    _Reply("overloaded", _TOO_MUCH, 503, ("OM", "UO")),
    _Reply("overloaded", _TOO_MUCH, 503, details="overload"),  # memory is running out: see bootstrap.py
    _Reply(
        "request_too_large",
        f"The body of a request may have {BODY_LIMIT // 1024**2} MiB.",
        413,
        details="request_payload_too_large",
        type="invalid_request_error",
    ),
    _Reply(
        "answer_too_large",
        f"The model's answer has more than {ANSWER_LIMIT // 1024**2} MiB. Ask for less at once, or for a stream.",
        502,
        details="response_payload_too_large",
    ),
)
_NO_DECISION = _Reply(
    "admission_unavailable",
    "The admission service of this gateway does not answer, so nothing was let through. Try again shortly; if it "
    "lasts, `maas status` says why.",
    503,
)
_TOO_MANY_HEADERS = _Reply(
    "too_many_headers", "This request has too many headers, or too long ones.", 431, type="invalid_request_error"
)
_ELSE = _Reply("gateway_error", "The gateway failed: %RESPONSE_CODE_DETAILS%.", None)
_BAD_REQUEST = _Reply(
    "bad_request", "The gateway refused this request: %RESPONSE_CODE_DETAILS%.", None, type="invalid_request_error"
)
_AS_IT_IS = {
    "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
    "content_type": "application/json",
}


def local_replies() -> Json:
    """The first mapper that matches speaks."""
    refused = _flagged("UAEX")  # both for admission's own words, which pass as they are, and for its silence
    return {
        "mappers": [
            *_both_ways(_all_of(refused, _status_is(503)), _NO_DECISION),
            # admission said yes, and what it adds has no room any more
            *_both_ways(_all_of(refused, _status_is(500)), _TOO_MANY_HEADERS),
            {"filter": refused},
            {"filter": _detailed("direct_response"), "body_format_override": _AS_IT_IS},  # routes.refusal() wrote it
            {"filter": _detailed("lua_response"), "body_format_override": _AS_IT_IS},  # wait.lua says it
            *(mapper for reply in _REPLIES for mapper in _both_ways(_condition(reply), reply)),
            *_both_ways(_status_is(500, "GE"), _ELSE),
            *_both_ways(_status_is(400, "GE"), _BAD_REQUEST),
        ]
    }


def invalid_request(code: str, message: str, *, anthropic: bool = False) -> Json:
    return _error_body(code, message, "invalid_request_error", anthropic)


def _both_ways(condition: Json, reply: _Reply) -> Iterator[Json]:
    """Of Anthropic's path first: the other mapper would take it as well."""
    path = {"name": ":path", "string_match": {"safe_regex": {"regex": r".*/v1/messages(\?.*)?"}}}
    for anthropic in (True, False):
        body = _error_body(reply.code, reply.message, reply.type, anthropic)
        yield {
            "filter": _all_of(condition, {"header_filter": {"header": path}}) if anthropic else condition,
            **({"status_code": reply.status} if reply.status else {}),
            "body_format_override": {"json_format": body, "content_type": "application/json"},
        }


def _all_of(*filters: Json) -> Json:
    return {"and_filter": {"filters": list(filters)}}


def _error_body(code: str, message: str, kind: str, anthropic: bool) -> Json:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return {"type": "error", "error": error} if anthropic else {"error": error}


def _condition(reply: _Reply) -> Json:
    return _flagged(*reply.flags) if reply.flags else _detailed(reply.details)


def _detailed(details: str) -> Json:
    filter_type = "extensions.access_loggers.filters.cel.v3.ExpressionFilter"
    expression = f'response.code_details == "{details}"'
    return {"extension_filter": typed("envoy.access_loggers.extension_filters.cel", filter_type, expression=expression)}


def _flagged(*flags: str) -> Json:
    return {"response_flag_filter": {"flags": list(flags)}}


def _status_is(status: int, comparison: str = "EQ") -> Json:
    value = {"default_value": status, "runtime_key": f"maas.status.{comparison.lower()}.{status}"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}
