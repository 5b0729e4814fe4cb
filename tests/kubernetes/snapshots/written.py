"""Every byte of a snapshot that was written."""

import tarfile
from pathlib import Path

from maas.cluster.facts.model import Facts
from maas.cluster.facts.snapshot_writing import write


def files(facts: Facts, folder: Path) -> dict[str, bytes]:
    """By path, as the archive has them; its own bytes too."""
    path = folder / "snapshot.tar.gz"
    write(facts, path, overwrite=True)
    with tarfile.open(path) as archive:
        found = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    return {**found, "names": "\n".join(found).encode(), "itself": path.read_bytes()}
