"""maas mirror: what is fetched is told file by file."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from maas.cli.ending import ended_by_signals
from maas.cli.installing import wanting
from maas.cli.installing.options import Options
from maas.cli.output import notes
from maas.cluster import mirroring, sites
from maas.cluster.helm import Helm
from maas.cluster.resources import steps as resources
from maas.cluster.shell import word
from maas.cluster.wanted import Target

_KB = 1000


def collect(folder: Path, kubernetes: Sequence[str], options: Options) -> None:
    """Raises MaasError."""
    wanted = wanting.wanted(options, sites.assumed(Target.kubernetes), None)
    steps = mirroring.wanted_steps(wanted, tuple(kubernetes))
    found = asyncio.run(
        ended_by_signals(mirroring.collect(folder, steps, Helm(), _Told(), models=resources.steps(wanted)))
    )
    images = {image for each in found.images.values() for image in each}
    print(f"{folder} is complete: {len(found.files)} charts and manifests, and a list of {len(images)} images.")
    print("\nThe images go into a registry that the nodes reach:\n")
    print(
        f"  xargs -a {word(str(folder / 'images.txt'))} -I{{}} \\\n    skopeo copy docker://{{}} docker://REGISTRY/{{}}"
    )
    print(f"\nThen, where the cluster is:\n\n  maas install --simulator --mirror {word(str(folder))}")


class _Told:
    """One line for each file; on a terminal with how much of it there is."""

    def __init__(self) -> None:
        self._line = ""

    def begun(self, what: str, number: int, of: int) -> None:
        self._line = f"{number} of {of}: {what}"
        notes().print(self._line)

    def progress(self, so_far: int, size: int) -> None:
        if sys.stderr.isatty():
            of = f" of {size // _KB}" if size else ""
            sys.stderr.write(f"\r\x1b[K  {so_far // _KB}{of} kB\r")
            sys.stderr.flush()

    def kept(self, what: str) -> None:
        notes().print(f"  {what} is there already")
