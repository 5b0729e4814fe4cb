"""Which request goes where. The table never changes: models come and go as clusters, named by admission in a header.

A request is routed twice. At first nothing is decided yet: the routes of the first pass only say what admission
has to see. Then admission answers with headers, and the route is picked again. A request that admission did not
send to a model ends at the control plane, which knows no such path: a mistake here cannot open a model.
"""

from maas.embedded.envoy import names
from maas.embedded.envoy.filters import answer_usage, ask_with_body, force_usage, no_question
from maas.embedded.envoy.names import Json

_NO_LIMIT = "0s"
_LONGEST_ANSWER = "3600s"
_SILENCE = "600s"  # of a model, between two bytes: a long prompt may wait in its queue
_CONTROL_TIMEOUT = "30s"


def routes() -> Json:
    return {
        "name": "maas",
        "virtual_hosts": [
            {
                "name": "maas",
                "domains": ["*"],
                "request_body_buffer_limit": names.BODY_LIMIT,
                "routes": [
                    _control({"path": "/health"}, {"envoy.filters.http.ext_authz": no_question()}),
                    _control({"prefix": "/", "headers": [_is(names.ROUTE, names.TO_DISCOVERY)]}),
                    _model([_is(names.FORCE_USAGE, "1")], {"force_usage": force_usage()}),
                    _model([], {}),
                    _control(
                        {"safe_regex": {"regex": "(/.*)?/v1/completions"}},
                        {"envoy.filters.http.ext_authz": ask_with_body()},
                    ),
                    _control({"prefix": "/"}),
                ],
            }
        ],
    }


def _control(match: Json, per_filter: Json | None = None) -> Json:
    route: Json = {"match": match, "route": {"cluster": names.CONTROL, "timeout": _CONTROL_TIMEOUT}}
    if per_filter:
        route["typed_per_filter_config"] = per_filter
    return route


def _model(conditions: list[Json], per_filter: Json) -> Json:
    return {
        "match": {"prefix": "/", "headers": [_is(names.ROUTE, names.TO_MODEL), *conditions]},
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
        "request_headers_to_remove": [
            "authorization",
            "x-api-key",
            *names.BODY_FIELDS,
            names.JSON_MARK,
            names.BODY_BYTES,
            names.ROUTE,
            names.CLUSTER,
            names.FORCE_USAGE,
            names.STRIP_USAGE,
        ],
        "typed_per_filter_config": {"usage_from_answer": answer_usage(), **per_filter},
    }


def _is(header: str, value: str) -> Json:
    return {"name": header, "string_match": {"exact": value}}
