"""The versions that MaaS installs, and which clusters carry them: pins.toml, read once."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from maas.cluster.components.versions import Version, at_least, at_most, version


@dataclass(frozen=True)
class Range:
    """Of minor versions; "" is open."""

    first: str = ""
    last: str = ""

    def holds(self, found: Version) -> bool:
        return not self.too_old(found) and not self.too_new(found)

    def too_old(self, found: Version) -> bool:
        floor = version(self.first)
        return floor is not None and not at_least(found, floor)

    def too_new(self, found: Version) -> bool:
        ceiling = version(self.last)
        return ceiling is not None and not at_most(found, ceiling)

    def __str__(self) -> str:
        if self.first and self.last:
            return f"{self.first} to {self.last}"
        return f"{self.first} or newer" if self.first else f"up to {self.last}" if self.last else ""


@dataclass(frozen=True)
class Older:
    """What to pin where the cluster is too old for the newest."""

    version: str
    kubernetes: Range


@dataclass(frozen=True)
class Pin:
    """version: what `maas install` brings; "" where the platform or a catalog decides.

    floor: the oldest installed version that is worked with. asked: what the prerequisites ask for, where that is older.
    bad: versions that must not be used, and why.
    """

    key: str
    title: str
    version: str = ""
    kubernetes: Range = Range()
    openshift: Range = Range()
    floor: str = ""
    asked: str = ""
    bad: tuple[tuple[str, str], ...] = ()
    older: tuple[Older, ...] = ()
    optional: bool = False
    note: str = ""
    source: str = ""

    def fitting(self, kubernetes: Version) -> Older | None:
        """The newest of the older pins that this cluster carries."""
        return next((each for each in self.older if each.kubernetes.holds(kubernetes)), None)

    def why_bad(self, found: Version) -> str:
        return next((why for number, why in self.bad if version(number) == found), "")

    def is_old(self, found: Version) -> bool:
        floor = version(self.floor)
        return floor is not None and not at_least(found, floor)


@cache
def _document() -> Mapping[str, Any]:
    return tomllib.loads((files("maas.cluster.components") / "pins.toml").read_text())


@cache
def pins() -> Mapping[str, Pin]:
    """Of the components, by key."""
    return {key: _pin(key, entry) for key, entry in _document()["components"].items()}


@dataclass(frozen=True)
class FromCatalog:
    """An operator of OperatorHub. component: the key of its pin; "" for none. channel: the usual one."""

    component: str
    channel: str
    channel_of_2: str = ""  # of OpenShift AI, where the cluster carries no 3.x


@cache
def operators() -> Mapping[str, FromCatalog]:
    """By package."""
    return {
        package: FromCatalog(entry.get("component", ""), entry["channel"], entry.get("channel-of-2", ""))
        for package, entry in _document()["operators"].items()
    }


def asked_floor(platform: str) -> str:
    """The oldest "kubernetes" or "openshift" that the prerequisites allow."""
    return str(_document()["platform"][platform]["asked"])


def _pin(key: str, entry: Mapping[str, Any]) -> Pin:
    return Pin(
        key,
        entry["title"],
        entry.get("version", ""),
        Range(*entry.get("kubernetes", ())),
        Range(*entry.get("openshift", ())),
        entry.get("floor", ""),
        entry.get("asked", ""),
        tuple((each["version"], each["why"]) for each in entry.get("bad", ())),
        tuple(Older(each["version"], Range(*each["kubernetes"])) for each in entry.get("older", ())),
        entry.get("optional", False),
        entry.get("note", ""),
        entry.get("source", ""),
    )
