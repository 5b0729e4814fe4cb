"""What somebody sees who waits for the platform: what is awaited, and for how long already."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from maas.cli.output import notes
from maas.embedded.supervisor.status import READY, Status

Show = Callable[[Status], None]


@contextmanager
def waiting(for_what: str) -> Iterator[Show]:
    """Yields what to call on every change: a live line on a terminal, else a line for each part that is ready."""
    if not sys.stderr.isatty():
        yield _Lines().show
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=notes(), transient=True) as progress:
        task = progress.add_task(for_what)
        yield lambda status: progress.update(task, description=_awaited(status) or for_what)


def _awaited(status: Status) -> str:
    waiting_for = [f"{p.name} ({p.state})" for p in status.processes if p.state != READY]
    return f"waiting for {', '.join(waiting_for)}" if waiting_for else ""


class _Lines:
    def __init__(self) -> None:
        self._said: set[str] = set()

    def show(self, status: Status) -> None:
        for process in status.processes:
            if process.state == READY and process.name not in self._said:
                self._said.add(process.name)
                notes().print(f"{process.name} is ready")
