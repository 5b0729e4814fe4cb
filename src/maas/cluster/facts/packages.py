"""What the catalogs of OperatorHub offer of single operators: channels, their newest versions, and an example.

A PackageManifest is a megabyte of icons and descriptions; a little of it is kept. It is listed with its name as the
selector, since several catalogs may have a package of that name: Red Hat's, a mirror of it, the community's.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from maas.cluster.api import Api, path_of
from maas.cluster.kinds import PACKAGE_MANIFEST
from maas.cluster.objects import Object, items, mapping, name, text

PROBE = "packages"
EXAMPLES = {"nfd": "NodeFeatureDiscovery", "gpu-operator-certified": "ClusterPolicy"}
MARKETPLACE = "openshift-marketplace"
_ENTRIES = 30  # versions of a channel


async def packages(api: Api, version: str, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """By package, one entry for each catalog that has it; none where no catalog has. Raises MaasError."""
    wanted = sorted(names)
    found = await asyncio.gather(*(_package(api, version, each) for each in wanted))
    return dict(zip(wanted, found, strict=True))


async def _package(api: Api, version: str, named: str) -> list[dict[str, Any]]:
    selector = urlencode({"fieldSelector": f"metadata.name={named}"})
    answer = await api.get(f"{path_of(PACKAGE_MANIFEST, version, MARKETPLACE)}?{selector}")
    return [kept(each) for each in items(answer, "items") if name(each) == named]


def kept(manifest: Object) -> dict[str, Any]:
    status = mapping(manifest, "status")
    return {
        "catalog": text(status, "catalogSource"),
        "namespace": text(status, "catalogSourceNamespace") or MARKETPLACE,
        "default": text(status, "defaultChannel"),
        "channels": [_channel(name(manifest), each) for each in items(status, "channels")],
    }


def _channel(package: str, channel: Object) -> dict[str, Any]:
    newest = mapping(channel, "currentCSVDesc")
    found = {
        "name": text(channel, "name"),
        "csv": text(channel, "currentCSV"),
        "version": text(newest, "version") or text(channel, "currentCSV").partition(".")[2],
        "kubernetes": text(newest, "minKubeVersion"),
        "deprecated": text(channel, "deprecation", "message"),
        "entries": [
            {key: text(each, key) for key in ("name", "version")} for each in items(channel, "entries")[:_ENTRIES]
        ],
        "example": example(package, mapping(newest, "annotations")),
    }
    return {key: value for key, value in found.items() if value}


def example(package: str, annotations: Mapping[str, Any]) -> dict[str, Any]:
    """The spec of the operand's example, as the annotations of a ClusterServiceVersion have it; {} if there is none."""
    if package not in EXAMPLES:
        return {}
    try:
        examples = json.loads(text(annotations, "alm-examples"))
    except (ValueError, RecursionError):
        return {}
    found = (each for each in items({"all": examples}, "all") if text(each, "kind") == EXAMPLES[package])
    return dict(mapping(next(found, {}), "spec"))
