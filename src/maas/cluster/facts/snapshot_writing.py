"""Facts as a snapshot that `--from` reads: everything is redacted before a byte of it is written.

It is written beside its place, private from its first moment, and renamed when it is whole.
"""

import gzip
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from maas import __version__
from maas.cluster.facts.model import Facts, Log, Unread
from maas.cluster.facts.redaction import redacted, scrubbed, without_values
from maas.cluster.facts.snapshot_layout import (
    ABOUT,
    APIS,
    FORMAT,
    LIST_BEGINS,
    LIST_ENDS,
    PROBES,
    UNREAD,
    VERSION,
    list_path,
    log_path,
)
from maas.cluster.kinds import SECRET
from maas.domain.errors import Conflict, InvalidInput

ARCHIVES = (".tar.gz", ".tgz", ".tar")

_Chunks = Iterator[bytes]


def write(facts: Facts, path: Path, *, overwrite: bool = False) -> int:
    """A folder if the path ends in none of ARCHIVES. Returns its size in bytes.

    Raises as refuse() does, and OSError.
    """
    refuse(path, overwrite=overwrite)
    if path.name.endswith(ARCHIVES):
        return _write_archive(facts, path)
    return _write_folder(facts, path)


def refuse(path: Path, *, overwrite: bool) -> None:
    """Raises Conflict if it exists and is not to be replaced, InvalidInput if nothing can be put there.

    To be asked before a cluster is read for a minute.
    """
    if path.exists() and not overwrite:
        raise Conflict(f"{path} exists already; give another name, or --force to replace it")
    if path.exists() and path.is_dir() == path.name.endswith(ARCHIVES):
        raise InvalidInput(
            f"{path} is {'a folder' if path.is_dir() else 'no folder'}: it can't be replaced by the other"
        )
    if path.is_dir() and not _is_ours(path):
        raise InvalidInput(f"{path} holds something else than a snapshot: it is not replaced")
    if not path.parent.is_dir():
        raise InvalidInput(f"{path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise InvalidInput(f"{path}: nothing may be written to {path.parent}")


def _is_ours(folder: Path) -> bool:
    return (folder / ABOUT).is_file() or not any(folder.iterdir())


def _write_archive(facts: Facts, path: Path) -> int:
    """All in one folder, as whoever unpacks it expects."""
    root = next(path.name.removesuffix(suffix) for suffix in ARCHIVES if path.name.endswith(suffix))
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file, _archive(file, path) as archive:
            for name, chunks in _files(facts):
                _add(archive, f"{root}/{name}", chunks, facts.taken_at)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path.stat().st_size


@contextmanager
def _archive(file: BinaryIO, path: Path) -> Iterator[tarfile.TarFile]:
    with ExitStack() as closing:
        stream: Any = file
        if not path.name.endswith(".tar"):
            stream = closing.enter_context(
                gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0)
            )
        yield closing.enter_context(tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT))
    file.flush()
    os.fsync(file.fileno())


def _add(archive: tarfile.TarFile, name: str, chunks: _Chunks, now: float) -> None:
    """A tar says how long a file is before it comes: it waits in memory, or on the disk if it is long."""
    with tempfile.SpooledTemporaryFile(max_size=32 << 20) as whole:
        for chunk in chunks:
            whole.write(chunk)
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = whole.tell(), int(now), 0o600
        whole.seek(0)
        archive.addfile(info, whole)


def _write_folder(facts: Facts, path: Path) -> int:
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        size = sum(_write_file(temporary / name, chunks) for name, chunks in _files(facts))
        if path.exists():
            path.rename(temporary / ".replaced")
        temporary.rename(path)
        shutil.rmtree(path / ".replaced", ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return size


def _write_file(path: Path, chunks: _Chunks) -> int:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
        return sum(file.write(chunk) for chunk in chunks)


def _files(facts: Facts) -> Iterator[tuple[str, _Chunks]]:
    """Small ones first: whoever reads the archive's beginning knows what it is."""
    yield ABOUT, _document(_about(facts))
    if not isinstance(facts.version, Unread):
        yield VERSION, _document(redacted(facts.version))
    if not isinstance(facts.apis, Unread):
        yield APIS, _document({version: sorted(plurals) for version, plurals in sorted(facts.apis.items())})
    yield PROBES, _document(redacted({k: v for k, v in facts.probes.items() if not isinstance(v, Unread)}))
    yield UNREAD, _document(_missing(facts))
    for key, found in facts.lists.items():
        if not isinstance(found, Unread):
            yield list_path(key), _list(map(without_values, found) if key == SECRET.key else found)
    for log in facts.logs:
        yield log_path(log.namespace, log.pod, log.container, log.previous), _log(log)


def _about(facts: Facts) -> dict[str, Any]:
    when = datetime.fromtimestamp(facts.taken_at, UTC).isoformat(timespec="seconds")
    source = scrubbed(facts.source.described)
    return {"format": FORMAT, "maas": __version__, "taken_at": facts.taken_at, "taken": when, "source": source}


def _missing(facts: Facts) -> dict[str, Any]:
    """What could not be read, and why."""
    return {
        **_unread({"version": facts.version, "apis": facts.apis}),
        "lists": _unread(facts.lists),
        "probes": _unread(facts.probes),
        "unreadable": _scrubbed(facts.unreadable),
        "partial": _scrubbed(facts.partial),
    }


def _unread(found: Mapping[str, Any]) -> dict[str, Any]:
    """By names of kinds and probes, which name no secret."""
    return {name: _scrubbed(asdict(why)) for name, why in found.items() if isinstance(why, Unread)}


def _scrubbed(found: Mapping[str, str]) -> dict[str, str]:
    return {scrubbed(name): scrubbed(why) for name, why in found.items()}


def _document(value: Any) -> _Chunks:
    yield _dumped(value, orjson.OPT_INDENT_2) + b"\n"


def _list(objects: Iterable[Any]) -> _Chunks:
    yield LIST_BEGINS
    separator = b""
    for each in objects:
        yield separator + _dumped(redacted(each))
        separator = b",\n"
    yield (b"\n" if separator else b"") + LIST_ENDS


def _log(log: Log) -> _Chunks:
    """As one text: a private key goes over many lines."""
    if log.lines:
        yield (scrubbed("\n".join(log.lines)) + "\n").encode(errors="replace")


def _dumped(value: Any, option: int = 0) -> bytes:
    """JSON in one line; also of what orjson is too strict for: huge numbers, halves of surrogate pairs."""
    try:
        return orjson.dumps(value, option=option)
    except TypeError:
        return json.dumps(value, ensure_ascii=True, indent=2 if option else None).encode()
