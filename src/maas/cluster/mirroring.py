"""Collecting a mirror: what is there already and whole is kept, and the list comes last.

So a mirror is complete or it is none; where an older one was in the folder, that stays usable until the new one is
complete.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from maas.cluster import fetching, helm, manifests
from maas.cluster.components import steps as components
from maas.cluster.components.pins import pins
from maas.cluster.components.versions import version, written
from maas.cluster.images import images
from maas.cluster.mirror import BadMirror, Mirror, digest, listed, places, seal
from maas.cluster.objects import Object
from maas.cluster.plan.model import Apply, Chart, Manifest, Step
from maas.cluster.wanted import Wanted
from maas.domain.errors import InvalidInput, Unavailable


class Told(Protocol):
    def begun(self, what: str, number: int, of: int) -> None: ...

    def progress(self, so_far: int, size: int) -> None:
        """Bytes; size is 0 where nobody knows it."""

    def kept(self, what: str) -> None:
        """It is there already."""


def minors() -> list[str]:
    """The minor versions of Kubernetes for which there are pins: "1.29", …, "1.36"."""
    ranges = [each.kubernetes for each in pins().values()]
    ranges += [older.kubernetes for each in pins().values() for older in each.older]
    ranges = [each for each in ranges if each.last]
    first = min(filter(None, (version(each.first) for each in ranges)))
    last = max(filter(None, (version(each.last) for each in ranges)))
    return [written((1, minor)) for minor in range(first[1], last[1] + 1)]


def wanted_steps(wanted: Wanted, kubernetes: Sequence[str] = ()) -> list[Step]:
    """All that an installation may bring, GPU Operator included, on clusters of these minor versions; "" is all."""
    sites = (replace(wanted.site, kubernetes=minor, theirs=frozenset()) for minor in kubernetes or minors())
    return [step for site in sites for step in components.steps(replace(wanted, site=site, gpu_operator=True))]


async def collect(
    folder: Path, steps: Sequence[Step], tool: helm.Helm, told: Told, models: Iterable[Step] = ()
) -> Mirror:
    """models: steps whose images are listed too. Raises MaasError: then there is no new list."""
    for part in ("charts", "manifests"):
        _make(folder / part)
    known = _known(folder)
    wanted = places(steps)
    found: dict[str, list[str]] = {}
    for number, (path, action) in enumerate(wanted.items(), 1):
        told.begun(path, number, len(wanted))
        if known.get(path) and _is_whole(folder / path, known[path]):
            told.kept(path)
        else:
            await _fetch(action, folder, path, tool, told)
        found[path] = images(await _objects(action, folder, path, tool))
    found["models"] = images(_applied(models))
    made = seal(folder, wanted, found)
    for path in known.keys() - wanted.keys():
        (folder / path).unlink(missing_ok=True)  # of other versions, which an earlier run brought
    return made


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be made: {error.strerror}") from None


def _known(folder: Path) -> Mapping[str, str]:
    """What an earlier run completed, by its list."""
    try:
        return listed(folder).files
    except BadMirror:
        return {}


def _is_whole(path: Path, expected: str) -> bool:
    return path.is_file() and digest(path) == expected


async def _fetch(action: Chart | Manifest, folder: Path, path: str, tool: helm.Helm, told: Told) -> None:
    if isinstance(action, Manifest):
        return await _fetch_manifest(action, folder / path, told)
    with TemporaryDirectory(dir=folder, prefix=".coming-") as coming:
        await tool.pull(action, Path(coming))
        came = next(Path(coming).glob("*.tgz"), None)
        if came is None:
            raise Unavailable(f"helm pull brought no chart {action.chart} {action.version}")
        came.replace(folder / path)
    return None


async def _fetch_manifest(manifest: Manifest, path: Path, told: Told) -> None:
    written = await fetching.whole(manifest.url, told.progress)
    manifests.contents(manifest, written)  # what is no manifest is not kept
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(written)
    part.replace(path)


async def _objects(action: Chart | Manifest, folder: Path, path: str, tool: helm.Helm) -> Sequence[Object]:
    if isinstance(action, Manifest):
        return manifests.contents(action, (folder / path).read_bytes())
    return await replace(tool, mirror=folder).rendered(action, minors()[-1])


def _applied(steps: Iterable[Step]) -> Iterator[Object]:
    return (action.object for step in steps for action in step.actions if isinstance(action, Apply))
