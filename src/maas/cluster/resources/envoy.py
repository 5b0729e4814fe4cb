"""The configuration of the Envoy in front of a model that others serve.

Checked with Envoy 1.40: tests/kubernetes/resources starts one with it.
"""

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import SplitResult, urlsplit

from maas.cluster.resources import names
from maas.cluster.resources.paths import CATALOGUE, METERED
from maas.domain.platform import Endpoint, Model

Json = dict[str, Any]
HEALTH = "/health"
_TYPES = "type.googleapis.com/envoy"
_FILTERS = f"{_TYPES}.extensions.filters"
_CONNECT, _IDLE = "5s", "600s"  # a stream may be silent while its model thinks
_LARGEST = 32 * 2**20  # bytes of a body
_CLIENTS_KEYS = ("authorization", "x-api-key", "cookie")


@dataclass(frozen=True)
class Files:
    """secrets: what secrets() says. keys: the folder of the keys themselves; when it changes, they are read again."""

    secrets: str
    keys: str
    authorities: str = "/etc/ssl/certs/ca-certificates.crt"  # of the image


def config(model: Model, port: int, files: Files) -> Json:
    return {
        "node": {"id": "maas", "cluster": "maas"},  # it reads no secrets without a name of its own
        "static_resources": {
            "listeners": [_listener(model, port)],
            "clusters": [_cluster(f"endpoint-{at}", each, files) for at, each in numbered(model)],
        },
    }


def secrets(model: Model, keys: str) -> Json:
    """Which file of the folder holds which endpoint's key."""
    return {
        "resources": [
            {
                "@type": f"{_TYPES}.extensions.transport_sockets.tls.v3.Secret",
                "name": f"endpoint-{at}",
                "generic_secret": {"secret": {"filename": f"{keys}/endpoint-{at}"}},
            }
            for at, each in numbered(model)
            if each.api_key_file
        ]
    }


def numbered(model: Model) -> list[tuple[int, Endpoint]]:
    return list(enumerate(model.endpoints, start=1))


def port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _listener(model: Model, port: int) -> Json:
    virtual = {"name": "model", "domains": ["*"], "routes": list(_routes(model))}
    manager = {
        "stat_prefix": "in",
        "route_config": {"virtual_hosts": [virtual]},
        "http_filters": [_reader(model), _typed("envoy.filters.http.router", f"{_FILTERS}.http.router.v3.Router")],
        "stream_idle_timeout": _IDLE,
        "generate_request_id": False,
    }
    name = "envoy.filters.network.http_connection_manager"
    chain = _typed(name, f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager", **manager)
    address = {"socket_address": {"address": "0.0.0.0", "port_value": port}}  # noqa: S104  # of its own pod
    return {
        "name": "in",
        "address": address,
        "per_connection_buffer_limit_bytes": _LARGEST,
        "filter_chains": [{"filters": [chain]}],
    }


def _routes(model: Model) -> Iterator[Json]:
    """What is metered, and no more. Which models there are is said here: the endpoint has others, and bills them.

    By GET, some endpoints list what they have answered to others with the same key.
    """
    yield {"match": {"path": HEALTH}, "direct_response": {"status": 200, "body": {"inline_string": "ok\n"}}}
    listed = [{"id": each, "object": "model", "created": 0, "owned_by": "maas"} for each in names.called(model)]
    yield _answer(CATALOGUE, {"object": "list", "data": listed})
    yield from (_answer(f"{CATALOGUE}/{each['id']}", each) for each in listed)
    weights = [{"name": f"endpoint-{at}", "weight": each.weight} for at, each in numbered(model)]
    for path in METERED:
        yield {
            "match": {"path": path, "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]},
            "request_headers_to_remove": list(_CLIENTS_KEYS),
            "route": {
                "weighted_clusters": {"clusters": weights},
                "auto_host_rewrite": True,
                "timeout": "0s",
                "idle_timeout": _IDLE,
                "retry_policy": {"retry_on": "connect-failure,refused-stream", "num_retries": 2},
            },
        }
        yield _answer(path, _ONLY_POST, 405)


_ERROR = {"message": "Only POST is answered here.", "type": "invalid_request_error", "param": None}
_ONLY_POST: Json = {"error": {**_ERROR, "code": "method_not_allowed"}}


def _answer(path: str, document: Json, status: int = 200) -> Json:
    header = {"header": {"key": "content-type", "value": "application/json"}}
    body = {"inline_string": json.dumps(document)}
    return {
        "match": {"path": path},
        "direct_response": {"status": status, "body": body},
        "response_headers_to_add": [header | {"append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
    }


def _reader(model: Model) -> Json:
    """Of bodies: external.lua says what for."""
    served = model.served_name or model.name
    accepted = sorted({served, *names.called(model)})
    script = "\n".join(
        (
            f"local NAME = {_quoted(served)}",
            f"local NAMES = {{ {', '.join(f'[{_quoted(each)}] = true' for each in accepted)} }}",
            (files("maas.cluster.resources") / "external.lua").read_text(),
        )
    )
    kind = f"{_FILTERS}.http.lua.v3.Lua"
    return _typed("envoy.filters.http.lua", kind, default_source_code={"inline_string": script})


def _quoted(text: str) -> str:
    """As a string of Lua, with each byte written out: nothing in it can end the string."""
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'


def _cluster(name: str, endpoint: Endpoint, files: Files) -> Json:
    parts = urlsplit(endpoint.url)
    host = parts.hostname or ""
    address = {"socket_address": {"address": host, "port_value": port(endpoint.url)}}
    found: Json = {
        "name": name,
        "type": "STRICT_DNS",
        "connect_timeout": _CONNECT,
        "dns_lookup_family": "V4_PREFERRED",
        "respect_dns_ttl": True,
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address, "hostname": parts.netloc}}]}],
        },
        "typed_extension_protocol_options": _options(name, parts, files if endpoint.api_key_file else None),
    }
    return {**found, "transport_socket": _tls(host, files.authorities)} if parts.scheme == "https" else found


