"""An installer that is killed, as by kill -9, and begun again: a process of its own, which nothing prepares for it.

Processes are forked from one that has imported everything, so that twenty of them cost as little as they can.
"""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maas.cluster.plan.model import Action, Step
from tests.kubernetes.installation.installing import Heard, Installer

_FORKING = multiprocessing.get_context("forkserver")
_PATIENCE = 180.0
# Steps in which it has died at the least. Not all: of steps side by side, the server may finish what one was at when
# another was the place to die, or an orphan of Helm does; the busier the machine, the more of them.
OFTEN = 6


@dataclass
class _Doomed(Heard):
    """Dies after the first action of a step, and after its last one (before it has waited for anything), once each.

    survived: a file of the boundaries at which earlier processes have died.
    """

    survived: Path = Path()
    thorough: bool = True
    left: dict[str, int] = field(default_factory=dict)

    def begun(self, step: Step) -> None:
        super().begun(step)
        self.left[step.key] = len(step.actions)

    def acted(self, step: Step, action: Action, note: str) -> None:
        super().acted(step, action, note)
        self.left[step.key] -= 1
        boundaries = ["first"] + (["last"] if self.thorough and not self.left[step.key] else [])
        known = json.loads(self.survived.read_text())
        for each in boundaries:
            if (place := f"{step.key}: {each}") not in known:
                self.survived.write_text(json.dumps([*known, place]))
                os.kill(os.getpid(), signal.SIGKILL)


def until_it_ends(
    work: "Callable[[Heard], object]", boundaries: Path, log: Path, *, thorough: bool = True
) -> Sequence[str]:
    """Begins it again as often as it dies. Where it has died; fails if it fails by itself.

    thorough: it dies after the last action of each step as well as after the first.
    """
    boundaries.write_text("[]")
    for _ in range(200):
        process = _FORKING.Process(target=_run, args=(work, boundaries, log, thorough))
        process.start()
        process.join(_PATIENCE)
        if process.exitcode == 0:
            found: list[str] = json.loads(boundaries.read_text())
            return found
        assert process.exitcode == -signal.SIGKILL, f"{process.exitcode}: {log.read_text()[-3000:]}"
        process.close()
    raise AssertionError("it never ends")


def _run(work: "Callable[[Heard], object]", boundaries: Path, log: Path, thorough: bool) -> None:
    with log.open("a") as lines:
        os.dup2(lines.fileno(), 1)
        os.dup2(lines.fileno(), 2)

        def said(words: str) -> None:
            lines.write(f"{time.monotonic():.1f} {os.getpid()} {words}\n")
            lines.flush()

        work(_Doomed(survived=boundaries, said=said, thorough=thorough))


@dataclass(frozen=True)
class Install:
    installer: Installer

    def __call__(self, told: Heard) -> None:
        self.installer.install(told)


@dataclass(frozen=True)
class Uninstall:
    installer: Installer

    def __call__(self, told: Heard) -> None:
        self.installer.uninstall(told)


def warm() -> None:
    """Once for all: what processes are forked from has imported everything."""
    _FORKING.set_forkserver_preload([__name__])
