"""CRDs as an API server has stored them, from the schemas beside the repository.

They are written into etcd before the API server starts: 110 of them through the API take 17 seconds and 30 of CPU,
since each is validated, named and established in turn; so they take half a second, and the server starts with them.
The server still holds every object against their schemas and rules. Descriptions are left out: three quarters of them.
"""

import base64
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.kubernetes.shared import Crd, crds

_PREFIX = "/registry/apiextensions.k8s.io/customresourcedefinitions"
_CREATED = "2026-01-01T00:00:00Z"


def of_components(*components: str) -> list[Crd]:
    """components: folders of ../shared/crds. Skips the test where they are not there."""
    return [crd for crd in crds() if crd.component in components] if components else []


def stored(crd: Crd, annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Named and established, as after a while in a cluster."""
    definition = json.loads(_read(crd.path))
    spec, metadata = definition["spec"], definition["metadata"]
    names = spec["names"]
    names |= {
        "listKind": names.get("listKind", f"{names['kind']}List"),
        "singular": names.get("singular", names["kind"].lower()),
    }
    metadata |= {"uid": str(uuid.uuid4()), "generation": 1, "creationTimestamp": _CREATED}
    metadata["annotations"] = {**metadata.get("annotations", {}), **(annotations or {})}
    definition["status"] = {
        "acceptedNames": names,
        "storedVersions": [version["name"] for version in spec["versions"] if version["storage"]],
        "conditions": [_true("NamesAccepted", "NoConflicts"), _true("Established", "InitialNamesAccepted")],
    }
    return {**definition, "spec": {"conversion": {"strategy": "None"}, **spec}}


def write(etcd: Path, definitions: Iterable[Mapping[str, Any]]) -> None:
    """etcd: its socket."""
    put(etcd, [(f"{_PREFIX}/{definition['metadata']['name']}", definition) for definition in definitions])


def put(etcd: Path, objects: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Writes objects under their keys as JSON, which an API server reads as well as its own encoding."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(etcd)), base_url="http://etcd", timeout=60) as client:
        for key, value in objects:
            body = {"key": _base64(key), "value": _base64(json.dumps(value))}
            client.post("/v3/kv/put", json=body).raise_for_status()


@cache
def _read(path: Path) -> str:
    return json.dumps(_undescribed(yaml.load(path.read_bytes(), yaml.CSafeLoader)))  # it is a safe one


def _undescribed(value: Any, *, properties: bool = False) -> Any:
    """properties: the names in it are of fields, one of which may be called description."""
    if isinstance(value, list):
        return [_undescribed(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _undescribed(item, properties=name == "properties" and not properties)
        for name, item in value.items()
        if properties or name != "description"
    }


def _true(type: str, reason: str) -> dict[str, str]:
    return {"type": type, "status": "True", "reason": reason, "message": "", "lastTransitionTime": _CREATED}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
