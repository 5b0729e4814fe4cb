"""The test controller: plays the controllers whose containers cannot run here, against the real API server.

    with controllers(cluster), playing(cluster):
        …a Gateway becomes Programmed, a Subscription gets its CSV, a policy is Enforced…

What is real: the API server, Kubernetes' own controllers, the scheduler, KWOK's nodes (so Deployments become available
for real, and stop being so), Helm. What is played: each third-party controller, one pure function from what is in the
cluster to what it would write: statuses, objects of its own, finalizers. A player acts only while the Deployment of its
controller is available, as the real one does, so an order of removal that would leave finalizers behind does so here.
Where each status is from is written with its player; all in all from facts/cluster.md, beside this repository.
"""

import asyncio
import contextlib
import json
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from maas.cluster.kinds import ALL, ENVOY_FILTER, Kind
from maas.cluster.objects import Object, name, namespace
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.installation.world import ALWAYS, PACKAGE, World, watch

_KINDS = {(kind.group, kind.name): kind for kind in (*ALL, ENVOY_FILTER, PACKAGE, *ALWAYS)}
_SETTLE = 0.03


@dataclass(frozen=True)
class Status:
    """Is what this object's status is to hold; other fields of it stay."""

    object: Object
    status: Mapping[str, Any]


@dataclass(frozen=True)
class Make:
    """An object of the controller's own: applied when it is not there, or when what is wanted of it has changed."""

    object: Object
    by: str


@dataclass(frozen=True)
class Remove:
    object: Object


@dataclass(frozen=True)
class Finalize:
    """The object keeps this finalizer until it is to go and `done`."""

    object: Object
    finalizer: str
    done: bool = True


@dataclass(frozen=True)
class Patch:
    """A merge patch of what is not the status, such as labels; told=True once it is so."""

    object: Object
    body: Mapping[str, Any]


Deed = Status | Make | Remove | Finalize | Patch
Player = Callable[[World], Iterator[Deed]]


def kind_of(object: Object) -> Kind:
    group = str(object["apiVersion"]).rpartition("/")[0]
    return _KINDS.get((group, str(object["kind"]))) or _guessed(group, str(object["kind"]))


def _guessed(group: str, kind: str) -> Kind:
    plural = kind.lower() + ("es" if kind.endswith("s") else "s")
    return Kind(kind, plural.replace("policys", "policies"), group)


def owned(object: Object, owner: Object) -> Object:
    """With an owner, whose end is its own."""
    reference = {
        **{key: owner[key] for key in ("apiVersion", "kind")},
        "name": name(owner),
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    return {**object, "metadata": {**object["metadata"], "ownerReferences": [reference]}}


@contextlib.contextmanager
def playing(cluster: Cluster, players: Sequence[Player] | None = None) -> Iterator[World]:
    """All players unless some are named. What fails in one of them fails the test, at its end."""
    from tests.kubernetes.installation.players import ALL_PLAYERS

    world, failures, started = World(), list[BaseException](), threading.Event()
    loop = asyncio.new_event_loop()

    async def play() -> None:
        settings = cluster.async_client()
        settings.timeout = httpx.Timeout(30)
        async with settings as client:
            started.set()
            async with asyncio.TaskGroup() as group:
                group.create_task(watch(world, client))
                group.create_task(_Stage(world, client, players or ALL_PLAYERS).run())

    def run() -> None:
        asyncio.set_event_loop(loop)
        task = loop.create_task(play())
        world.memory["stop"] = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        except BaseException as failure:  # noqa: BLE001 - it is the test's failure, and raised there
            failures.append(failure)
            traceback.print_exception(failure)  # at once: whatever waits for a played controller waits in vain

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait(30)
    try:
        yield world
    finally:
        world.memory["stop"]()
        thread.join()
        loop.close()
    if failures:
        raise failures[0]


@dataclass
class _Stage:
    world: World
    client: httpx.AsyncClient
    players: Sequence[Player]

    async def run(self) -> None:
        """Players are asked again whenever something has changed."""
        while True:
            await self.world.changed.wait()
            await asyncio.sleep(_SETTLE)
            self.world.changed.clear()
            deeds = [deed for player in self.players for deed in player(self.world)]
            if not all(await asyncio.gather(*(self._do(deed) for deed in deeds))):
                self.world.changed.set()

    async def _do(self, deed: Deed) -> bool:
        """Whether it need not be tried again."""
        answer = await self._carry_out(deed)
        if answer is None or answer.is_success or answer.status_code in (404, 409):
            return True
        if answer.status_code >= 500 or answer.status_code == 429 or "being terminated" in answer.text:
            return False
        raise AssertionError(f"a played controller may not do this: {deed}: {answer.text}")

    async def _carry_out(self, deed: Deed) -> httpx.Response | None:
        kind = kind_of(deed.object)
        path = _path(deed.object, kind)
        match deed:
            case Status(object, status):
                if _holds(object.get("status") or {}, status):
                    return None
                return await self._patch(f"{path}/status", {"status": status})
            case Patch(object, body):
                return None if _holds(object, body) else await self._patch(path, body)
            case Make():
                return await self._make(deed, kind, path)
            case Remove():
                return await self.client.delete(path)
            case Finalize():
                return await self._finalize(deed, path)

    async def _patch(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        headers = {"Content-Type": "application/merge-patch+json"}
        return await self.client.patch(path, content=json.dumps(body), headers=headers)

    async def _make(self, deed: Make, kind: Kind, path: str) -> httpx.Response | None:
        applied = self.world.memory.setdefault("applied", {})
        wanted = json.dumps(deed.object, sort_keys=True)
        seen = self.world.objects.get(kind.key)
        is_there = seen is None or (namespace(deed.object), name(deed.object)) in seen
        if is_there and applied.get(path) == wanted:
            return None
        asked = {"fieldManager": deed.by, "force": "true"}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        answer = await self.client.patch(path, content=wanted, headers=headers, params=asked)
        if answer.is_success:
            applied[path] = wanted
        return answer

    async def _finalize(self, deed: Finalize, path: str) -> httpx.Response | None:
        metadata = deed.object["metadata"]
        kept = list(metadata.get("finalizers") or [])
        goes = "deletionTimestamp" in metadata
        if goes and deed.done and deed.finalizer in kept:
            kept.remove(deed.finalizer)
        elif not goes and deed.finalizer not in kept:
            kept.append(deed.finalizer)
        else:
            return None
        return await self._patch(path, {"metadata": {"finalizers": kept}})


def _holds(found: Any, wanted: Any) -> bool:
    """Whether a merge patch of what is wanted would change nothing."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(_holds(found.get(key), value) for key, value in wanted.items())
    return bool(found == wanted)


def _path(object: Object, kind: Kind) -> str:
    version = str(object["apiVersion"])
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    where = f"/namespaces/{namespace(object)}" if namespace(object) else ""
    return f"{base}{where}/{kind.plural}/{name(object)}"
