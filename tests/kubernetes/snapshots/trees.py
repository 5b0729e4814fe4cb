"""Snapshots in the shapes in which tools leave them, made of a few objects."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from maas.cluster.kinds import ALL
from maas.cluster.objects import name, namespace

Tree = Mapping[str, bytes]

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "vllm-0", "namespace": "llm", "creationTimestamp": "2026-08-20T10:00:00Z"},
    "spec": {"containers": [{"name": "server", "image": "vllm/vllm-openai:v0.10.2"}]},
    "status": {"phase": "Pending"},
}
NODE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "worker-1", "creationTimestamp": "2026-08-01T10:00:00Z"},
    "status": {
        "nodeInfo": {"kubeletVersion": "v1.33.2"},
        "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-08-20T11:59:00Z"}],
    },
}
GATEWAY: dict[str, Any] = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "maas-gateway", "namespace": "llm"},
    "spec": {"gatewayClassName": "istio", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
}


def crd(plural: str, group: str, *versions: str) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"plural": plural},
            "versions": [{"name": version, "served": True} for version in versions],
        },
    }


def list_of(*objects: Any) -> dict[str, Any]:
    """As `kubectl get -o yaml` prints it."""
    return {"apiVersion": "v1", "items": list(objects), "kind": "List", "metadata": {"resourceVersion": ""}}


def as_yaml(*documents: Any) -> bytes:
    return yaml.safe_dump_all(documents).encode()


def as_json(document: Any) -> bytes:
    return json.dumps(document, indent=4).encode()


def inspected(*objects: Any) -> dict[str, bytes]:
    """As `oc adm inspect` has it: lists by namespace, what is in no namespace one by one."""
    tree: dict[str, bytes] = {"event-filter.html": b"<html>", "timestamp": b""}
    by_list: dict[str, list[Any]] = {}
    for each in objects:
        kind = next(k for k in ALL if (k.group, k.name) == (each["apiVersion"].rpartition("/")[0], each["kind"]))
        group = kind.group or "core"
        if namespace(each):
            by_list.setdefault(f"namespaces/{namespace(each)}/{group}/{kind.plural}.yaml", []).append(each)
        else:
            tree[f"cluster-scoped-resources/{group}/{kind.plural}/{name(each)}.yaml"] = as_yaml(each)
    for path, found in by_list.items():
        typed = {"apiVersion": found[0]["apiVersion"], "kind": f"{found[0]['kind']}List"}
        tree[path] = as_yaml(typed | {"items": [{k: v for k, v in o.items() if k != "kind"} for o in found]})
    return tree


def must_gather(*objects: Any, timestamp: str = "2026-08-20 12:00:00.123 +0000 UTC m=+0.1") -> dict[str, bytes]:
    """One image's tree, in a folder that is called like the image's digest."""
    image = "quay-io-openshift-release-dev-ocp-v4-0-art-dev-sha256-0123abc"
    tree = {f"{image}/{path}": data for path, data in inspected(*objects).items()}
    tree[f"{image}/version"] = b"openshift/must-gather\n4.20.3\n"
    tree[f"{image}/timestamp"] = f"{timestamp}\n".encode()
    tree["timestamp"] = f"{timestamp}\n".encode()
    return tree


def in_folder(root: Path, tree: Tree) -> Path:
    for path, data in tree.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def in_archive(path: Path, tree: Tree, root: str = "must-gather.local.1") -> Path:
    path.write_bytes(archived({f"{root}/{name}": data for name, data in tree.items()}))
    return path


def archived(tree: Tree, extra: Iterable[tarfile.TarInfo] = ()) -> bytes:
    """extra: members without content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in tree.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in extra:
            archive.addfile(info)
    return gzip.compress(buffer.getvalue())
