"""What somebody sees who waits for a model to load: for how long already, and what its server says."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from maas.cli.frame import home
from maas.cli.output import notes
from maas.embedded.supervisor.logs import last_words
from maas.models.runtimes import RUNTIMES

_MARGIN = 60.0  # seconds that the rest of a change may take


@contextmanager
def waiting(model: str, runtime: str) -> Iterator[float]:
    """Yields the seconds that it may take."""
    known = RUNTIMES.get(runtime)
    if known is None:
        yield _MARGIN
        return
    log, patience = home().logs / f"{model}.log", known.start + _MARGIN
    if runtime == "simulator":
        yield patience
    elif not sys.stderr.isatty():
        notes().print(f"Loading {model}; its log is {log}", soft_wrap=True)
        yield patience
    else:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn(), _Says(log))
        with Progress(*columns, console=notes(), transient=True) as progress:
            progress.add_task(f"loading {model}", total=None)
            yield patience


class _Says(ProgressColumn):
    """The last line of a log, read anew whenever it is drawn."""

    max_refresh = 0.5

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._log = log

    def render(self, task: Task) -> Text:
        return Text(last_words(self._log), style="dim", no_wrap=True, overflow="ellipsis")
