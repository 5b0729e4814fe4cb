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
    MERGE,
    OWN_HEADERS,
    READ_USAGE,
    SCRIPTS,
    ask_with_body,
    leave_unread,
    merge_usage_option,
    no_question,
    own_headers,
    scripts,
)
from maas.embedded.envoy.names import Json
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

# What stands in a JSON string may be anything, line feeds included, and is in a header by now. Envoy would refuse to
# send such a header to admission, and blame admission. So a request comes to the question only with good ones.
_GOOD_FIELDS = [
    {"name": header, "string_match": {"safe_regex": {"regex": "[ -~]{0,256}"}}, "treat_missing_header_as_empty": True}
    for header in names.BODY_FIELDS
]
_BAD_FIELD = (
    "One of model, stream, stream_options, max_tokens, max_completion_tokens, max_output_tokens, n and best_of is "
    "longer than 256 characters, or has characters beyond ASCII."
)


def routes() -> Json:
    return {
        "name": "maas",
        "virtual_hosts": [
            {
                "name": "maas",
                "domains": ["*"],
                "request_body_buffer_limit": names.BODY_LIMIT,
                "routes": [
                    health(),
                    _control({**_ANY_PATH, "headers": [_is(names.ROUTE, names.TO_DISCOVERY)]}),
                    *_model_routes(),
                    _control(
                        {**_path("completions"), "headers": _GOOD_FIELDS},
                        {EXT_AUTHZ: ask_with_body()},
                    ),
                    _control({**_path("embeddings"), "headers": _GOOD_FIELDS}, {READ_USAGE: leave_unread()}),
                    _control({**_ANY_PATH, "headers": _GOOD_FIELDS}),
                    refusal(400, "invalid_field", _BAD_FIELD),
                ],
            }
        ],
    }


def health() -> Json:
    return _control({"path": "/health"}, {EXT_AUTHZ: no_question()})


def refusal(status: int, code: str, message: str) -> Json:
    """Says no without asking anybody. The reply is Envoy's own, so local_replies has to let its body through."""
    return {
        "match": _ANY_PATH,
        "direct_response": {"status": status, "body": {"inline_string": json.dumps(invalid_request(code, message))}},
        "typed_per_filter_config": {EXT_AUTHZ: no_question()},
    }


def _control(match: Json, per_filter: Json | None = None) -> Json:
    route: Json = {"match": match, "route": {"cluster": names.CONTROL, "timeout": _CONTROL_TIMEOUT}}
    if per_filter:
        route["typed_per_filter_config"] = per_filter
    return route


def _model_routes() -> Iterator[Json]:
    forced, stripped = _is(names.FORCE_USAGE, "1"), _is(names.STRIP_USAGE, "1")
    with_options = {"name": names.STREAM_OPTIONS, "present_match": True}
    merged = {MERGE: merge_usage_option()}
    yield _model([forced, with_options, stripped], {SCRIPTS: scripts("usage", strip=True), **merged})
    yield _model([forced, with_options], {SCRIPTS: scripts("usage"), **merged})
    yield _model([forced, stripped], {SCRIPTS: scripts("force_usage", "usage", strip=True)})
    yield _model([forced], {SCRIPTS: scripts("force_usage", "usage")})
    yield _model([], {SCRIPTS: scripts("embedding_usage")}, _path("embeddings"))
    yield _model([], {SCRIPTS: scripts("usage")})


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
                "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
            },
        },
        "request_headers_to_remove": [*_PRIVATE, *names.OWN_HEADERS],
        "typed_per_filter_config": {OWN_HEADERS: own_headers(), **per_filter},
    }


def _path(endpoint: str) -> Json:
    return {"safe_regex": {"regex": f"(?:/llm)?(?:/[^/]+)?/v1/{endpoint}"}}


def _is(header: str, value: str) -> Json:
    return {"name": header, "string_match": {"exact": value}}
