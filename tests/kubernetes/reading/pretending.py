"""A played API server that has what a test gives it, and spoils what the test wants spoiled."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from maas.cluster.api import Api
from maas.cluster.connection import connect
from maas.cluster.facts import live
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import ALL, Kind
from tests.kubernetes.connection.configs import write
from tests.kubernetes.played import Play, Request, Server, listed, playing, status

T = TypeVar("T")
Spoil = Callable[[Request], Awaitable[Any]]
ORDINARY = object()  # what a Spoil answers to leave a request alone
LOCATIONS = {f"/{'apis/' + kind.group if kind.group else 'api'}/{kind.versions[0]}/{kind.plural}": kind for kind in ALL}


def pretending(objects: Mapping[Kind, Sequence[Any]], spoil: Spoil | None = None) -> Play:
    """Serves every kind we know, in the version we like best."""

    async def play(request: Request) -> Any:
        if spoil is not None:
            spoiled = await spoil(request)
            if spoiled is not ORDINARY:
                return spoiled
        return _ordinary(request, objects)

    return play


def _ordinary(request: Request, objects: Mapping[Kind, Sequence[Any]]) -> Any:
    if request.path == "/version":
        return {"gitVersion": "v1.34.4", "major": "1", "minor": "34"}
    if request.path in ("/api", "/apis"):
        return aggregated([kind for kind in ALL if bool(kind.group) == (request.path == "/apis")])
    if request.path.endswith("/selfsubjectaccessreviews"):
        return {"kind": "SelfSubjectAccessReview", "status": {"allowed": True}}
    if request.method == "GET" and request.path in LOCATIONS:
        kind = LOCATIONS[request.path]
        return listed(kind.name, *objects.get(kind, ()))
    return status(404, "the server could not find the requested resource")


def aggregated(kinds: Sequence[Kind], version: str = "v2") -> dict[str, Any]:
    groups: dict[str, dict[str, list[str]]] = {}
    for kind in kinds:
        groups.setdefault(kind.group, {}).setdefault(kind.versions[0], []).append(kind.plural)
    found = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [
                {"version": each, "freshness": "Current", "resources": [{"resource": plural} for plural in plurals]}
                for each, plurals in versions.items()
            ],
        }
        for group, versions in groups.items()
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": f"apidiscovery.k8s.io/{version}", "items": found}


def with_api(tmp_path: Path, play: Play, use: Callable[[Api, Server], Awaitable[T]]) -> T:
    async def run() -> T:
        async with playing(play) as server, connect(None, write(tmp_path / "config", server.url)) as api:
            return await use(api, server)

    return asyncio.run(run())


def read(tmp_path: Path, play: Play, *, deadline: float = 20.0, logs: bool = False) -> Facts:
    return with_api(tmp_path, play, lambda api, _: live.read(api, deadline=deadline, logs=logs, tools=False))


def pod(name: str, namespace: str = "team", **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {}, "status": {"phase": "Running", **status}}
