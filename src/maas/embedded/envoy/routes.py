"""Which request goes where. The table never changes: models come and go as clusters, named by admission in a header.

A request is routed twice. At first nothing is decided yet: the routes of the first pass only say what admission
has to see. Then admission answers with headers, and the route is picked again. A request that admission did not
send to a model ends at the control plane, which knows no such path: a mistake here cannot open a model.
"""

import json
from collections.abc import Iterator

from maas.embedded.envoy import names
from maas.embedded.envoy.filters import (
    EXT_AUTHZ,
    EXTRACT,
    KNOCK,
    OWN_HEADERS,
    READ_USAGE,
    SCRIPTS,
    ask_with_body,
    knock,
    leave_unread,
    no_question,
    own_headers,
    scripts,
)
from maas.embedded.envoy.names import Json, typed
from maas.embedded.envoy.replies import invalid_request

_LONGEST_ANSWER = "3600s"
_SILENCE = "600s"  # of a model, between two bytes: a long prompt may wait in its queue
_CONTROL_TIMEOUT = "30s"

# the platform's key is no business of a model's, and neither is where the client lives. Nor is it to compress: nobody
# could read the usage of its answer, and what compresses well would cost next to nothing
_PRIVATE = (
    "accept-encoding",
    "authorization",
    "x-api-key",
    "cookie",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-envoy-external-address",
    "x-envoy-original-path",
)
_ANY_PATH: Json = {"prefix": "/"}

_POST: Json = {"name": ":method", "string_match": {"exact": "POST"}}
_SMALL: Json = {"name": "content-length", "range_match": {"start": 0, "end": names.SMALL_BODY + 1}}
_BAD_FIELD = (
    f"One of {', '.join(names.BODY_FIELDS.values())} is longer than 256 characters, or has characters beyond ASCII, "
    "or escaped ones."
)


def routes() -> Json:
    return {
        "name": "maas",
        "virtual_hosts": [
            {
                "name": "maas",
                "domains": ["*"],
                "request_body_buffer_limit": names.BODY_LIMIT,
                "request_headers_to_remove": [names.CONNECTION],  # after the route has read it
                "routes": [
                    health(),
                    _control({**_ANY_PATH, "headers": [_is(names.ROUTE, names.TO_DISCOVERY)]}),
                    _control({**_ANY_PATH, "headers": [_is(names.ROUTE, names.TO_LOADING)]}),
                    *_model_routes(),
                    refusal(400, "invalid_field", _BAD_FIELD, _is(names.BAD_FIELD, "1"), path=_path("messages")),
                    refusal(400, "invalid_field", _BAD_FIELD, _is(names.BAD_FIELD, "1")),
                    *_first_pass(_path("completions"), {EXT_AUTHZ: ask_with_body()}),
                    *_first_pass(_path("embeddings"), {READ_USAGE: leave_unread()}),
                    *_first_pass(_ANY_PATH, {}),
                    _control(_ANY_PATH),
                ],
            }
        ],
    }


def health() -> Json:
    return _control({"path": "/health"}, {EXT_AUTHZ: no_question(), EXTRACT: leave_unread()})


def refusal(status: int, code: str, message: str, *conditions: Json, path: Json = _ANY_PATH) -> Json:
    """Says no without asking anybody. The reply is Envoy's own, so local_replies has to let its body through."""
    body = invalid_request(code, message, anthropic=path is not _ANY_PATH)
    return {
        "match": {**path, "headers": list(conditions)},
        "direct_response": {"status": status, "body": {"inline_string": json.dumps(body)}},
        "typed_per_filter_config": {EXT_AUTHZ: no_question(), EXTRACT: leave_unread()},
    }


def _first_pass(path: Json, per_filter: Json) -> Iterator[Json]:
    """Only of a POST is the body read; and if it is large, or nobody knows how large, only once its key is known.

    The limit that holds until then makes a sender wait. It has to be lower than the one from then on: raising it ends
    the waiting, while a body that had reached the same limit would wait forever.
    """
    yield _control({**path, "headers": [_POST, _SMALL]}, per_filter)
    yield _control({**path, "headers": [_POST, _is(names.KNOWN, "1")]}, per_filter)
    unknown = _control({**path, "headers": [_POST]}, {**per_filter, KNOCK: knock()})
    yield {**unknown, "request_body_buffer_limit": names.SMALL_BODY}


def _control(match: Json, per_filter: Json | None = None) -> Json:
    route: Json = {"match": match, "route": {"cluster": names.CONTROL, "timeout": _CONTROL_TIMEOUT}}
    if per_filter:
        route["typed_per_filter_config"] = per_filter
    return route


def _model_routes() -> Iterator[Json]:
    forced, stripped = _is(names.FORCE_USAGE, "1"), _is(names.STRIP_USAGE, "1")
    unnamed = {"name": names.WRITE_MODEL, "present_match": True}
    waits: Json = {"name": names.WAIT, "present_match": True}
    for when, first in (({**waits, "invert_match": True}, ()), (waits, ("wait",))):
        yield _model([when, forced, stripped], {SCRIPTS: scripts("amend", *first, "usage", strip=True)})
        yield _model([when, forced], {SCRIPTS: scripts("amend", *first, "usage")})
        yield _model([when, unnamed], {SCRIPTS: scripts("amend", *first, "embedding_usage")}, _path("embeddings"))
        yield _model([when], {SCRIPTS: scripts(*first, "embedding_usage")}, _path("embeddings"))
        yield _model([when, unnamed], {SCRIPTS: scripts("amend", *first, "usage")})
        yield _model([when], {SCRIPTS: scripts(*first, "usage")})


def _model(conditions: list[Json], per_filter: Json, path: Json = _ANY_PATH) -> Json:
    return {
        "match": {**path, "headers": [_is(names.ROUTE, names.TO_MODEL), *conditions]},
        "request_body_buffer_limit": names.ANSWER_LIMIT,  # holds for both directions
        "route": {
            "cluster_header": names.CLUSTER,
            "cluster_not_found_response_code": "SERVICE_UNAVAILABLE",
            "regex_rewrite": {
                "pattern": {"regex": "^(?:/llm)?/[^/]+(/v1/.*)$"},
                "substitution": r"\1",
            },
            "auto_host_rewrite": True,
            "timeout": _LONGEST_ANSWER,
            "idle_timeout": _SILENCE,
            "retry_policy": {
                "retry_on": "connect-failure,refused-stream,reset-before-request",
                "num_retries": 2,
                "retry_priority": typed(
                    "envoy.retry_priorities.previous_priorities",
                    "extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
                    update_frequency=1,
                ),
                "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
            },
        },
        "request_headers_to_remove": [*_PRIVATE, *names.OWN_HEADERS],
        "request_headers_to_add": [{"header": {"key": "connection", "value": f"%REQ({names.CONNECTION})%"}}],
        "typed_per_filter_config": {OWN_HEADERS: own_headers(), **per_filter},
    }


def _path(endpoint: str) -> Json:
    return {"safe_regex": {"regex": f"(?:/llm)?(?:/[^/]+)?/v1/{endpoint}"}}


def _is(header: str, value: str) -> Json:
    return {"name": header, "string_match": {"exact": value}}
