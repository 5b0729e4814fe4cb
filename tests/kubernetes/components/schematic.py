"""Objects that are their CRD's schema: they answer every question that the schema knows, and note those it does not.

Checks read them as they read any object. So the paths that checks ask for are found by the checks themselves, not by
a list that somebody has to keep.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from maas.cluster.kinds import Kind
from tests.kubernetes.shared import Crd, crds

# Checks look for conditions by type: of each list of conditions, there is one of each of these.
TYPES = (
    "Ready", "Accepted", "Available", "Degraded", "Error", "ResolutionFailed", "CatalogSourcesUnhealthy", "Installed",
    "KserveReady", "CRDsReady", "InstallPlanFailed",
)  # fmt: skip
# Values without which a check does not look any further, by kind and path.
_VALUES: Mapping[tuple[str, str], Any] = {
    ("Subscription", "spec.name"): "rhods-operator",
    ("Subscription", "status.installedCSV"): "",
    ("InstallPlan", "spec.clusterServiceVersionNames"): ["rhods-operator.2.16.0"],
    ("InstallPlan", "spec.approved"): False,
    ("GatewayClass", "spec.controllerName"): "istio.io/gateway-controller",
    ("ClusterVersion", "status.history[].state"): "Completed",
    ("ClusterVersion", "status.history[].version"): "4.16.3",
    ("DataScienceCluster", "spec.components.kserve.managementState"): "Managed",
    ("DataScienceCluster", "status.components.kserve.releases[].name"): "KServe",
}
_NAMES = {
    "ClusterVersion": "version",
    "ClusterOperator": "ingress",
    "ClusterServiceVersion": "rhods-operator.2.16.0",
    "OLMConfig": "cluster",
    "ServiceMeshMemberRoll": "default",
}


class Schematic(Mapping[str, Any]):
    """One object of a schema. unknown: where to note what was asked for that the schema does not have.

    well: whether its conditions are True.
    """

    def __init__(
        self, schema: Mapping[str, Any], kind: Kind, path: str, unknown: set[str], *, well: bool, type: str = ""
    ) -> None:
        self._schema, self._kind, self._path, self._unknown = schema, kind, path, unknown
        self._well, self._type = well, type

    def __getitem__(self, key: str) -> Any:
        path = f"{self._path}.{key}".lstrip(".")
        if path in ("metadata", "apiVersion", "kind"):
            return self._identity(key)
        schema = self._schema.get("properties", {}).get(key)
        if schema is None:
            if not self._is_open():
                self._unknown.add(f"{self._kind.name} {path}")
            raise KeyError(key)
        return self._value(key, path, schema)

    def _is_open(self) -> bool:
        free = self._schema.get("additionalProperties") or self._schema.get("x-kubernetes-preserve-unknown-fields")
        return bool(free)

    def _identity(self, key: str) -> Any:
        where = {"namespace": "some-namespace"} if self._kind.namespaced else {}
        return {"name": _NAMES.get(self._kind.name, "some"), **where} if key == "metadata" else self._kind.name

    def _value(self, key: str, path: str, schema: Mapping[str, Any]) -> Any:
        if (self._kind.name, path) in _VALUES:
            return _VALUES[self._kind.name, path]
        match schema.get("type"):
            case "object":
                return Schematic(schema, self._kind, path, self._unknown, well=self._well)
            case "array":
                return self._items(key, path, schema["items"])
            case "string":
                return self._text(key, schema)
            case "boolean":
                return True
            case "integer" | "number":
                return 1
        return None

    def _items(self, key: str, path: str, schema: Mapping[str, Any]) -> list[Any]:
        if schema.get("type") != "object":
            return ["some"]
        types = TYPES if key == "conditions" else ("",)
        parts = (schema, self._kind, f"{path}[]", self._unknown)
        return [Schematic(*parts, well=self._well, type=type) for type in types]

    def _text(self, key: str, schema: Mapping[str, Any]) -> str:
        if key == "phase" and self._kind.name == "InstallPlan":
            return "RequiresApproval" if self._well else "Failed"
        if self._type and key in ("type", "status"):
            return self._type if key == "type" else str(self._well)
        return str(next(iter(schema.get("enum", ())), "some"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._schema.get("properties", {}))

    def __len__(self) -> int:
        return len(self._schema.get("properties", {})) or 1


def objects_of(kind: Kind, unknown: set[str], *, well: bool = True) -> list[Schematic]:
    """One for each version that checks understand, of each CRD of this kind; none if there is no CRD of it."""
    definitions = [crd for crd in crds() if (crd.group, crd.plural) == (kind.group, kind.plural)]
    found = [(_schema(crd, version), version) for crd in definitions for version in kind.versions]
    return [_Whole(schema, kind, f"{kind.group}/{version}", unknown, well=well) for schema, version in found if schema]


class _Whole(Schematic):
    def __init__(self, schema: Mapping[str, Any], kind: Kind, api: str, unknown: set[str], *, well: bool) -> None:
        super().__init__(schema, kind, "", unknown, well=well)
        self._api = api

    def _identity(self, key: str) -> Any:
        return self._api if key == "apiVersion" else super()._identity(key)


def _schema(crd: Crd, version: str) -> Mapping[str, Any] | None:
    versions = {each["name"]: each for each in _document(crd.path)["spec"]["versions"]}
    return versions[version]["schema"]["openAPIV3Schema"] if version in versions else None


@cache
def _document(path: Path) -> Mapping[str, Any]:
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # type: ignore[no-any-return]
