"""Which APIs a cluster serves: two calls where the server aggregates them (Kubernetes 1.26 and newer), else one for
each group that we know kinds of.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from maas.cluster.api import JSON, Api
from maas.cluster.failures import ServerFailed
from maas.cluster.kinds import ALL, OURS, SERVED_ONLY, Kind
from maas.cluster.objects import at, items, text, texts
from maas.domain.errors import MaasError

_AGGREGATED = ",".join(
    (
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        JSON,
    )
)
_GROUPS = frozenset(kind.group for kind in (*ALL, *OURS, *SERVED_ONLY))


@dataclass(frozen=True)
class Discovered:
    """apis: as in Facts, the versions of a group in the order in which the server prefers them.

    broken: group versions that are registered, but whose server does not answer.
    """

    apis: Mapping[str, frozenset[str]]
    broken: frozenset[str] = field(default=frozenset())

    def version(self, kind: Kind) -> str | None:
        """Which to ask for: the best of those we understand, else the one the server prefers."""
        served = [
            key.rpartition("/")[2]
            for key, plurals in self.apis.items()
            if key.rpartition("/")[0] == kind.group and kind.plural in plurals
        ]
        return next((version for version in kind.versions if version in served), served[0] if served else None)

    def is_broken(self, kind: Kind) -> bool:
        return any(key.rpartition("/")[0] == kind.group for key in self.broken)


async def discover(api: Api) -> Discovered:
    """Raises MaasError."""
    found = await asyncio.gather(_asked(api, "/api"), _asked(api, "/apis"), return_exceptions=True)
    core, rest = (_or_raised(each) for each in found)
    apis, broken = {**core.apis, **rest.apis}, core.broken | rest.broken
    return Discovered(apis, broken)


def _or_raised(found: Discovered | BaseException) -> Discovered:
    if isinstance(found, BaseException):
        raise found
    return found


async def _asked(api: Api, path: str) -> Discovered:
    answer = await api.get(path, accept=_AGGREGATED)
    if text(answer, "kind") == "APIGroupDiscoveryList":
        return _aggregated(answer)
    if text(answer, "kind") not in ("APIVersions", "APIGroupList"):
        raise ServerFailed(f"asking {path} which APIs there are: the server answered with something else")
    return await _one_by_one(api, _group_versions(answer))


def _aggregated(answer: Any) -> Discovered:
    apis: dict[str, frozenset[str]] = {}
    broken: set[str] = set()
    for group in items(answer, "items"):
        for version in items(group, "versions"):
            key = f"{text(group, 'metadata', 'name')}/{text(version, 'version')}".lstrip("/")
            plurals = frozenset(text(resource, "resource") for resource in items(version, "resources"))
            apis[key] = plurals
            if text(version, "freshness") == "Stale":
                broken.add(key)
    return Discovered(apis, frozenset(broken))


def _group_versions(answer: Any) -> list[str]:
    """Of an APIVersions or an APIGroupList; the preferred version of each group first."""
    found = texts(answer, "versions")
    for group in items(answer, "groups"):
        preferred = text(group, "preferredVersion", "groupVersion")
        versions = [text(each, "groupVersion") for each in items(group, "versions")]
        found += sorted(versions, key=lambda version: version != preferred)
    return [each for each in found if each]


async def _one_by_one(api: Api, group_versions: list[str]) -> Discovered:
    """Groups of which we know no kinds are only said to be there."""
    wanted = [each for each in group_versions if each.rpartition("/")[0] in _GROUPS]
    answers = await asyncio.gather(*(_resources(api, each) for each in wanted))
    apis = dict.fromkeys(group_versions, frozenset[str]())
    apis |= {key: plurals for key, plurals in zip(wanted, answers, strict=True) if plurals is not None}
    return Discovered(apis, frozenset(k for k, plurals in zip(wanted, answers, strict=True) if plurals is None))


async def _resources(api: Api, group_version: str) -> frozenset[str] | None:
    path = f"/apis/{group_version}" if "/" in group_version else f"/api/{group_version}"
    try:
        answer = await api.get(path)
    except MaasError:
        return None
    return frozenset(text(each, "name") for each in items(answer, "resources") if at(each, "name"))
