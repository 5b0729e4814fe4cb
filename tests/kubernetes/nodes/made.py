"""Nodes and pods in a few words, for tests of what is added up over them."""

from collections.abc import Mapping, Sequence
from typing import Any

Object = dict[str, Any]
T4 = {
    "nvidia.com/gpu.present": "true",
    "nvidia.com/gpu.product": "Tesla-T4",
    "nvidia.com/gpu.memory": "15360",
    "nvidia.com/gpu.compute.major": "7",
    "nvidia.com/gpu.compute.minor": "5",
    "nvidia.com/cuda.driver-version.full": "580.95.05",
    "nvidia.com/cuda.runtime-version.full": "13.0",
}
A10G = T4 | {
    "nvidia.com/gpu.product": "NVIDIA-A10G",
    "nvidia.com/gpu.memory": "23028",
    "nvidia.com/gpu.compute.major": "8",
    "nvidia.com/gpu.compute.minor": "6",
}


def container(restartPolicy: str = "", **requests: str) -> Object:
    made: Object = {"name": "c", "resources": {"requests": requests}}
    return made | ({"restartPolicy": restartPolicy} if restartPolicy else {})


def pod(
    name: str,
    on: str = "",
    *,
    namespace: str = "default",
    containers: Sequence[Object] = (),
    inits: Sequence[Object] = (),
    phase: str = "Running",
    labels: Mapping[str, str] | None = None,
) -> Object:
    spec: Object = {"containers": list(containers)} | ({"initContainers": list(inits)} if inits else {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
        "spec": spec | ({"nodeName": on} if on else {}),
        "status": {"phase": phase},
    }


def node(
    name: str,
    *,
    cpu: str = "8",
    memory: str = "32Gi",
    gpus: int = 0,
    ready: str = "True",
    cordoned: bool = False,
    taints: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    **amounts: str,
) -> Object:
    """taints: as kubectl writes them, "key=value:NoSchedule". amounts: further ones, with _ for what Python forbids."""
    has = {"cpu": cpu, "memory": memory, "pods": "110", "ephemeral-storage": "200Gi"} | amounts
    has |= {"nvidia.com/gpu": str(gpus)} if gpus else {}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {"taints": [_taint(each) for each in taints]} | ({"unschedulable": True} if cordoned else {}),
        "status": {
            "capacity": has,
            "allocatable": has,
            "conditions": [{"type": "Ready", "status": ready, "reason": "KubeletReady"}],
            "nodeInfo": {"architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": "v1.34.4"},
        },
    }


def _taint(written: str) -> Object:
    key, _, effect = written.partition(":")
    key, _, value = key.partition("=")
    return {"key": key, "effect": effect} | ({"value": value} if value else {})
