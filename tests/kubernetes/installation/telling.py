"""Conditions and objects in the words of controllers."""

from collections.abc import Mapping
from typing import Any

from maas.cluster.objects import Object, name, namespace
from tests.kubernetes.clusters.making import SINCE, container, pod_spec


def said(object: Object, type: str, holds: bool | str = True, reason: str = "", message: str = "") -> dict[str, Any]:
    """A condition that speaks of the object's newest spec. Its time is always the same: nothing here depends on it."""
    status = holds if isinstance(holds, str) else str(holds)
    return {
        "type": type,
        "status": status,
        "reason": reason or type,
        "message": message,
        "lastTransitionTime": SINCE,
        "observedGeneration": object["metadata"].get("generation", 1),
    }


def plain(condition: Mapping[str, Any]) -> dict[str, Any]:
    """Of those types that say nothing of generations."""
    return {key: value for key, value in condition.items() if key != "observedGeneration"}


def is_ending(object: Object) -> bool:
    return "deletionTimestamp" in object["metadata"]


def workload(named: str, in_namespace: str, image: str, labels: Mapping[str, str], **template: Any) -> dict[str, Any]:
    """A Deployment of one pod. template: further labels of its pods, by their names."""
    chosen = dict(labels)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": named, "namespace": in_namespace, "labels": chosen},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": chosen},
            "template": {
                "metadata": {"labels": {**chosen, **template}},
                "spec": pod_spec(container("main", image, cpu="10m", memory="16Mi")),
            },
        },
    }


def in_front(named: str, in_namespace: str, ports: Mapping[str, int], labels: Mapping[str, str]) -> dict[str, Any]:
    """A Service."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": named, "namespace": in_namespace, "labels": dict(labels)},
        "spec": {
            "type": "ClusterIP",
            "selector": dict(labels),
            "ports": [
                {"name": key, "port": port, "targetPort": port, "protocol": "TCP"} for key, port in ports.items()
            ],
        },
    }


def reference(object: Object) -> tuple[str, str]:
    return namespace(object), name(object)
