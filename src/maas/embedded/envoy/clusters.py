"""Where requests may go: the platform's own endpoints, which never change, and one cluster for each model."""

import ipaddress
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from maas.domain.errors import Unavailable
from maas.embedded.envoy.names import ADMIN, ADMISSION, CONTROL, RESERVED_CLUSTERS, Json, config, typed
from maas.embedded.home import Home

_PLENTY = 1_000_000  # admission limits what may run at once; Envoy's own defaults (1024) would refuse streams
_CONNECT = "3s"
_KEEPALIVE = "3s"  # uvicorn, and so vLLM, closes an idle connection after 5 s: be first, or a request meets the closing
_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
)
_STREAM_WINDOW = 1024 * 1024
_MARK = "x-maas-endpoint"  # which of a model's endpoints a request goes to


@dataclass(frozen=True)
class HostPort:
    host: str
    port: int


@dataclass(frozen=True)
class Upstream:
    """One model's server. name: what admission says in `x-maas-cluster`.

    base_path: what stands before /v1 in its URL ("/openai" of https://host/openai/v1), without a closing slash.
    api_key: what to present there instead of the client's own key, which never leaves this machine.
    authorities: file of the CAs to trust; None for the system's.
    known_as: what clients call the model, where they are not to learn more; None for servers of our own.
    served_name: what the server calls it.
    show_errors: whether its words about a request that it refuses may be read.
    watched: whether connections are tried all the time, so that others can stand in for it.
    reused: whether a connection serves further requests. Not with a server that closes some without a word.
    """

    name: str
    address: Path | HostPort
    tls: bool = False
    base_path: str = ""
    api_key: str | None = None
    authorities: Path | None = None
    known_as: str | None = None
    served_name: str | None = None
    show_errors: bool = False
    watched: bool = False
    reused: bool = True

    def __post_init__(self) -> None:
        if self.name in RESERVED_CLUSTERS:
            raise ValueError(f"the name {self.name!r} is one of the gateway's own clusters")


@dataclass(frozen=True)
class Failover:
    """Upstreams that serve the same model. A request goes to the first of them that is well."""

    name: str
    members: tuple[Upstream, ...]


def own_clusters(home: Home) -> list[Json]:
    """Admission and control share a socket, but not connections: a slow page must not stand before a decision."""
    return [
        _cluster(ADMISSION, home.admission_socket, "1s"),
        _cluster(CONTROL, home.admission_socket),
        _cluster(ADMIN, home.admin_socket),
    ]


def model_clusters(upstreams: Iterable[Upstream | Failover]) -> list[Json]:
    """Those that others are made of come first."""
    found = sorted(upstreams, key=lambda upstream: (isinstance(upstream, Failover), upstream.name))
    return [_failover(each) if isinstance(each, Failover) else _model_cluster(each) for each in found]


def _failover(group: Failover) -> Json:
    """Envoy runs the filters of this cluster, and none of its members': they tell the members apart by a mark."""
    return {
        "name": group.name,
        "connect_timeout": _CONNECT,
        "lb_policy": "CLUSTER_PROVIDED",
        "cluster_type": typed(
            "envoy.clusters.aggregate",
            "extensions.clusters.aggregate.v3.ClusterConfig",
            clusters=[member.name for member in group.members],
        ),
        "circuit_breakers": _circuit_breakers(),
        "typed_extension_protocol_options": _http_options([_mark(), *_upstream_filters(group.members)]),
    }


def _model_cluster(upstream: Upstream) -> Json:
    cluster = _cluster(upstream.name, upstream.address)
    if upstream.tls and isinstance(upstream.address, HostPort):
        cluster["transport_socket"] = _tls(upstream.address.host, upstream.authorities or _system_authorities())
    if upstream.watched:
        cluster |= _watch(upstream)
        (locality,) = cluster["load_assignment"]["endpoints"]
        for endpoint in locality["lb_endpoints"]:
            endpoint["metadata"] = {"filter_metadata": {_MARK: {"name": upstream.name}}}
    elif upstream.api_key or upstream.base_path or upstream.known_as is not None:
        cluster["typed_extension_protocol_options"] = _http_options(_upstream_filters([upstream]))
    elif not upstream.reused:
        cluster["typed_extension_protocol_options"] = _http_options(max_requests_per_connection=1)
    return cluster


def _watch(upstream: Upstream) -> Json:
    """Checked all the time; and a request that fails counts at once."""
    return {
        "health_checks": [_connection_check() if upstream.tls else _readiness_check(upstream)],
        "outlier_detection": {
            "consecutive_5xx": 1000,  # an answer of the model's, which another would give, too
            "enforcing_consecutive_5xx": 0,
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 1,  # it can't be reached
            "enforcing_consecutive_local_origin_failure": 100,
            "enforcing_local_origin_success_rate": 0,
            "enforcing_success_rate": 0,
            "enforcing_consecutive_gateway_failure": 0,
            "interval": "1s",
            "base_ejection_time": "2s",  # shorter than it takes a check to notice, and longer each time
            "max_ejection_time": "10s",
            "max_ejection_percent": 100,
        },
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
    }


def _connection_check() -> Json:
    """A connection is tried every few seconds, which costs a provider nothing."""
    return {
        "timeout": "2s",
        "interval": "5s",
        "interval_jitter": "0.5s",
        "no_traffic_interval": "5s",
        "unhealthy_interval": "1s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "tcp_health_check": {},
    }


