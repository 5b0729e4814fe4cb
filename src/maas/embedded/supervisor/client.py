"""How the commands talk to the supervisor: write what is desired, send a signal, read the status, wait."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Container, Sequence

from maas.domain.errors import Conflict, Unavailable
from maas.embedded.home import Home
from maas.embedded.supervisor import leftovers, paths
from maas.embedded.supervisor.identity import Identity
from maas.embedded.supervisor.lock import holder
from maas.embedded.supervisor.logs import open_log
from maas.embedded.supervisor.spec import Desired, Spec, read_desired, write_desired
from maas.embedded.supervisor.status import FAILED, READY, ProcessStatus, Status, read_status
from maas.embedded.trouble import end_of

_POLL = 0.02
_LAUNCH_TIMEOUT = 10.0


class KeepsFailing(Unavailable):
    """A process died again and again. The supervisor goes on trying."""


def running(home: Home) -> Identity | None:
    """The supervisor of this home. Pids are never trusted: its lock and its start time are looked at."""
    return holder(paths.lock(home))


def status(home: Home) -> Status | None:
    """As the supervisor last wrote it; None if it doesn't run, or has yet to write for the first time."""
    supervisor = running(home)
    written = read_status(paths.status(home)) if supervisor else None
    return written if written and written.supervisor == supervisor else None


def command(home: Home, *options: str) -> list[str]:
    return [sys.executable, "-m", "maas.embedded.supervisor", "--home", str(home.root), *options]


def want(home: Home, specs: Sequence[Spec]) -> str:
    """Write down what should run and tell the supervisor, if it runs. Returns the generation to wait for."""
    generation = f"{time.time_ns():x}"
    write_desired(paths.desired(home), Desired(generation, tuple(specs)))
    if supervisor := running(home):
        os.kill(supervisor.pid, signal.SIGHUP)
    return generation


def hurry(home: Home) -> str:
    """Have tried at once what waits to be tried again. Returns the generation to wait for."""
    return want(home, read_desired(paths.desired(home)).specs)


def clear(home: Home) -> None:
    """End what a supervisor left that was killed, as the next one would, but before its ports are asked for."""
    written = read_status(paths.status(home))
    if written and not written.supervisor.alive:
        leftovers.end(written)


def launch(home: Home) -> None:
    """Start the supervisor in the background, away from this terminal. It has reported when this returns.

    Raises Conflict if one runs already.
    """
    if supervisor := running(home):
        raise Conflict(f"a supervisor already runs for this home (pid {supervisor.pid})")
    log = open_log(str(paths.own_log(home)))
    try:
        subprocess.run(command(home, "--detach"), stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)
    finally:
        os.close(log)
    _until(
        lambda: status(home) is not None, _LAUNCH_TIMEOUT, f"the supervisor did not start; see {paths.own_log(home)}"
    )


def wait_ready(
    home: Home,
    generation: str | None = None,
    *,
    timeout: float,
    on_change: Callable[[Status], None] = lambda _: None,
    only: Container[str] | None = None,
) -> Status:
    """Until everything of this generation, or of whichever is the newest, is ready.

    only: the names to wait for. Raises KeepsFailing as soon as one of them has failed, Unavailable after `timeout`.
    """
    deadline, last = time.monotonic() + timeout, None
    while True:
        current = status(home)
        if current != last and current is not None and generation in (None, current.generation):
            last = current
            on_change(current)
            if _all_ready(_waited_for(current, only)):
                return current
        if time.monotonic() >= deadline:
            raise Unavailable(_overdue(last, only, timeout) if running(home) else "the supervisor ended")
        time.sleep(_POLL)


def stop(home: Home, *, timeout: float) -> bool:
    """Stop everything in order and wait for it. False if nothing ran."""
    supervisor = running(home)
    if supervisor is None:
        return False
    os.kill(supervisor.pid, signal.SIGTERM)
    _until(lambda: not supervisor.alive, timeout, f"the supervisor (pid {supervisor.pid}) is still stopping")
    return True


def _waited_for(current: Status, only: Container[str] | None) -> list[ProcessStatus]:
    return [process for process in current.processes if only is None or process.name in only]


def _all_ready(processes: Sequence[ProcessStatus]) -> bool:
    for process in processes:
        if process.state == FAILED:
            raise KeepsFailing(_failed(process))
    return all(process.state == READY for process in processes)


def _failed(process: ProcessStatus) -> str:
    return f"{process.name} keeps failing ({process.last_exit}): {end_of(process)}\nIts log is {process.log}"


def _overdue(last: Status | None, only: Container[str] | None, timeout: float) -> str:
    if last is None:
        return f"the supervisor took up nothing within {timeout:g} s"
    waiting = [p for p in _waited_for(last, only) if p.state != READY]
    return f"not ready after {timeout:g} s: " + ", ".join(f"{p.name} ({p.state}; log: {p.log})" for p in waiting)


def _until(condition: Callable[[], bool], timeout: float, message: str) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            raise Unavailable(message)
        time.sleep(_POLL)
