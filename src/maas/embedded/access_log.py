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

    def __init__(self, path: Path, place: str | None) -> None:
        """place: where reading stopped; None: only what is added from now on."""
        self._path = path
        self._file: BinaryIO | None = None
        self._inode, self._offset, self._tail = 0, 0, b""
        if place is None:
            self._begin_at_end()
        else:
            self._resume(*map(int, place.split(":")))

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
            if self._file is None and not self._open_next():
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

    def _begin_at_end(self) -> None:
        if self._path.exists():
            self._open(self._path)
            self._offset = self._path.stat().st_size

    def _resume(self, inode: int, offset: int) -> None:
        """In the file that was being read, wherever it has been renamed to; if it is gone, in the oldest there is."""
        for path in self._oldest_first():
            if path.stat().st_ino == inode:
                self._open(path)
                self._offset = offset if offset <= path.stat().st_size else 0
                return
        self._open_next()

    def _move_on(self) -> bool:
        """At the end of a file that has been renamed: go to the next newer one. False at the end of the newest."""
        return not self.on_newest and self._open_next()

    def _open_next(self) -> bool:
        paths = self._oldest_first()
        inodes = [path.stat().st_ino for path in paths]
        following = paths[inodes.index(self._inode) + 1 :] if self._inode in inodes else paths
        if not following:
            return False
        self.close()
        self._open(following[0])
        return True

    def _open(self, path: Path) -> None:
        self._file = path.open("rb")
        self._inode, self._offset, self._tail = os.fstat(self._file.fileno()).st_ino, 0, b""

    def _oldest_first(self) -> list[Path]:
        """access.log.3, access.log.2, access.log.1, access.log: only we rename, so they stay while we look."""
        renamed = self._path.parent.glob(f"{self._path.name}.[0-9]*")
        older = sorted(renamed, key=lambda path: int(path.suffix[1:]), reverse=True)
        return [*older, self._path] if self._path.exists() else older


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
