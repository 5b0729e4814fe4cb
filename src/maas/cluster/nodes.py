"""What a node is good for: whether it is up, takes new pods, and which taints stand in the way."""

from collections.abc import Mapping, Sequence
from typing import Any

from maas.cluster.objects import Object, condition, flag, items, mapping, text

GPU = "nvidia.com/gpu"
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
_KEEPS_OFF = ("NoSchedule", "NoExecute")
_TRANSIENT = "node.kubernetes.io/"  # set by Kubernetes itself while something is wrong; told by conditions
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")

Toleration = Mapping[str, Any]
TOLERATES_GPU: tuple[Toleration, ...] = ({"key": GPU, "operator": "Exists", "effect": "NoSchedule"},)


def is_ready(node: Object) -> bool:
    return text(condition(node, "Ready"), "status") == "True"


def is_cordoned(node: Object) -> bool:
    return flag(node, "spec", "unschedulable")


def is_control_plane(node: Object) -> bool:
    return any(key in mapping(node, "metadata", "labels") for key in _CONTROL_PLANE)


def taints(node: Object) -> list[Object]:
    """Those that keep pods off by somebody's wish."""
    return [
        taint
        for taint in items(node, "spec", "taints")
        if text(taint, "effect") in _KEEPS_OFF and not text(taint, "key").startswith(_TRANSIENT)
    ]


def foreign_taints(node: Object, tolerations: Sequence[Toleration] = ()) -> list[Object]:
    """Those that the tolerations do not cover."""
    return [taint for taint in taints(node) if not any(_tolerates(each, taint) for each in tolerations)]


def is_usable(node: Object, tolerations: Sequence[Toleration] = ()) -> bool:
    """Whether a pod with these tolerations could be placed on it, were there room."""
    return is_ready(node) and not is_cordoned(node) and not foreign_taints(node, tolerations)


def described(taint: Object) -> str:
    """As kubectl taint writes it."""
    value = f"={text(taint, 'value')}" if text(taint, "value") else ""
    return f"{text(taint, 'key')}{value}:{text(taint, 'effect')}"


def _tolerates(toleration: Toleration, taint: Object) -> bool:
    if text(toleration, "effect") not in ("", text(taint, "effect")):
        return False
    if text(toleration, "operator") == "Exists":
        return text(toleration, "key") in ("", text(taint, "key"))
    return text(toleration, "key") == text(taint, "key") and text(toleration, "value") == text(taint, "value")
