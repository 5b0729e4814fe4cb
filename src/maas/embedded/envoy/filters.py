"""The chain each request passes, in order. Python is asked once, and never touches a byte of an answer:
what Envoy has no filter for is done in Lua, inside of Envoy.

extract             reads the JSON body and tells admission what it found
ext_authz           asks admission; its refusal reaches the client as it is
merge_usage_option  makes a stream report its usage, if the request has stream options of its own
scripts             make a stream report its usage, read it, and keep it from a client that did not ask
own_headers         drops what a model sends under names that are the platform's
read_usage          reads the usage of a plain answer; the scripts tell it to the client
router              sends it on

An answer passes them from the last to the first. Those that only some routes need are empty here, and get their
configuration from the route.
"""

from pathlib import Path

from maas.embedded.envoy import names
from maas.embedded.envoy.names import Json, config, typed

_TRANSFORM = "extensions.filters.http.transform.v3.TransformConfig"
MERGE = "merge_usage_option"
SCRIPTS = "scripts"
OWN_HEADERS = "own_headers"
READ_USAGE = "read_usage"
EXT_AUTHZ = "envoy.filters.http.ext_authz"
_HEADER_MUTATION = "extensions.filters.http.header_mutation.v3"
_AUTHZ_TYPES = "extensions.filters.http.ext_authz.v3"
_ADMISSION_TIMEOUT = "2s"
_REFUSAL_HEADERS = [
    {"exact": "content-type"},
    {"exact": "retry-after"},
    {"exact": "www-authenticate"},
    {"prefix": "x-ratelimit-"},
]
_USAGE_KEYS = {
    names.PROMPT: ("prompt_tokens", "input_tokens"),
    names.COMPLETION: ("completion_tokens", "output_tokens"),
    names.TOTAL: ("total_tokens",),
}
_OTHER_STREAM_OPTIONS = ("include_obfuscation", "continuous_usage_stats")  # OpenAI's, vLLM's


def filters() -> list[Json]:
    return [
        _extract(),
        _ask_admission(),
        typed(MERGE, _TRANSFORM),
        typed(SCRIPTS, "extensions.filters.http.lua.v3.Lua"),
        typed(OWN_HEADERS, f"{_HEADER_MUTATION}.HeaderMutation"),
        _read_usage(),
        typed("envoy.filters.http.router", "extensions.filters.http.router.v3.Router", suppress_envoy_headers=True),
    ]


def merge_usage_option() -> Json:
    """For a request that has stream options of its own: keeps those that are known, at the price of a new body."""
    options = {name: f"%REQUEST_BODY(stream_options:{name})%" for name in _OTHER_STREAM_OPTIONS}
    merged = {"json_format": {"stream_options": {"include_usage": True, **options}}, "omit_empty_values": True}
    return config(
        _TRANSFORM, request_transformation={"body_transformation": {"action": "MERGE", "body_format": merged}}
    )


def scripts(*names: str, strip: bool = False) -> Json:
    """Functions of Lua, from the files of these names. strip: keep usage frames from the client."""
    parts = [f"local STRIP = {str(strip).lower()}", *(_script(name) for name in names)]
    return config("extensions.filters.http.lua.v3.LuaPerRoute", source_code={"inline_string": "\n".join(parts)})


def _script(name: str) -> str:
    return Path(__file__).with_name(f"{name}.lua").read_text()


def own_headers() -> Json:
    """Only on the routes to models: a refusal passes here too, and what admission says there is to stay."""
    dropped = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in ("x-ratelimit-", "x-odhu-")]
    return config(f"{_HEADER_MUTATION}.HeaderMutationPerRoute", mutations={"response_mutations": dropped})


def leave_unread() -> Json:
    """Works only on the route that a request finds first: then its filters are chosen."""
    return config("config.route.v3.FilterConfig", disabled=True)


def ask_with_body() -> Json:
    """An array of prompts is answered prompt by prompt: admission has to count them."""
    body = {"max_request_bytes": names.BODY_LIMIT}
    return config(f"{_AUTHZ_TYPES}.ExtAuthzPerRoute", check_settings={"with_request_body": body})


def no_question() -> Json:
    return config(f"{_AUTHZ_TYPES}.ExtAuthzPerRoute", disabled=True)


def _extract() -> Json:
    found = [_set(header, f"%REQUEST_BODY({key})%") for header, key in names.BODY_FIELDS.items()]
    mutations = [_set(names.JSON_MARK, "1"), _set(names.BODY_BYTES, "%BYTES_RECEIVED%"), *found]
    return typed("extract", _TRANSFORM, clear_route_cache=True, request_transformation={"headers_mutations": mutations})


def _read_usage() -> Json:
    """Any value, as the model wrote it: what reads it must expect a string. (As a NUMBER, the string "inf" would be
    one, and break the line of the access log.)"""
    rules = [
        {
            "selectors": [{"key": "usage"}, {"key": name}],
            "on_present": {"metadata_namespace": names.METADATA, "key": key},
        }
        for key, known_as in _USAGE_KEYS.items()
        for name in known_as
    ]
    return typed(
        READ_USAGE,
        "extensions.filters.http.json_to_metadata.v3.JsonToMetadata",
        response_rules={"rules": rules, "allow_content_types_regex": {"regex": "application/json *(;.*)?"}},
    )


def _ask_admission() -> Json:
    service = {
        "server_uri": {"uri": "http://admission", "cluster": names.ADMISSION, "timeout": _ADMISSION_TIMEOUT},
        "path_prefix": "/authz",
        "authorization_response": {
            "allowed_upstream_headers": {"patterns": [{"prefix": "x-maas-"}]},
            "allowed_client_headers": {"patterns": _REFUSAL_HEADERS},
            "allowed_client_headers_on_success": {"patterns": [{"prefix": "x-ratelimit-"}]},
        },
    }
    seen = [{"exact": "authorization"}, {"exact": "x-api-key"}, {"exact": "x-request-id"}, {"prefix": "x-maas-"}]
    return typed(
        EXT_AUTHZ,
        f"{_AUTHZ_TYPES}.ExtAuthz",
        http_service=service,
        allowed_headers={"patterns": seen},
        failure_mode_allow=False,
        status_on_error={"code": "ServiceUnavailable"},
        clear_route_cache=True,
    )


def _set(key: str, value: str) -> Json:
    return {"append": {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
