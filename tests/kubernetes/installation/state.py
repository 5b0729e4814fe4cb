"""Everything that a cluster holds, comparable: what people or controllers want, without what servers note beside it."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from maas.cluster.objects import label, name, namespace
from tests.kubernetes.cluster import Cluster

Place = tuple[str, str, str]  # "deployments.apps", namespace, name
State = dict[Place, Any]
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
# What Kubernetes makes of other objects, by names of its own choice, or notes for a while.
_PASSING = {
    *("componentstatuses", "controllerrevisions", "csinodes", "endpoints", "endpointslices", "events", "ipaddresses"),
    *("leases", "pods", "replicasets"),
}
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_CALM = 1.5  # seconds
_NOTED = ("deployment.kubernetes.io/", "kubectl.kubernetes.io/restartedAt")


def state(cluster: Cluster) -> State:
    with cluster.client() as client:
        return {
            (key, namespace(each), _name(key, each)): _wanted(key, each)
            for key, path in _collections(client)
            for each in _listed(client, path, of_definitions=_METADATA)
            if label(each, "status") != "superseded"  # Helm's record of how it was before an upgrade
        }


def settled(cluster: Cluster) -> State:
    """Once nothing has changed for a moment: controllers tidy up behind what was asked for."""
    known, seen = versions(cluster), time.monotonic()
    deadline = seen + 60
    while time.monotonic() - seen < _CALM:
        assert time.monotonic() < deadline, "the cluster does not come to rest"
        time.sleep(_CALM / 2)
        if (now := versions(cluster)) != known:
            known, seen = now, time.monotonic()
    return state(cluster)


def versions(cluster: Cluster) -> dict[Place, str]:
    """Of each object, the resourceVersion; not of nodes, which give signs of life."""
    with cluster.client() as client:
        return {
            (key, namespace(each), name(each)): each["metadata"].get("resourceVersion", "")
            for key, path in _collections(client)
            if key != "nodes"
            for each in _listed(client, path, _METADATA, _METADATA)
        }


def _listed(
    client: httpx.Client, path: str, accept: str = "application/json", of_definitions: str = ""
) -> list[dict[str, Any]]:
    """The storage of a new CRD asks for patience at first; what has gone meanwhile holds nothing."""
    wanted = of_definitions if path.endswith("/customresourcedefinitions") else accept
    for _ in range(50):
        answer = client.get(path, headers={"Accept": wanted})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return []
        if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            break
        time.sleep(0.2)
    found: list[dict[str, Any]] = answer.raise_for_status().json()["items"] or []
    return found


def _collections(client: httpx.Client) -> Iterator[tuple[str, str]]:
    """Each resource once, in the version that the server prefers."""
    seen = set[str]()
    for root in ("/api", "/apis"):
        for group in client.get(root, headers={"Accept": _DISCOVERY}).raise_for_status().json()["items"]:
            named = group["metadata"].get("name", "")
            for version in group["versions"]:
                base = f"/apis/{named}/{version['version']}" if named else f"/api/{version['version']}"
                for resource in version["resources"]:
                    key = f"{resource['resource']}.{named}".rstrip(".")
                    if resource["resource"] in _PASSING or "list" not in resource["verbs"] or key in seen:
                        continue
                    seen.add(key)
                    yield key, f"{base}/{resource['resource']}"


def _name(key: str, object: Mapping[str, Any]) -> str:
    """Helm's records are numbered."""
    return name(object).rpartition(".v")[0] if label(object, "owner") == "helm" else name(object)


def _wanted(key: str, object: Mapping[str, Any]) -> Any:
    kept = {
        field: value for field, value in object.items() if field not in ("status", "metadata", "apiVersion", "kind")
    }
    if key == "secrets":
        kept["data"] = sorted(kept.get("data") or ())
    if key == "services":  # addresses and ports are given out by chance
        kept["spec"] = {k: v for k, v in kept["spec"].items() if not k.startswith(("clusterIP", "healthCheck"))}
        kept["spec"]["ports"] = [
            {k: v for k, v in port.items() if k != "nodePort"} for port in kept["spec"].get("ports", ())
        ]
    metadata = object["metadata"]
    kept["labels"] = {k: v for k, v in (metadata.get("labels") or {}).items() if k not in ("modifiedAt", "version")}
    annotations = metadata.get("annotations") or {}
    kept["annotations"] = {k: v for k, v in annotations.items() if not k.startswith(_NOTED)}
    kept["owners"] = sorted(f"{each['kind']}/{each['name']}" for each in metadata.get("ownerReferences") or ())
    if "template" in (kept.get("spec") or {}):
        told = kept["spec"]["template"].get("metadata", {}).get("annotations", {})
        told.pop("kubectl.kubernetes.io/restartedAt", None)
        kept["spec"]["template"]["metadata"].pop("annotations", None) if not told else None
    return json.loads(json.dumps(kept, sort_keys=True))


def differences(one: State, other: State) -> list[str]:
    """For a test's message."""
    found = [f"+ {'/'.join(place)}" for place in sorted(other.keys() - one.keys())]
    found += [f"- {'/'.join(place)}" for place in sorted(one.keys() - other.keys())]
    for place in sorted(one.keys() & other.keys()):
        if one[place] != other[place]:
            found.append(f"~ {'/'.join(place)}: {_between(one[place], other[place])}")
    return found


def _between(one: Any, other: Any, path: str = "") -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        parts = [
            _between(one.get(key), other.get(key), f"{path}.{key}")
            for key in sorted(one.keys() | other.keys())
            if one.get(key) != other.get(key)
        ]
        return "; ".join(parts)
    return f"{path}: {json.dumps(one)[:200]} -> {json.dumps(other)[:200]}"
