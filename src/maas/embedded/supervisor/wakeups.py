"""Signals as something a loop can wait for, none of them lost between looking and sleeping."""

import os
import select
import signal
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Wakeups:
    def __init__(self, reader: socket.socket) -> None:
        self._reader = reader
        self._pending: set[int] = set()

    def wait(self, seconds: float) -> set[int]:
        """The signals that came until the first one or the end of the time."""
        if select.select([self._reader], [], [], seconds)[0]:
            self._reader.recv(4096)
        pending, self._pending = self._pending, set()
        return pending

    def note(self, number: int, frame: object) -> None:
        self._pending.add(number)


@contextmanager
def wakeups(numbers: Iterable[signal.Signals]) -> Iterator[Wakeups]:
    """Takes over these signals, and gives them back at the end."""
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    catcher = Wakeups(reader)
    handlers = {number: signal.signal(number, catcher.note) for number in numbers}
    try:
        yield catcher
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        reader.close()
        writer.close()


def next_zombie() -> int | None:
    """The pid of a dead child, which stays a zombie: its number is not given away until it is waited for."""
    try:
        info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return info.si_pid if info else None
