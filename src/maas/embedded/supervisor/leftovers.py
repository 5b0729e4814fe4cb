"""Processes of a supervisor that was killed: each was sent SIGTERM by the kernel, but one that was stopped, or
doesn't listen, lives on and holds a port or a socket. The next supervisor ends them before it starts its own.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterable

from maas.embedded.supervisor.identity import Identity
from maas.embedded.supervisor.status import Status

_GRACE = 2.0  # seconds


def end(status: Status | None) -> list[str]:
    """The names of those that were found."""
    found = {p.name: p.identity for p in (status.processes if status else ()) if p.identity and p.identity.alive}
    for identity in found.values():
        _signal(identity, signal.SIGTERM)
        _signal(identity, signal.SIGCONT)
    _wait(found.values())
    for identity in found.values():
        _signal(identity, signal.SIGKILL)
    _wait(found.values())  # until then a port is not free
    return list(found)


def _wait(ending: Iterable[Identity]) -> None:
    deadline = time.monotonic() + _GRACE
    while any(identity.alive for identity in ending) and time.monotonic() < deadline:
        time.sleep(0.02)


def _signal(identity: Identity, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        if identity.alive:
            os.killpg(identity.pid, number)  # each child leads a group of its own