def _tls(host: str, authorities: str) -> Json:
    """The server must prove its name: a key is sent to it."""
    san = {"san_type": "IP_ADDRESS" if _is_ip(host) else "DNS", "matcher": {"exact": host}}
    validation = {"trusted_ca": {"filename": authorities}, "match_typed_subject_alt_names": [san]}
    kind = f"{_TYPES}.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    context = {"common_tls_context": {"validation_context": validation}}
    return _typed("envoy.transport_sockets.tls", kind, **context, **({} if _is_ip(host) else {"sni": host}))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _options(name: str, url: SplitResult, files: Files | None) -> Json:
    kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    filters = [*([_based(url.path)] if url.path else []), *([_injector(name, files)] if files else [])]
    codec = _typed("envoy.filters.http.upstream_codec", f"{_FILTERS}.http.upstream_codec.v3.UpstreamCodec")
    return {
        kind: {
            "@type": f"type.googleapis.com/{kind}",
            "explicit_http_config": {"http_protocol_options": {}},
            "http_filters": [*filters, codec],
        }
    }


def _based(path: str) -> Json:
    """What stands in its URL before the path: https://host/openai/v1 is asked for /openai/v1/chat/completions.

    In Lua, since no other filter may change a path here. A try that failed has left its path behind.
    """
    base = path.rstrip("/").removesuffix("/v1").rstrip("/")
    script = _BASED % _quoted(base)
    kind = f"{_FILTERS}.http.lua.v3.Lua"
    return _typed("envoy.filters.http.lua", kind, default_source_code={"inline_string": script})


_BASED = """\
function envoy_on_request(handle)
  local asked = handle:headers():get(":path"):match("^[^?]*(/v1/.*)$")
  if asked then handle:headers():replace(":path", %s .. asked) end
end
"""


def _injector(name: str, files: Files) -> Json:
    """Without its key no request goes out."""
    source = {"path_config_source": {"path": files.secrets, "watched_directory": {"path": files.keys}}}
    generic = _typed(
        "envoy.http.injected_credentials.generic",
        f"{_TYPES}.extensions.http.injected_credentials.generic.v3.Generic",
        credential={"name": name, "sds_config": {**source, "resource_api_version": "V3"}},
        header="Authorization",
        header_value_prefix="Bearer ",
    )
    kind = f"{_FILTERS}.http.credential_injector.v3.CredentialInjector"
    return _typed("envoy.filters.http.credential_injector", kind, overwrite=True, credential=generic)


def _typed(name: str, kind: str, **fields: Any) -> Json:
    return {"name": name, "typed_config": {"@type": kind, **fields}}
