"""Small files that a kubeconfig is, or names: read whole, but neither for ever nor without end.

`--kubeconfig <(…)` is a pipe, which kubectl takes as well; a pipe that nobody writes to, or /dev/zero, must not hold
us up.
"""

import errno
import os
import select
import stat
import time
from pathlib import Path

LARGEST = 16 << 20  # bytes; kubeconfigs of a thousand clusters have five million
_PATIENCE = 5.0  # seconds for a pipe


def is_there(path: Path) -> bool:
    """A file, or a pipe."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode)


def whole(path: Path, patience: float = _PATIENCE) -> bytes:
    """Raises OSError, also for what is no file, too large, or a pipe that nobody fills in time."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
            raise OSError(errno.EINVAL, "it is neither a file nor a pipe")
        return _drained(descriptor, time.monotonic() + patience)
    finally:
        os.close(descriptor)


def _drained(descriptor: int, end: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    readable = select.poll()
    readable.register(descriptor, select.POLLIN)
    while True:
        if not readable.poll(max(0.0, end - time.monotonic()) * 1000):
            raise TimeoutError(errno.ETIMEDOUT, "nobody writes to the pipe")
        part = os.read(descriptor, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise OSError(errno.EFBIG, f"it holds more than {LARGEST >> 20} MB")
