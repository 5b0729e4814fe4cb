"""Logs of bounded size, written by the processes themselves.

Children append to their file (O_APPEND); the supervisor copies a file that has grown too large and truncates it.
The alternative, a pipe that the supervisor reads, rotates without losing a byte, but makes every process depend on
the supervisor's pace: while it is stopped or the disk is slow, 64 KiB of output later the gateway stands still.
Copying and truncating may lose what is written in the microseconds between the two. That is the better bargain.

A log that can't be written is no reason not to serve: the process then runs with its output thrown away, and the
supervisor says so.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path

MAX_BYTES = 10 * 2**20
KEPT = 5  # the live file and four older ones
_TAIL = 65536
_LONGEST_QUOTE = 300


def open_log(path: str) -> int:
    """A descriptor to append to. Raises OSError."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def rotate(path: Path, max_bytes: int = MAX_BYTES, kept: int = KEPT) -> bool:
    """Copy and truncate if it has outgrown `max_bytes`. On a full disk the copy is given up, not the bound.

    False as well where nothing can be changed: the disk was mounted anew to be read only, or the log has gone.
    """
    try:
        if path.stat().st_size <= max_bytes:
            return False
    except OSError:
        return False
    copy = path.with_name(f"{path.name}.1")
    try:
        for number in range(kept - 1, 1, -1):
            _move(path.with_name(f"{path.name}.{number - 1}"), path.with_name(f"{path.name}.{number}"))
        _copy(path, copy)
    except OSError:
        with contextlib.suppress(OSError):
            copy.unlink(missing_ok=True)
    try:
        os.truncate(path, 0)
    except OSError:
        return False
    return True


def _move(source: Path, target: Path) -> None:
    if source.exists():
        source.replace(target)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("wb") as write:
        target.chmod(0o600)
        offset, size = 0, os.fstat(read.fileno()).st_size
        while offset < size:
            if not (sent := os.sendfile(write.fileno(), read.fileno(), offset, size - offset)):
                break
            offset += sent


def last_words(path: Path) -> str:
    """Why a process ended, as its log's last line has it. "" if nothing was said, or it can't be read."""
    return quoted(next(iter(last_lines(path, 1)), ""))


def quoted(line: str) -> str:
    """What fits into a message. Of a line of JSON it is the reason, or the end of the exception."""
    with contextlib.suppress(ValueError):
        match json.loads(line):
            case {"reason": reason}:
                line = str(reason)
            case {"exception": str(trace)} if trace.strip():
                line = trace.strip().splitlines()[-1]
    return line[:_LONGEST_QUOTE]


def last_lines(path: Path, count: int, begin: int = 0, end: int | None = None) -> list[str]:
    """Of the bytes from `begin` to `end`. Without empty ones; [] if it can't be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            end = size if end is None else min(end, size)
            start = file.seek(max(begin, end - _TAIL))
            lines = file.read(max(0, end - start)).decode("utf-8", "replace").split("\n")
    except OSError:
        return []
    return [line.strip() for line in lines if line.strip()][-count:]


class EventLog:
    """The supervisor's own log: one JSON object a line. Never a command line or an environment: those hold secrets.

    echo: also to stderr in words, for `maas up --foreground`.
    """

    def __init__(self, path: Path, *, echo: bool = False) -> None:
        self._path = path
        self._echo = echo

    def write(self, level: str, event: str, **fields: object) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
        line = json.dumps({"ts": stamp, "level": level, "event": event, **fields}, default=str)
        # A full disk must not end the process that keeps the others alive.
        with contextlib.suppress(OSError), self._path.open("a") as file:
            file.write(line + "\n")
        if self._echo:
            _say(": ".join(filter(None, [event, ", ".join(f"{name} {value}" for name, value in fields.items())])))


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # whoever read it may have gone
        print(text, file=sys.stderr, flush=True)
