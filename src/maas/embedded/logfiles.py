"""The logs of the platform's processes, read as `tail` does.

A log may be truncated while it is followed (supervisor/logs.py says why): reading then goes on from its new start.
"""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from maas.embedded.home import Home

_BLOCK = 65536
_POLL = 0.2  # seconds

Line = tuple[str, str]


def find(home: Home) -> dict[str, Path]:
    """By the name of the process or the model."""
    return {path.stem: path for path in sorted(home.logs.glob("*.log")) if not path.name.startswith("error-")}


def read(logs: Mapping[str, Path], *, last: int, follow: bool) -> Iterator[Line]:
    """The name of the log and a line of it: the `last` ones of each, then, for ever, those to come."""
    ends = {}
    for name, path in logs.items():
        lines, ends[name] = _tail(path, last)
        yield from ((name, line) for line in lines)
    while follow:
        time.sleep(_POLL)
        for name, path in logs.items():
            lines, ends[name] = _from(path, ends[name])
            yield from ((name, line) for line in lines)


def _tail(path: Path, count: int) -> tuple[list[str], int]:
    """The last whole lines, and where they end."""
    with path.open("rb") as file:
        start = end = file.seek(0, os.SEEK_END)
        data = b""
        while start > 0 and data.count(b"\n") <= count:
            start = max(0, start - _BLOCK)
            file.seek(start)
            data = file.read(end - start)
    whole = data[: data.rfind(b"\n") + 1]
    return _lines(whole)[-count:] if count else [], end - len(data) + len(whole)


def _from(path: Path, offset: int) -> tuple[list[str], int]:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) < offset:
            offset = 0
        file.seek(offset)
        data = file.read()
    whole = data[: data.rfind(b"\n") + 1]
    return _lines(whole), offset + len(whole)


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").splitlines()
