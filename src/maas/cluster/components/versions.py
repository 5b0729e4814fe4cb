"""Version numbers as they are found in tags, names, annotations and statuses: compared by their numbers alone.

Suffixes (-rc.1, +build, -eks-123, -distroless) are dropped: no floor here is finer than a patch release.
"""

import re

from maas.cluster import platform
from maas.cluster.facts.model import Facts

Version = tuple[int, ...]
_NUMBERS = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){1,2})(?!\d)", re.ASCII)


def version(written: str) -> Version | None:
    """ "v1.30.3-distroless" is (1, 30, 3); None for "latest" and ""."""
    found = _NUMBERS.match(written)
    return tuple(map(int, found[1].split("."))) if found else None


def at_least(found: Version, floor: Version) -> bool:
    return found[: len(floor)] >= floor


def at_most(found: Version, ceiling: Version) -> bool:
    """1.36.4 is at most 1.36."""
    return found[: len(ceiling)] <= ceiling


def written(number: Version) -> str:
    return ".".join(map(str, number))


def tag(image: str) -> str:
    """The tag of an image reference: "" where there is none, or only a digest."""
    _, _, last = image.partition("@")[0].rpartition("/")
    return last.partition(":")[2]


def kubernetes(facts: Facts) -> Version | None:
    """The API server's. Raises NotRead."""
    return version(platform.kubernetes_version(facts))


def openshift(facts: Facts) -> Version | None:
    """What runs; None elsewhere. Raises NotRead."""
    return version(platform.openshift_version(facts))
