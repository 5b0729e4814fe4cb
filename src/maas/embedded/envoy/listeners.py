"""Where Envoy listens, and how it treats a connection before a filter sees a request."""

from maas.domain.platform import Gateway
from maas.embedded.addresses import Address, listening, public_host
from maas.embedded.envoy import names
from maas.embedded.envoy.access_log import access_log
from maas.embedded.envoy.bootstrap import from_file, sds_file
from maas.embedded.envoy.filters import filters
from maas.embedded.envoy.names import Json, config, typed
from maas.embedded.envoy.replies import local_replies
from maas.embedded.envoy.routes import health, refusal, routes
from maas.embedded.home import Home

_HCM = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_CONNECTION_BUFFER = 1024 * 1024
_STREAMS_PER_CONNECTION = 1000
_UNTRUSTED = ("x-maas-", "x-envoy-", "x-forwarded-", "x-request-id")


def listeners(home: Home, gateway: Gateway) -> list[Json]:
    plain = _models_elsewhere(gateway) if gateway.remote else routes()
    at = listening(gateway)
    return [
        _listener("http", at["http_port"], _manager("http", home, plain)),
        _listener("https", at["https_port"], _manager("https", home, routes()), tls=_tls(home)),
        _listener("metrics", at["metrics_port"], _metrics_manager()),
    ]


def _listener(name: str, address: Address, manager: Json, tls: Json | None = None) -> Json:
    host, port = address
    both = {"ipv4_compat": True} if host == "::" else {}  # as other programs understand it
    chain: Json = {"filters": [manager]}
    if tls:
        chain["transport_socket"] = tls
    return {
        "name": name,
        "address": {"socket_address": {"address": host, "port_value": port, **both}},
        "per_connection_buffer_limit_bytes": _CONNECTION_BUFFER,
        "filter_chains": [chain],
    }


def _manager(name: str, home: Home, table: Json) -> Json:
    return typed(
        "envoy.filters.network.http_connection_manager",
        _HCM,
        stat_prefix=name,
        route_config=table,
        http_filters=filters(),
        access_log=access_log(home),
        local_reply_config=local_replies(),
        early_header_mutation_extensions=[_drop_untrusted()],
        request_id_extension={
            "typed_config": config("extensions.request_id.uuid.v3.UuidRequestIdConfig", pack_trace_reason=False)
        },
        always_set_request_id_in_response=True,
        strip_any_host_port=True,
        **_caution(),
        stream_idle_timeout="600s",
        request_timeout="300s",
    )


def _caution() -> Json:
    """What a listener anywhere needs against odd requests."""
    return {
        "codec_type": "AUTO",
        "server_name": "maas",
        "use_remote_address": True,
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]},
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "common_http_protocol_options": {
            "idle_timeout": "3600s",
            "max_headers_count": 100,
            "headers_with_underscores_action": "DROP_HEADER",
        },
        "http2_protocol_options": {"max_concurrent_streams": _STREAMS_PER_CONNECTION},
        "request_headers_timeout": "15s",
    }


def _drop_untrusted() -> Json:
    mutations = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in _UNTRUSTED]
    return typed(
        "envoy.http.early_header_mutation.header_mutation",
        "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
        mutations=mutations,
    )


def _tls(home: Home) -> Json:
    return typed(
        "envoy.transport_sockets.tls",
        "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context={
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_certificate_sds_secret_configs": [{"name": "server", "sds_config": from_file(sds_file(home))}],
        },
    )


def _models_elsewhere(gateway: Gateway) -> Json:
    message = f"Models are served over TLS only: use https://{public_host(gateway)}:{gateway.https_port}."
    only = [health(), refusal(426, "tls_required", message)]
    return {"name": "maas", "virtual_hosts": [{"name": "maas", "domains": ["*"], "routes": only}]}


def _metrics_manager() -> Json:
    table = {
        "name": "metrics",
        "virtual_hosts": [
            {
                "name": "metrics",
                "domains": ["*"],
                "routes": [
                    _scrape("/stats/prometheus", names.ADMIN),
                    _scrape("/metrics", names.CONTROL),
                ],
            }
        ],
    }
    router = typed("envoy.filters.http.router", "extensions.filters.http.router.v3.Router", suppress_envoy_headers=True)
    return typed(
        "envoy.filters.network.http_connection_manager",
        _HCM,
        stat_prefix="metrics",
        route_config=table,
        http_filters=[router],
        local_reply_config=local_replies(),
        **_caution(),
    )


def _scrape(path: str, cluster: str) -> Json:
    only_get = {"name": ":method", "string_match": {"exact": "GET"}}
    return {"match": {"path": path, "headers": [only_get]}, "route": {"cluster": cluster, "timeout": "30s"}}
