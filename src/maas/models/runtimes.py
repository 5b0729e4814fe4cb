"""The programs that serve models here: what others have to know of each without importing how it is started."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Runtime:
    """
    health: a path that answers 200 once it can work.
    start: seconds that may take.
    owned: options that are the platform's to set.
    keeps_connections: whether it closes none without announcing it; a request that meets the closing would fail.
    """

    health: str
    start: float
    owned: frozenset[str] = frozenset()
    keeps_connections: bool = True


_TLS_AND_KEYS = {"api-key", "api-key-file", "ssl-key-file", "ssl-keyfile", "host", "port", "model"}

RUNTIMES: Mapping[str, Runtime] = MappingProxyType(
    {
        "simulator": Runtime("/health/ready", 120.0),
        # large files on slow disks
        "llama-cpp": Runtime(
            "/health",
            600.0,
            frozenset({*_TLS_AND_KEYS, "alias", "ctx-size", "path", "api-prefix"}),
            keeps_connections=False,  # it closes some after a stream (seen with b11434)
        ),
        # weights are downloaded, kernels compiled, graphs captured
        "vllm": Runtime("/health", 1800.0, frozenset({*_TLS_AND_KEYS, "uds", "served-model-name", "root-path"})),
    }
)
