"""The chain each request passes, in order. Python is asked once (twice, if the body is large), and never touches a byte
of an answer: what Envoy has no filter for is done in Lua, inside of Envoy.

knock        asks admission whether the key is good before a large body is read
extract      reads the JSON body and tells admission what it found
ext_authz    asks admission; its refusal reaches the client as it is
scripts      make a stream report its usage, read it, and keep it from a client that did not ask; name the model
own_headers  drops what a model sends under names that are the platform's
read_usage   reads the usage of a plain answer; the scripts tell it to the client
router       sends it on

An answer passes them from the last to the first. Those that only some routes need are empty here, and get their
configuration from the route.
"""

from pathlib import Path

from maas.embedded.envoy import names
from maas.embedded.envoy.names import Json, config, typed

_LUA = "extensions.filters.http.lua.v3.Lua"
KNOCK = "knock"
EXTRACT = "extract"
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


def filters() -> list[Json]:
    return [
        {**_ask(KNOCK, "/knock"), "disabled": True},
        _extract(),
        _ask(EXT_AUTHZ, "/authz"),
        typed(SCRIPTS, _LUA),
        typed(OWN_HEADERS, f"{_HEADER_MUTATION}.HeaderMutation"),
        _read_usage(),
        typed("envoy.filters.http.router", "extensions.filters.http.router.v3.Router", suppress_envoy_headers=True),
    ]


def scripts(*names: str, strip: bool = False) -> Json:
    """Functions of Lua, from the files of these names. strip: keep usage frames from the client."""
    parts = [f"local STRIP = {str(strip).lower()}", *(_script(name) for name in ("json", *names))]
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


def knock() -> Json:
    """Works only on the route that a request finds first, as leave_unread() does."""
    return config("config.route.v3.FilterConfig", config=config(f"{_AUTHZ_TYPES}.ExtAuthzPerRoute", check_settings={}))


def no_question() -> Json:
    return config(f"{_AUTHZ_TYPES}.ExtAuthzPerRoute", disabled=True)


def extract_script() -> str:
    """Its function read_body can be tried by itself."""
    tables = {"HEADERS": names.BODY_FIELDS, "OPTION_HEADERS": names.OPTION_FIELDS}
    marks = {"MARK": names.JSON_MARK, "BYTES": names.BODY_BYTES, "BAD_FIELD": names.BAD_FIELD}
    parts = [f'local {name} = "{header}"' for name, header in marks.items()]
    for name, fields in tables.items():
        entries = (f'{key} = "{header}"' for header, key in fields.items())
        parts.append(f"local {name} = {{ {', '.join(entries)} }}")
    return "\n".join([*parts, _script("extract")])


def _extract() -> Json:
    """The first pass's route was picked without what this finds: it sets headers, so the route is picked again."""
    return typed(EXTRACT, _LUA, default_source_code={"inline_string": extract_script()})


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


def _ask(name: str, prefix: str) -> Json:
    service = {
        "server_uri": {"uri": "http://admission", "cluster": names.ADMISSION, "timeout": _ADMISSION_TIMEOUT},
        "path_prefix": prefix,
        "authorization_response": {
            "allowed_upstream_headers": {"patterns": [{"prefix": "x-maas-"}]},
            "allowed_client_headers": {"patterns": _REFUSAL_HEADERS},
            "allowed_client_headers_on_success": {"patterns": [{"prefix": "x-ratelimit-"}]},
        },
    }
    seen = [{"exact": "authorization"}, {"exact": "x-api-key"}, {"exact": "x-request-id"}, {"prefix": "x-maas-"}]
    return typed(
        name,
        f"{_AUTHZ_TYPES}.ExtAuthz",
        http_service=service,
        allowed_headers={"patterns": seen},
        failure_mode_allow=False,
        status_on_error={"code": "ServiceUnavailable"},
        clear_route_cache=True,
    )