def _readiness_check(upstream: Upstream) -> Json:
    """vLLM, llama.cpp and their like accept connections before they can answer, and say 503 here until then, which
    counts at once. Any other answer will do: not all have this path. One that is too busy for an answer is not down
    before it was so for most of a minute; the timeout is what a change of the platform may have to wait for."""
    return {
        "timeout": "4s",
        "interval": "1s",
        "interval_jitter": "0.1s",
        "no_traffic_interval": "5s",
        "unhealthy_interval": "1s",
        "unhealthy_threshold": 8,
        "healthy_threshold": 1,
        "reuse_connection": False,
        "http_health_check": {
            "path": f"{upstream.base_path}/health",
            "expected_statuses": [{"start": 100, "end": 503}, {"start": 504, "end": 600}],
        },
    }


def _cluster(name: str, address: Path | HostPort, connect_timeout: str = _CONNECT) -> Json:
    return {
        "name": name,
        "type": "STATIC" if isinstance(address, Path) else "STRICT_DNS",
        "connect_timeout": connect_timeout,
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [_endpoint(address)]}]},
        "circuit_breakers": _circuit_breakers(),
        "per_connection_buffer_limit_bytes": _STREAM_WINDOW,
        "typed_extension_protocol_options": _http_options(),
        **({} if isinstance(address, Path) else {"dns_lookup_family": "V4_PREFERRED", "respect_dns_ttl": True}),
    }


def _circuit_breakers() -> Json:
    kinds = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    return {"thresholds": [dict.fromkeys(kinds, _PLENTY)]}


def _http_options(filters: Sequence[Json] = (), **more: object) -> Json:
    options = config(
        "extensions.upstreams.http.v3.HttpProtocolOptions",
        common_http_protocol_options={"idle_timeout": _KEEPALIVE, **more},
        explicit_http_config={"http_protocol_options": {}},
        **({"http_filters": list(filters)} if filters else {}),
    )
    return {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options}


def _endpoint(address: Path | HostPort) -> Json:
    if isinstance(address, Path):
        return {"endpoint": {"address": {"pipe": {"path": str(address)}}}}
    socket = {"address": address.host, "port_value": address.port}
    return {"endpoint": {"address": {"socket_address": socket}, "hostname": address.host}}


def _tls(host: str, authorities: Path) -> Json:
    """The server must prove its name: prompts are not to be read on the way."""
    by_name = not _is_ip(host)
    validation = {
        "trusted_ca": {"filename": str(authorities)},
        "match_typed_subject_alt_names": [
            {"san_type": "DNS" if by_name else "IP_ADDRESS", "matcher": {"exact": host}},
        ],
    }
    return typed(
        "envoy.transport_sockets.tls",
        "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        common_tls_context={"validation_context": validation},
        **({"sni": host} if by_name else {}),
    )


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _system_authorities() -> Path:
    """Where distributions keep them; Envoy has no default of its own. Raises Unavailable when there are none."""
    known = (ssl.get_default_verify_paths().cafile, *_AUTHORITIES)
    found = next((path for name in known if name and (path := Path(name)).exists()), None)
    if found is None:
        raise Unavailable("This machine has no list of certificate authorities. Install the package ca-certificates.")
    return found


def _mark() -> Json:
    """Tells the script which member was chosen: each try has another."""
    header = {"key": _MARK, "value": f'%UPSTREAM_METADATA(["{_MARK}", "name"])%'}
    append = {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    mutations = {"request_mutations": [{"append": append}]}
    message = "extensions.filters.http.header_mutation.v3.HeaderMutation"
    return typed("envoy.filters.http.header_mutation", message, mutations=mutations)


def _upstream_filters(upstreams: Sequence[Upstream]) -> list[Json]:
    """Filters of the cluster, since routes know no model. What a request is changed to, each try does again, so it
    must not depend on what the one before has changed."""
    known_as, served_name = upstreams[0].known_as, upstreams[0].served_name
    parts = [
        f"local MARK = {_quoted(_MARK)}",
        f"local BASES = {_table({upstream.name: upstream.base_path for upstream in upstreams})}",
        f"local KEYS = {_table({upstream.name: upstream.api_key for upstream in upstreams})}",
        f"local ONLY = {_quoted(upstreams[0].name) if len(upstreams) == 1 else 'nil'}",
        _script("address"),
    ]
    if known_as is not None:
        said = {served_name, *(upstream.api_key for upstream in upstreams), *map(_host, upstreams)}
        secrets = sorted(filter(None, said), key=lambda secret: (-len(secret), secret))
        parts += [
            f"local NAME = {_quoted(known_as)}",
            f"local SHOW_ERRORS = {str(upstreams[0].show_errors).lower()}",
            f"local SECRETS = {{ {', '.join(map(_quoted, secrets))} }}",
            _script("json"),
            _script("disguise"),
        ]
    script = {"inline_string": "\n".join(parts)}
    return [
        typed("envoy.filters.http.lua", "extensions.filters.http.lua.v3.Lua", default_source_code=script),
        typed("envoy.filters.http.upstream_codec", "extensions.filters.http.upstream_codec.v3.UpstreamCodec"),
    ]


def _host(upstream: Upstream) -> str:
    return upstream.address.host if isinstance(upstream.address, HostPort) else ""


def _script(name: str) -> str:
    return Path(__file__).with_name(f"{name}.lua").read_text()


def _table(values: Mapping[str, str | None]) -> str:
    entries = (f"[{_quoted(key)}] = {_quoted(value)}" for key, value in values.items() if value)
    return f"{{ {', '.join(entries)} }}"


def _quoted(text: str) -> str:
    """As a string of Lua, with each byte written out: nothing in it can end the string."""
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'
