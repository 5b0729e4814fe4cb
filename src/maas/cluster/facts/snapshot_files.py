"""The files of a folder or an archive, one after another, none of which can spoil another.

Nothing is ever extracted to a disk, so a member of an archive may be called what it likes. Only regular files are
opened: a device or a pipe would be read for ever. What is too big is told by name, not read.
"""

import gzip
import os
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, cast

from maas.cluster.facts.snapshot_yaml import Unreadable
from maas.domain.errors import InvalidInput

LARGEST = 1 << 30  # bytes of one file
MOST_BYTES = 16 << 30  # of one archive, unpacked
MOST_FILES = 2_000_000

Report = Callable[[str, str], None]  # a file, and why it was not read
BROKEN = (tarfile.TarError, EOFError, OSError, zlib.error)


@dataclass(frozen=True)
class File:
    path: str  # below the snapshot, with slashes
    size: int
    modified: float
    open: Callable[[], BufferedReader]
    sought: bool = True  # whether its end can be gone to without reading it all

    def opened(self) -> BufferedReader:
        """To be read as a whole. Raises Unreadable, OSError."""
        if self.size > LARGEST:
            raise Unreadable(f"it is too big: {self.size >> 20} MB, at most {LARGEST >> 20} MB are read")
        return self.open()


def files(path: Path, report: Report) -> Iterator[File]:
    """An archive's files must be read in turn. Raises InvalidInput if there is no such thing."""
    if path.is_dir():
        return _of_folder(path, report)
    if not path.exists():
        raise InvalidInput(f"{path}: there is no such file or folder\n{_GIVE}")
    if not path.is_file():
        raise InvalidInput(f"{path} is neither a folder nor a file\n{_GIVE}")
    return _of_archive(path, report) if _is_archive(path) else _one(path)


_GIVE = (
    "Give a folder or a .tar.gz of Kubernetes objects: what `maas snapshot`, `oc adm must-gather`\n"
    "or `oc adm inspect` wrote, or files such as `kubectl get pods -A -o yaml > pods.yaml`."
)


def nothing_in(path: Path, why: str) -> InvalidInput:
    return InvalidInput(f"{path} {why}\n{_GIVE}")


def _is_archive(path: Path) -> bool:
    if path.suffix in (".yaml", ".yml", ".json"):
        return False
    if not path.stat().st_size:
        raise nothing_in(path, "is empty")
    try:
        with path.open("rb") as file:
            if file.read(2) == b"\x1f\x8b":
                return True
        if tarfile.is_tarfile(path):
            return True
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error
    raise nothing_in(path, "is no tar archive")


def _one(path: Path) -> Iterator[File]:
    state = path.stat()
    yield File(path.name, state.st_size, state.st_mtime, lambda: path.open("rb"))


def _of_folder(root: Path, report: Report) -> Iterator[File]:
    """In the order of their names. Links to folders are not followed: they may lead in a circle."""

    def failed(error: OSError) -> None:
        report(os.path.relpath(str(error.filename), root), error.strerror or "it cannot be read")

    for folder, below, names in os.walk(root, onerror=failed):
        below.sort()
        for name in sorted(names):
            path = Path(folder, name)
            shown = path.relative_to(root).as_posix()
            try:
                state = path.stat()
            except OSError as error:
                report(shown, error.strerror or "it cannot be read")
                continue
            if not stat.S_ISREG(state.st_mode):
                report(shown, "it is no regular file")
            else:
                yield File(shown, state.st_size, state.st_mtime, lambda path=path: path.open("rb"))  # type: ignore[misc]


def _of_archive(path: Path, report: Report) -> Iterator[File]:
    """Forwards only: to go back in gzip is to begin again."""
    count = 0
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in _members(archive):
                count += 1
                yield File(_relative(member.name), member.size, member.mtime, _opener(archive, member), sought=False)
            if why := _cut(archive):
                report(path.name, why)
    except BROKEN as error:
        if not count:
            raise nothing_in(path, f"is no readable tar archive: {_unpacked(path)}") from error
        report(path.name, f"the archive is broken, its further files are not read: {error}")
    except _TooBig as error:
        report(path.name, str(error))


def _unpacked(path: Path) -> str:
    """Why there is no first file. What tarfile says of it are the errors of every method that it tried."""
    try:
        with path.open("rb") as file:
            if file.read(2) == b"\x1f\x8b":
                with gzip.open(path) as packed:
                    packed.read(tarfile.BLOCKSIZE)
                return "what gzip packed in it is no tar"
    except EOFError:
        return "it ends early"
    except (OSError, zlib.error):
        return "its compression is broken"
    return "it is broken from the beginning"


class _TooBig(Exception):
    pass


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    total = count = 0
    while member := archive.next():
        cast(Any, archive).members.clear()  # or every header is kept
        total, count = total + member.size, count + 1
        if total > MOST_BYTES or count > MOST_FILES:
            raise _TooBig("the archive is too big: its further files are not read")
        if member.isreg():
            yield member


def _cut(archive: tarfile.TarFile) -> str:
    """tarfile takes a broken header for the end, unless it is the first."""
    stream = cast(BinaryIO, archive.fileobj)
    stream.seek(archive.offset)
    block = stream.read(tarfile.BLOCKSIZE)
    return "" if block == tarfile.NUL * tarfile.BLOCKSIZE else "the archive ends early: files may be missing"


def _relative(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", ".", ".."))


def _opener(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], BufferedReader]:
    return lambda: cast(BufferedReader, archive.extractfile(member))
