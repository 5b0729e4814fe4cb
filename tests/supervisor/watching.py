"""A supervisor of real processes, and waiting for what it does: always with a deadline, never with hope."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from maas.embedded.home import Home
from maas.embedded.supervisor import client, paths
from maas.embedded.supervisor.identity import Identity
from maas.embedded.supervisor.spec import Spec
from maas.embedded.supervisor.status import ProcessStatus, Status
from tests.running import eventually

SLEEP = ("/bin/sleep", "1000")
DEADLINE = 15.0  # seconds; far more than needed, because the machine may be busy


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


def python(script: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", script)


class Watched:
    def __init__(self, home: Home) -> None:
        self.home = home

    def spec(self, name: str, argv: tuple[str, ...] = SLEEP, **changes: object) -> Spec:
        return Spec(**{"name": name, "argv": argv, "log": f"{name}.log", **changes})  # type: ignore[arg-type]

    def run(self, *specs: Spec) -> Status:
        """Until everything is ready."""
        return client.wait_ready(self.home, self.want(*specs), timeout=DEADLINE)

    def want(self, *specs: Spec) -> str:
        generation = client.want(self.home, specs)
        if not client.running(self.home):
            client.launch(self.home)
        return generation

    @property
    def status(self) -> Status:
        status = client.status(self.home)
        assert status is not None, "the supervisor does not run"
        return status

    def process(self, name: str) -> ProcessStatus:
        return next(process for process in self.status.processes if process.name == name)

    def identity(self, name: str) -> Identity:
        identity = self.process(name).identity
        assert identity is not None, f"{name} does not run"
        return identity

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> Identity:
        identity = self.identity(name)
        os.kill(identity.pid, number)
        return identity

    def kill_supervisor(self) -> None:
        supervisor = client.running(self.home)
        assert supervisor
        os.kill(supervisor.pid, signal.SIGKILL)
        eventually(lambda: client.running(self.home) is None, "the supervisor is dead")

    def until(
        self, name: str, condition: Callable[[ProcessStatus], bool], what: str, within: float = DEADLINE
    ) -> float:
        """Seconds it took."""
        began = time.monotonic()
        eventually(lambda: condition(self.process(name)), f"{name} {what}", within)
        return time.monotonic() - began

    def events(self) -> str:
        return paths.own_log(self.home).read_text()

    def log(self, name: str) -> str:
        return Path(self.home.logs / f"{name}.log").read_text()
