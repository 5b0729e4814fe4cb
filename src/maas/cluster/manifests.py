"""Manifests that projects publish with their releases: fetched or taken from a mirror, believed only if they are whole.

Nothing of them is kept on this machine: one is read when it is applied, and checked against its checksum where that is
known.
"""

import hashlib
from pathlib import Path

from maas.cluster import fetching
from maas.cluster.facts.model import Facts
from maas.cluster.objects import Object, name
from maas.cluster.parsing import parsed
from maas.cluster.plan.model import Manifest
from maas.domain.errors import InvalidInput, Unavailable


async def objects(manifest: Manifest, mirror: Path | None = None) -> list[Object]:
    """What it holds, to be applied in this order: what facts tell that it is there (`last`) comes last.

    So one that was applied half is never taken for a whole one. Raises MaasError.
    """
    written = mirrored(manifest, mirror) if mirror else await fetching.whole(manifest.url)
    return _ordered(manifest, contents(manifest, written))


def contents(manifest: Manifest, written: bytes) -> list[Object]:
    """Raises Unavailable."""
    if manifest.sha256 and hashlib.sha256(written).hexdigest() != manifest.sha256:
        raise Unavailable(
            f"{manifest.url} is not the file that was pinned: its checksum is another one. Nothing is done"
        )
    found = parsed(written, manifest.url)
    if not found:
        raise Unavailable(f"{manifest.url} holds no objects: did a proxy answer in its place?")
    return found


def _ordered(manifest: Manifest, found: list[Object]) -> list[Object]:
    return sorted(found, key=lambda each: name(each) in manifest.last)


def mirrored(manifest: Manifest, mirror: Path) -> bytes:
    """Raises InvalidInput."""
    path = mirror / place(manifest)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"the mirror has no {path} ({error.strerror}): make it anew with `maas mirror`") from None


def place(manifest: Manifest) -> str:
    """Where a mirror has it."""
    return f"manifests/{manifest.name}"


def is_current(manifest: Manifest, facts: Facts) -> bool:
    """Raises NotRead."""
    return manifest.done is not None and manifest.done(facts)
