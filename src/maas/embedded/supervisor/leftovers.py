"""Processes of a supervisor that was killed: each was sent SIGTERM by the kernel, but one that was stopped, or
doesn't listen, lives on and holds a port or a socket. The next supervisor ends them before it starts its own.
"""

import contextlib
import os
import signal
import time

from maas.embedded.supervisor.identity import Identity
from maas.embedded.supervisor.status import Status

_GRACE = 2.0  # seconds


def end(status: Status | None) -> list[str]:
    """The names of those that were found."""
    found = {p.name: p.identity for p in (status.processes if status else ()) if p.identity and p.identity.alive}
    for identity in found.values():
        _signal(identity, signal.SIGTERM)
        _signal(identity, signal.SIGCONT)
    deadline = time.monotonic() + _GRACE
    while any(identity.alive for identity in found.values()) and time.monotonic() < deadline:
        time.sleep(0.02)
    for identity in found.values():
        _signal(identity, signal.SIGKILL)
    return list(found)


def _signal(identity: Identity, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        if identity.alive:
            os.killpg(identity.pid, number)  # each child leads a group of its own
