"""The loop: signals, deaths, readiness and time, in one thread."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

from maas.embedded.home import Home
from maas.embedded.supervisor import paths, status
from maas.embedded.supervisor.child import Child
from maas.embedded.supervisor.identity import own_identity
from maas.embedded.supervisor.logs import EventLog, rotate
from maas.embedded.supervisor.out_of_memory import OutOfMemory
from maas.embedded.supervisor.spec import Desired, read_desired
from maas.embedded.supervisor.wakeups import Wakeups, next_zombie

_PROBE_EVERY = 0.02  # seconds, while something is starting
_LOOK_AROUND_EVERY = 2.0
SIGNALS = (signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGINT)


class Supervisor:
    def __init__(self, home: Home, log: EventLog) -> None:
        self._home = home
        self._log = log
        self._children: dict[str, Child] = {}
        self._status = status.Status(own_identity(), time.time())
        self._written: status.Status | None = None
        self._memory = OutOfMemory()
        self._look_around_at = 0.0
        self._ending = False

    def run(self, signals: Wakeups) -> None:
        """Until SIGTERM or SIGINT; then everything has been stopped in order."""
        self._reload()
        self._step(time.monotonic())
        while not self._ending or self._children:
            self._handle(signals.wait(self._timeout(time.monotonic())))
            self._step(time.monotonic())

    def _handle(self, numbers: set[int]) -> None:
        self._reap()
        if numbers & {signal.SIGTERM, signal.SIGINT}:
            self._end()
        elif signal.SIGHUP in numbers and not self._ending:
            self._reload()

    def _end(self) -> None:
        if self._ending:  # asked twice: somebody is in a hurry
            for child in self._children.values():
                child.hurry(time.monotonic())
        self._ending = True
        self._log.write("info", "ending")
        for child in self._children.values():
            child.want(None)

    def _reload(self) -> None:
        try:
            desired = read_desired(paths.desired(self._home))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            self._log.write("error", "desired.json not taken up", reason=str(error))
            self._status = replace(self._status, error=str(error))
            return
        self._make_folders()
        self._take_up(desired)
        self._status = replace(self._status, generation=desired.generation, error=None)

    def _make_folders(self) -> None:
        """What is started needs them, and the one of the sockets may be in /tmp, which is cleaned now and then."""
        try:
            self._home.prepare()
        except OSError as error:
            self._log.write("error", "folders not made", reason=str(error))

    def _take_up(self, desired: Desired) -> None:
        wanted = {spec.name: replace(spec, log=str(self._home.logs / spec.log)) for spec in desired.specs}
        for name, child in self._children.items():
            child.want(wanted.get(name))
        for name, spec in wanted.items():
            if name not in self._children:
                self._children[name] = Child(spec, self._log)

    def _reap(self) -> None:
        by_pid = {child.pid: child for child in self._children.values()}
        while (pid := next_zombie()) is not None:
            if child := by_pid.get(pid):
                now = time.monotonic()
                child.exited(now, out_of_memory=self._memory.ran_out(now))
                self._make_folders()
            else:
                os.waitpid(pid, 0)  # adopted: this may be the first process of a container

    def _step(self, now: float) -> None:
        for child in sorted(self._children.values(), key=lambda child: child.spec.order):
            child.step(now, may_stop=self._may_stop(child))
            child.probe(now)
        self._children = {name: child for name, child in self._children.items() if not child.gone}
        self._look_around(now)
        self._report()

    def _may_stop(self, child: Child) -> bool:
        """Those with a higher order go first: the gateway drains while what it asks still answers."""
        return not any(other.leaving and other.spec.order > child.spec.order for other in self._children.values())

    def _look_around(self, now: float) -> None:
        if now < self._look_around_at:
            return
        self._look_around_at = now + _LOOK_AROUND_EVERY
        self._memory.look(now)
        for path in {paths.own_log(self._home), *(Path(child.spec.log) for child in self._children.values())}:
            if rotate(path):
                self._emptied(path)

    def _emptied(self, log: Path) -> None:
        for child in self._children.values():
            if Path(child.spec.log) == log:
                child.log_was_emptied()

    def _report(self) -> None:
        current = replace(self._status, processes=tuple(child.as_status() for child in self._children.values()))
        if current == self._written:
            return
        try:
            status.write_status(paths.status(self._home), current)
        except OSError as error:  # a full disk: try again at the next turn, and keep everything running
            self._log.write("error", "status.json not written", reason=error.strerror)
        else:
            self._written = current

    def _timeout(self, now: float) -> float:
        due = [at for child in self._children.values() if (at := child.next_event()) is not None]
        due.append(self._look_around_at)
        if any(child.state == status.STARTING for child in self._children.values()):
            due.append(now + _PROBE_EVERY)
        return max(0.0, min(due) - now)
