"""Reading Envoy's access log as it grows: one JSON line for every request that ended.

The file is the channel from the data plane to the ledger, because it survives a crash of either side. It is
rotated by us: renamed, then Envoy is told to reopen; the follower reads the renamed file to its end first.
"""

import os
from pathlib import Path
from typing import BinaryIO

import orjson

from maas.domain.settlement import Ending
from maas.embedded.envoy.names import RESERVED_CLUSTERS

_CHUNK = 64 * 1024  # about 150 lines: what the event loop can settle without being missed
_LONGEST_LINE = 2**20
_MOST = 10**9  # tokens or milliseconds; a model may report any number, and the ledger's columns end somewhere
_CLIENT_GONE = ("DC", "DR")  # Envoy's response flags: downstream connection terminated, or reset by the remote
_BROKEN = ("UC", "UR", "UPE", "UT", "SI", "LR", "UMSDR", "DT")
_UNREACHED = ("UF", "UH", "NC", "NR", "UAEX", "UO", "RL")


class Follower:
    """Whole lines from a place in a file that is appended to and now and then renamed."""

    def __init__(self, path: Path, inode: int = 0, offset: int = 0) -> None:
        """inode, offset: where reading stopped; 0, 0 for the beginning of whatever file is there."""
        self._path = path
        self._file: BinaryIO | None = self._find(inode)
        self._inode = os.fstat(self._file.fileno()).st_ino if self._file else 0
        self._offset = offset if self._inode == inode else 0
        self._tail = b""

    @property
    def place(self) -> str:
        """Where the next whole line begins, to go on from after a restart."""
        return f"{self._inode}:{self._offset}"

    @property
    def on_newest(self) -> bool:
        """Not still reading a file that was renamed, so that renaming another can't hide one."""
        return self._path.exists() and self._path.stat().st_ino == self._inode

    def read(self) -> list[bytes]:
        """The next lines that have been added; [] when there are none for now."""
        while True:
            if self._file is None and not self._open_current():
                return []
            assert self._file is not None
            chunk = os.pread(self._file.fileno(), _CHUNK, self._offset + len(self._tail))
            if chunk and (lines := self._split(chunk)):
                return lines
            if not chunk and not self._move_on():
                return []

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _split(self, chunk: bytes) -> list[bytes]:
        whole, newline, self._tail = (self._tail + chunk).rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        if len(self._tail) > _LONGEST_LINE:
            self._offset, self._tail = self._offset + len(self._tail), b""
        return whole.split(b"\n") if newline else []

    def _move_on(self) -> bool:
        """At the end of a file that has been renamed: go to the one that took its place."""
        try:
            current = self._path.stat().st_ino
        except FileNotFoundError:
            return False
        if current == self._inode:
            return False
        self.close()
        self._file = None
        return True

    def _open_current(self) -> bool:
        try:
            self._file = self._path.open("rb")
        except FileNotFoundError:
            return False
        self._inode, self._offset, self._tail = os.fstat(self._file.fileno()).st_ino, 0, b""
        return True

    def _find(self, inode: int) -> BinaryIO | None:
        for path in (self._path, *sorted(self._path.parent.glob(self._path.name + ".*"))):
            try:
                if inode in (0, path.stat().st_ino):
                    return path.open("rb")
            except FileNotFoundError:
                continue
        return None


def ending(raw: bytes) -> Ending | None:
    """One line as the settlement wants it; None if it is no line of ours."""
    try:
        line = orjson.loads(raw)
        flags = set((line["flags"] or "").replace("-", "").split(","))
        reached = line["cluster"] not in (None, *RESERVED_CLUSTERS) and flags.isdisjoint(_UNREACHED)
        return Ending(
            id=line["id"],
            started_at=float(line["start"]),
            duration_ms=int(line["ms"] or 0),
            status=int(line["status"] or 0),
            sent=int(line["sent"] or 0),
            first_byte_ms=_number(line["first_ms"]),
            prompt=_number(line["prompt"]),
            completion=_number(line["completion"]),
            reached=reached,
            aborted=not flags.isdisjoint(_CLIENT_GONE),
            broken=not flags.isdisjoint(_BROKEN),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def _number(value: object) -> int | None:
    """A model may report anything."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(min(max(0, value), _MOST))
