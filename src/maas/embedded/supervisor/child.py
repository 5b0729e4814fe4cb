"""One process and what has happened to it: started, ready, died, started again, stopped.

Everything that needs the time is told it (`now`, monotonic seconds), so that tests need not wait.
"""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import replace

from maas.embedded.supervisor import status
from maas.embedded.supervisor.backoff import Backoff
from maas.embedded.supervisor.identity import Identity, identity_of
from maas.embedded.supervisor.logs import EventLog, open_log
from maas.embedded.supervisor.probe import accepts, answers
from maas.embedded.supervisor.spawn import spawn
from maas.embedded.supervisor.spec import Spec

_PROVEN_AFTER = 0.2  # seconds; a process that offers no address to try is ready once it has lived that long


class Child:
    """wanted: what should run under this name; None once it should go for good."""

    def __init__(self, spec: Spec, log: EventLog) -> None:
        self.spec = spec
        self.wanted: Spec | None = spec
        self._log = log
        self._popen: subprocess.Popen[bytes] | None = None
        self._identity: Identity | None = None
        self._backoff = Backoff()
        self._started = 0.0
        self._ready_at: float | None = None
        self._restarts = 0
        self._last_exit: str | None = None
        self._log_start = 0
        self._start_at: float | None = 0.0
        self._kill_at: float | None = None
        self._set_state(status.STARTING)

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    @property
    def leaving(self) -> bool:
        """It runs, but not as wanted."""
        return self._popen is not None and self.wanted != self.spec

    @property
    def gone(self) -> bool:
        return self._popen is None and self.wanted is None

    def next_event(self) -> float | None:
        """When time alone makes something due: a start or a kill."""
        return self._kill_at if self._popen else self._start_at

    def step(self, now: float, *, may_stop: bool) -> None:
        if self._popen is None:
            if self.wanted and self._start_at is not None and now >= self._start_at:
                self._start(self.wanted, now)
        elif self._kill_at is None:
            if self.leaving and may_stop:
                self._stop(now)
        elif now >= self._kill_at:
            self._log.write("warning", "killed", process=self.spec.name, after=f"{self.spec.stop_grace:g} s")
            self._signal_group(signal.SIGKILL)
            self._kill_at = now + 1.0

    def hurry(self, now: float) -> None:
        """Don't wait for any grace."""
        if self._popen:
            self._kill_at = now

    def want(self, spec: Spec | None) -> None:
        """What waits to be tried again is tried at once: whoever asks may have mended why it died."""
        if spec != self.wanted or self._popen is None:
            self.wanted = spec
            self._backoff = Backoff()
            self._start_at = 0.0

    def probe(self, now: float) -> None:
        """See whether it accepts connections."""
        took = now - self._started
        if self.state == status.STARTING and self._popen and self._is_ready(took):
            self._set_state(status.READY)
            self._ready_at = now
            self._log.write("info", "ready", process=self.spec.name, seconds=round(took, 2))

    def exited(self, now: float, *, out_of_memory: bool = False) -> None:
        """Called while its zombie still holds the pid, so that the group's number can't be another's.

        out_of_memory: whether something was just killed for that.
        """
        assert self._popen is not None
        self._signal_group(signal.SIGKILL)
        self._last_exit = _in_words(self._popen.wait(), out_of_memory)
        self._popen = self._identity = self._kill_at = None
        if self.wanted == self.spec:
            self._died(now)
        else:
            self._log.write("info", "stopped", process=self.spec.name, exit=self._last_exit)
            self._start_at = now

    def log_was_emptied(self) -> None:
        self._log_start = 0

    def as_status(self) -> status.ProcessStatus:
        waiting = self._popen is None and self._next_try is not None
        return status.ProcessStatus(
            name=self.spec.name,
            state=self.state,
            since=self._since,
            order=self.spec.order,
            identity=self._identity,
            restarts=self._restarts,
            last_exit=self._last_exit,
            next_try=self._next_try if waiting else None,
            log=self.spec.log,
            log_start=self._log_start,
        )

    def _is_ready(self, lived: float) -> bool:
        if self.spec.ready is None:
            return lived >= _PROVEN_AFTER
        if self.spec.health is None:
            return accepts(self.spec.ready)
        return answers(self.spec.ready, self.spec.health)

    def _set_state(self, state: str, next_try: float | None = None) -> None:
        self.state = state
        self._since = time.time()
        self._next_try = next_try

    def _start(self, spec: Spec, now: float) -> None:
        self.spec, self._started, self._start_at, self._ready_at = spec, now, None, None
        output = self._output(spec)
        self._log_start = os.fstat(output).st_size
        try:
            self._popen = spawn(spec, output)
        except (OSError, subprocess.SubprocessError) as error:
            self._last_exit = f"cannot be started: {error}"
            self._died(now)
            return
        finally:
            os.close(output)
        self._identity = identity_of(self._popen.pid)
        self._set_state(status.STARTING)
        self._log.write("info", "started", process=spec.name, pid=self._popen.pid)

    def _output(self, spec: Spec) -> int:
        try:
            return open_log(spec.log)
        except OSError as error:
            self._log.write("error", "log not writable, output is dropped", process=spec.name, reason=error.strerror)
            return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)

    def _stop(self, now: float) -> None:
        self._log.write("info", "stopping", process=self.spec.name)
        self._kill_at = now + self.spec.stop_grace
        self._set_state(status.STOPPING)
        assert self._popen is not None
        if not self._asked_to_stop(self._popen.pid):
            os.kill(self._popen.pid, signal.SIGTERM)  # to the leader alone: who has workers knows how to end them
        os.kill(self._popen.pid, signal.SIGCONT)  # one that was stopped would not hear of it

    def _asked_to_stop(self, pid: int) -> bool:
        """By its own command, which is on its own from here; the loop reaps it with whatever else ends."""
        if not self.spec.stop:
            return False
        output = self._output(self.spec)
        try:
            asking = spawn(replace(self.spec, argv=(*self.spec.stop, str(pid))), output)
        except (OSError, subprocess.SubprocessError) as error:
            self._log.write("error", "stop command failed", process=self.spec.name, reason=str(error))
            return False
        finally:
            os.close(output)
        asking.returncode = 0  # nobody waits for it here, and Popen need not complain
        return True

    def _died(self, now: float) -> None:
        served = 0.0 if self._ready_at is None else now - self._ready_at
        self._backoff = self._backoff.died(served)
        self._restarts += 1
        self._start_at = now + self._backoff.delay
        state = status.FAILED if self._backoff.hopeless else status.BACKOFF
        self._set_state(state, time.time() + self._backoff.delay)
        self._log.write(
            "error", "died", process=self.spec.name, exit=self._last_exit, retry_in=f"{self._backoff.delay:g} s"
        )

    def _signal_group(self, number: int) -> None:
        assert self._popen is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)


def _in_words(returncode: int, out_of_memory: bool) -> str:
    if returncode == -signal.SIGKILL and out_of_memory:
        return "signal 9, out of memory"
    return f"signal {-returncode}" if returncode < 0 else f"exit {returncode}"
