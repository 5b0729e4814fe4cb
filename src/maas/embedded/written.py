"""Who waits for lines in a file is woken by the kernel: looking every few milliseconds takes time on the cores where a
model may compute, and benchmarks/cpu_model measured how much."""

import asyncio
import ctypes
import os
from pathlib import Path

_IN_MODIFY = 0x2
_NOTES = 4096  # bytes; one note is 16, and equal ones are told once


class Written:
    """Of one path. Linux only, and a user may have 128 of these: where there is none, watch() says so."""

    def __init__(self, path: Path) -> None:
        self._path = os.fsencode(path)
        try:
            self._libc = ctypes.CDLL(None)
            self._notes = int(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        except (AttributeError, OSError):
            self._notes = -1

    def watch(self) -> bool:
        """The file that has this name now. False if it can't be watched, or there is none yet."""
        return self._notes >= 0 and self._libc.inotify_add_watch(self._notes, self._path, _IN_MODIFY) >= 0

    async def again(self, patience: float) -> None:
        """Until something has been written since the last call, or the time (seconds) is up."""
        loop = asyncio.get_running_loop()
        written = asyncio.Event()
        loop.add_reader(self._notes, written.set)
        try:
            async with asyncio.timeout(patience):
                await written.wait()
            os.read(self._notes, _NOTES)
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(self._notes)

    def close(self) -> None:
        if self._notes >= 0:
            os.close(self._notes)
            self._notes = -1
