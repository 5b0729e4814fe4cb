"""A model's server as KServe is given it: the part of an InferenceService that a runtime decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maas.cluster.resources import security
from maas.cluster.resources.making import Body
from maas.cluster.resources.services import PORT
from maas.cluster.wanted import Wanted

CONTAINER = "kserve-container"  # KServe knows it by this name
_PERIOD = 5  # seconds, of a probe
_UNTIL_ENDED = 60  # seconds, that streams have when a pod is stopped


@dataclass(frozen=True)
class Mount:
    """volume: what it is, without its name."""

    name: str
    path: str
    volume: Mapping[str, Any]
    read_only: bool = False


@dataclass(frozen=True)
class Server:
    """
    health: a path that answers 200 once it can work; alive: one that answers as long as it runs.
    start: seconds it may take to be ready.
    pod: further fields of the pod. beside: further objects that it needs.
    """

    image: str
    args: Sequence[str]
    resources: Mapping[str, Any]
    health: str = "/health"
    alive: str = "/health"
    start: int = 300
    env: Sequence[Mapping[str, Any]] = ()
    mounts: Sequence[Mount] = ()
    pod: Mapping[str, Any] = field(default_factory=dict)
    beside: Sequence[Body] = ()


def predictor(wanted: Wanted, server: Server) -> Body:
    """One replica: nobody has asked for more, and on GPUs each would have to be paid for."""
    return {
        "minReplicas": 1,
        "maxReplicas": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,  # else a Service called vllm would set VLLM_PORT
        "terminationGracePeriodSeconds": _UNTIL_ENDED,
        "securityContext": security.of_pod(wanted),
        "containers": [_container(server)],
        "volumes": [{"name": each.name, **each.volume} for each in server.mounts],
        **server.pod,
    }


def _container(server: Server) -> Body:
    container: Body = {"name": CONTAINER, "image": server.image, "args": list(server.args)}
    if server.env:
        container["env"] = list(server.env)
    return {
        **container,
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "resources": dict(server.resources),
        "securityContext": security.of_container(),
        "startupProbe": _probe(server.alive, -(-server.start // _PERIOD)),
        "readinessProbe": _probe(server.health, 3),
        "livenessProbe": _probe(server.alive, 12),
        "volumeMounts": list(map(_mount, server.mounts)),
    }


def _mount(each: Mount) -> Body:
    mount: Body = {"name": each.name, "mountPath": each.path}
    return {**mount, "readOnly": True} if each.read_only else mount


def _probe(path: str, failures: int) -> Body:
    get = {"path": path, "port": PORT, "scheme": "HTTP"}
    return {"httpGet": get, "periodSeconds": _PERIOD, "timeoutSeconds": 5, "failureThreshold": failures}


def temporary(size: str) -> Mount:
    """The one place outside of its own volumes that a server may write to."""
    return Mount("tmp", "/tmp", {"emptyDir": {"sizeLimit": size}})  # noqa: S108  # in its own container


def flagged(options: Mapping[str, str]) -> list[str]:
    """An option without a value is a switch."""
    return [f"--{name}={value}" if value else f"--{name}" for name, value in options.items()]
