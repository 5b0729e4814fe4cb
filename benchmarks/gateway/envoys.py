"""Two Envoys: the backend that answers at once, and the bare proxy that everything is compared with.

The backend holds a request until its body has come, or Envoy would answer on the headers alone and close the
connection. The bare proxy has no filter but the router, and no access log: the least that Envoy can do.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.gateway import processes
from benchmarks.gateway.streams import MODEL_HEADER
from benchmarks.gateway.target import STREAMING, Target, answer
from maas.embedded.envoy import bootstrap

Json = dict[str, Any]
_TYPE = "type.googleapis.com/envoy.extensions.filters"
_ROUTER = {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_TYPE}.http.router.v3.Router"}}
_BUFFER = {
    "name": "envoy.filters.http.buffer",
    "typed_config": {"@type": f"{_TYPE}.http.buffer.v3.Buffer", "max_request_bytes": 2**20},
}
_LIMIT = 1_000_000


@contextlib.contextmanager
def backend(folder: Path, port: int) -> Iterator[int]:
    """Yields its process id."""
    json_type = {"header": {"key": "content-type", "value": "application/json"}}
    route: Json = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": answer()}},
        "response_headers_to_add": [{**json_type, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
    }
    filters: list[Json] = [_BUFFER, _ROUTER]
    with _envoy(folder, "backend", port, [route], filters, []) as pid:
        yield pid


@contextlib.contextmanager
def bare(folder: Path, port: int, fast: int, streaming: int) -> Iterator[Target]:
    """fast, streaming: the backends' ports. The model is told by a header, as nothing here reads a body."""
    named = {"name": MODEL_HEADER, "string_match": {"exact": STREAMING}}
    routes: list[Json] = [
        {"match": {"prefix": "/", "headers": [named]}, "route": {"cluster": "streaming", "timeout": "0s"}},
        {"match": {"prefix": "/"}, "route": {"cluster": "fast", "timeout": "0s"}},
    ]
    clusters = [_cluster("fast", fast), _cluster("streaming", streaming)]
    with _envoy(folder, "bare", port, routes, [_ROUTER], clusters) as pid:
        yield Target("bare Envoy", f"http://127.0.0.1:{port}", "none", lambda: {"gateway": [pid]})


@contextlib.contextmanager
def _envoy(
    folder: Path, name: str, port: int, routes: list[Json], filters: list[Json], clusters: list[Json]
) -> Iterator[int]:
    manager = {
        "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}]},
        "http_filters": filters,
        "stream_idle_timeout": "600s",
    }
    listener = {
        "name": name,
        "address": _address(port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    config = folder / f"{name}.json"
    config.write_text(json.dumps({"static_resources": {"listeners": [listener], "clusters": clusters}}))
    argv = [str(bootstrap.find_binary()), "--config-path", str(config), "--concurrency", "1"]
    log = folder / f"{name}.log"
    with processes.started([*argv, "--disable-hot-restart", "--log-level", "error"], log) as process:
        processes.wait_until_served(f"http://127.0.0.1:{port}/", process, log, timeout=20)
        yield process.pid


def _cluster(name: str, port: int) -> Json:
    plenty = {"max_connections": _LIMIT, "max_pending_requests": _LIMIT, "max_requests": _LIMIT}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "3s",
        "circuit_breakers": {"thresholds": [plenty]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}],
        },
    }


def _address(port: int) -> Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
