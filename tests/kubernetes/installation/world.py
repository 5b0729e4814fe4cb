"""What the played controllers see of a cluster: every kind of theirs, watched, as their own informers would.

Kinds of a CRD are watched from when it is established until it goes. Nobody polls: a cluster at rest costs nothing.
"""

import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from maas.cluster import kinds
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object, items, name, namespace, text

DEFINITION = Kind(
    "CustomResourceDefinition", "customresourcedefinitions", "apiextensions.k8s.io", namespaced=False
)  # whole, unlike that of kinds.py
PACKAGE = Kind("PackageManifest", "packagemanifests", "packages.operators.coreos.com")
CONFIG_MAP = Kind("ConfigMap", "configmaps")
SERVICE_ACCOUNT = Kind("ServiceAccount", "serviceaccounts")
SECRET = Kind("Secret", "secrets")
CLUSTER_RUNTIME = kinds.CLUSTER_SERVING_RUNTIME
ALWAYS = (DEFINITION, kinds.NODE, kinds.NAMESPACE, kinds.DEPLOYMENT, kinds.SERVICE, SERVICE_ACCOUNT, SECRET, CONFIG_MAP)
OF_DEFINITIONS = (
    *(each for each in kinds.ALL if "." in each.group and not each.group.endswith(".k8s.io")),
    *(each for each in kinds.ALL if each.group == "gateway.networking.k8s.io"),
    kinds.ENVOY_FILTER,
    PACKAGE,
)
_PAUSE = 0.2
Place = tuple[str, str]


@dataclass
class World:
    """objects: by Kind.key, then by namespace and name. memory: what a controller keeps while its process lives."""

    objects: dict[str, dict[Place, Object]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    memory: dict[Any, Any] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def all(self, kind: Kind) -> list[Object]:
        return list(self.objects.get(kind.key, {}).values())

    def one(self, kind: Kind, named: str, in_namespace: str = "") -> Object | None:
        return self.objects.get(kind.key, {}).get((in_namespace, named))

    def serves(self, *wanted: Kind) -> bool:
        return all(kind.key in self.versions for kind in wanted)

    def available(self, named: str, in_namespace: str | None = None) -> Object | None:
        """A Deployment of that name whose newest pods are there."""
        for (where, called), object in self.objects.get(kinds.DEPLOYMENT.key, {}).items():
            if called == named and in_namespace in (None, where) and is_available(object):
                return object
        return None

    def api_version(self, kind: Kind) -> str:
        return f"{kind.group}/{self.versions[kind.key]}".lstrip("/")

    def path(self, kind: Kind, in_namespace: str = "", named: str = "") -> str:
        version = self.versions[kind.key]
        base = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
        where = f"/namespaces/{in_namespace}" if in_namespace else ""
        return f"{base}{where}/{kind.plural}" + (f"/{named}" if named else "")


def is_available(deployment: Object) -> bool:
    """As `kubectl rollout status` sees it."""
    status, spec = deployment.get("status") or {}, deployment["spec"]
    wanted = spec.get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 1)
    return bool(seen and status.get("updatedReplicas", 0) >= wanted and status.get("availableReplicas", 0) >= wanted)


async def watch(world: World, client: httpx.AsyncClient) -> None:
    """Until it is cancelled."""
    async with asyncio.TaskGroup() as group:
        for kind in ALWAYS:
            group.create_task(_watch(world, client, kind, "v1"))
        group.create_task(_of_definitions(world, client, group))


async def _of_definitions(world: World, client: httpx.AsyncClient, group: asyncio.TaskGroup) -> None:
    """Begins and ends the watching of kinds, as their CRDs come and go."""
    watching: dict[str, asyncio.Task[None]] = {}
    while True:
        served = dict(_served(world))
        for kind in OF_DEFINITIONS:
            if kind.key in served and kind.key not in watching:
                watching[kind.key] = group.create_task(_watch(world, client, kind, served[kind.key]))
            elif kind.key in watching and kind.key not in served:
                watching.pop(kind.key).cancel()
                world.objects.pop(kind.key, None)
                world.versions.pop(kind.key, None)
                world.changed.set()
        await asyncio.sleep(0.05)


def _served(world: World) -> Iterator[tuple[str, str]]:
    for kind in OF_DEFINITIONS:
        definition = world.one(DEFINITION, kind.key)
        if definition is None or not _is_established(definition):
            continue
        versions = [text(each, "name") for each in items(definition, "spec", "versions") if each.get("served")]
        yield kind.key, next((each for each in kind.versions if each in versions), versions[0])


def _is_established(definition: Object) -> bool:
    found = {text(each, "type"): text(each, "status") for each in items(definition, "status", "conditions")}
    return found.get("Established") == "True" and found.get("Terminating") != "True"


async def _watch(world: World, client: httpx.AsyncClient, kind: Kind, version: str) -> None:
    base = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
    path = f"{base}/{kind.plural}"
    while True:
        with contextlib.suppress(httpx.TransportError, _Again):
            answer = await client.get(path)
            if not answer.is_success:
                raise _Again
            listed = answer.json()
            found = [_named(kind, version, each) for each in listed["items"]]
            world.objects[kind.key] = {(namespace(each), name(each)): each for each in found}
            world.versions[kind.key] = version
            world.changed.set()
            asked = {"watch": "1", "resourceVersion": listed["metadata"]["resourceVersion"]}
            async with client.stream("GET", path, params=asked, timeout=None) as events:
                async for line in events.aiter_lines():
                    _take(world, kind, version, json.loads(line))
        await asyncio.sleep(_PAUSE)


class _Again(Exception):
    """It has to be listed anew."""


def _take(world: World, kind: Kind, version: str, event: Mapping[str, Any]) -> None:
    if event["type"] == "ERROR":
        raise _Again
    object = _named(kind, version, event["object"])
    place = namespace(object), name(object)
    if event["type"] == "DELETED":
        world.objects[kind.key].pop(place, None)
    else:
        world.objects[kind.key][place] = object
    world.changed.set()


def _named(kind: Kind, version: str, object: Object) -> Object:
    """Items of a list do not say what they are."""
    return {**object, "apiVersion": f"{kind.group}/{version}".lstrip("/"), "kind": kind.name}
