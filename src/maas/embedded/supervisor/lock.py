"""One supervisor per home. The lock is the kernel's: it goes with its holder, however that ends.

A pid file alone was rejected: it outlives a kill -9, and its number may by then be somebody else's.
"""

import fcntl
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

from maas.domain.errors import Conflict
from maas.embedded.supervisor.identity import Identity, own_identity

_LONGEST_LOOK = 0.2  # seconds; who looks whether the lock is held holds it for a moment, shared


class Lock:
    """Held until close() or the end of this process. Not inherited by children."""

    def __init__(self, path: Path) -> None:
        """Raises Conflict when another process holds it."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _taken(self._fd, time.monotonic() + _LONGEST_LOOK):
            os.close(self._fd)
            who = holder(path)
            raise Conflict(f"a supervisor already runs for this home (pid {who.pid if who else 'unknown'})")
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps(asdict(own_identity())).encode(), 0)

    def close(self) -> None:
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


def _taken(fd: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def held(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def holder(path: Path) -> Identity | None:
    """Who holds it, if anybody does and has already written its name into it."""
    if not held(path):
        return None
    try:
        identity = Identity(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return identity if identity.alive else None
