"""Where requests may go: the platform's own endpoints, which never change, and one cluster for each model."""

import ipaddress
import ssl
from collections.abc import Iterable, Iterator
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

    def __post_init__(self) -> None:
        if self.name in RESERVED_CLUSTERS:
            raise ValueError(f"the name {self.name!r} is one of the gateway's own clusters")


@dataclass(frozen=True)
class Failover:
    """Upstreams that serve the same model, by name. A request goes to the first of them that is well."""

    name: str
    members: tuple[str, ...]


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
    return {
        "name": group.name,
        "connect_timeout": _CONNECT,
        "lb_policy": "CLUSTER_PROVIDED",
        "cluster_type": typed(
            "envoy.clusters.aggregate", "extensions.clusters.aggregate.v3.ClusterConfig", clusters=list(group.members)
        ),
    }


def _model_cluster(upstream: Upstream) -> Json:
    cluster = _cluster(upstream.name, upstream.address)
    if upstream.tls and isinstance(upstream.address, HostPort):
        cluster["transport_socket"] = _tls(upstream.address.host, upstream.authorities or _system_authorities())
    if upstream.watched:
        cluster |= _watch()
    if filters := _request_changes(upstream):
        options = cluster["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
        options["http_filters"] = filters
    return cluster


def _watch() -> Json:
    """A connection is tried every few seconds, which costs a provider nothing; a request that fails counts at once."""
    return {
        "health_checks": [
            {
                "timeout": "2s",
                "interval": "5s",
                "interval_jitter": "0.5s",
                "no_traffic_interval": "5s",
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                "tcp_health_check": {},
            }
        ],
        "outlier_detection": {
            "consecutive_5xx": 1000,  # an answer of the model's, which another would give, too
            "enforcing_consecutive_5xx": 0,
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 1,  # it can't be reached
            "enforcing_consecutive_local_origin_failure": 100,
            "enforcing_local_origin_success_rate": 0,
            "enforcing_success_rate": 0,
            "enforcing_consecutive_gateway_failure": 0,
            "base_ejection_time": "5s",
            "max_ejection_percent": 100,
        },
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
    }


def _cluster(name: str, address: Path | HostPort, connect_timeout: str = _CONNECT) -> Json:
    return {
        "name": name,
        "type": "STATIC" if isinstance(address, Path) else "STRICT_DNS",
        "connect_timeout": connect_timeout,
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [_endpoint(address)]}]},
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": _PLENTY,
                    "max_pending_requests": _PLENTY,
                    "max_requests": _PLENTY,
                    "max_retries": _PLENTY,
                }
            ]
        },
        "per_connection_buffer_limit_bytes": _STREAM_WINDOW,
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": config(
                "extensions.upstreams.http.v3.HttpProtocolOptions",
                common_http_protocol_options={"idle_timeout": _KEEPALIVE},
                explicit_http_config={"http_protocol_options": {}},
            )
        },
        **({} if isinstance(address, Path) else {"dns_lookup_family": "V4_PREFERRED", "respect_dns_ttl": True}),
    }


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


def _request_changes(upstream: Upstream) -> list[Json]:
    """Filters of the cluster, since routes know no model."""
    changes = []
    if upstream.base_path:
        changes.append(f'headers:replace(":path", {_quoted(upstream.base_path)} .. headers:get(":path"))')
    if upstream.api_key:
        changes.append(f'headers:replace("authorization", {_quoted("Bearer " + upstream.api_key)})')
    if not changes and upstream.known_as is None:
        return []
    request = ("function envoy_on_request(handle)", "local headers = handle:headers()", *changes, "end")
    script = {"inline_string": "\n".join((*_disguise(upstream), *request))}
    return [
        typed("envoy.filters.http.lua", "extensions.filters.http.lua.v3.Lua", default_source_code=script),
        typed("envoy.filters.http.upstream_codec", "extensions.filters.http.upstream_codec.v3.UpstreamCodec"),
    ]


def _disguise(upstream: Upstream) -> Iterator[str]:
    if upstream.known_as is None:
        return
    host = upstream.address.host if isinstance(upstream.address, HostPort) else ""
    secrets = sorted(filter(None, (upstream.api_key, host, upstream.served_name)), key=len, reverse=True)
    yield f"local NAME = {_quoted(upstream.known_as)}"
    yield f"local SHOW_ERRORS = {str(upstream.show_errors).lower()}"
    yield f"local SECRETS = {{ {', '.join(map(_quoted, secrets))} }}"
    yield Path(__file__).with_name("disguise.lua").read_text()


def _quoted(text: str) -> str:
    """As a string of Lua, with each byte written out: nothing in it can end the string."""
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'
