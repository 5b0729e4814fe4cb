"""A model's server as KServe is given it: the part of an InferenceService that a runtime decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maas.cluster.resources import security
from maas.cluster.resources.making import Body
from maas.cluster.resources.services import PORT
from maas.cluster.wanted import Wanted
from maas.domain.platform import Model

CONTAINER = "kserve-container"  # KServe knows it by this name


@dataclass(frozen=True)
class Server:
    """
    health: a path that answers 200 once it can work; alive: one that answers as long as it runs.
    start: seconds it may take to be ready.
    writable: paths that it writes to, and what is there: volumes without their names.
    pod: further fields of the pod. beside: further objects that it needs.
    """

    image: str
    args: Sequence[str]
    resources: Mapping[str, Any]
    health: str = "/health"
    alive: str = "/health"
    start: int = 300
    env: Sequence[Mapping[str, Any]] = ()
    writable: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pod: Mapping[str, Any] = field(default_factory=dict)
    beside: Sequence[Body] = ()


def predictor(wanted: Wanted, model: Model, server: Server) -> Body:
    """One replica each: a second one of a model on a GPU would have to be paid for, and is asked for by nobody."""
    volumes = {f"writable-{n}": (path, volume) for n, (path, volume) in enumerate(server.writable.items())}
    return {
        "minReplicas": 1,
        "maxReplicas": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,  # else a Service called vllm would set VLLM_PORT
        "securityContext": security.of_pod(wanted),
        "containers": [_container(server, {name: path for name, (path, _) in volumes.items()})],
        "volumes": [{"name": name, **volume} for name, (_, volume) in volumes.items()],
        **server.pod,
    }


def _container(server: Server, mounts: Mapping[str, str]) -> Body:
    container = {
        "name": CONTAINER,
        "image": server.image,
        "args": list(server.args),
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "resources": dict(server.resources),
        "securityContext": security.of_container(),
        "startupProbe": _probe(server.alive, 5, -(-server.start // 5)),
        "readinessProbe": _probe(server.health, 5, 3),
        "livenessProbe": _probe(server.alive, 10, 6),
        "volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts.items()],
    }
    return {**container, "env": list(server.env)} if server.env else container


def _probe(path: str, period: int, failures: int) -> Body:
    get = {"path": path, "port": PORT, "scheme": "HTTP"}
    return {"httpGet": get, "periodSeconds": period, "timeoutSeconds": 5, "failureThreshold": failures}
