"""Bringing a file of the hub to this machine: resumed after a break, and believed only if its checksum is right.

What has come so far is in a file named after the checksum that the whole must have. So a break, of the network or of
this process, costs nothing, and a file that was changed meanwhile starts anew.
"""

import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import httpx

from maas.domain.errors import InvalidInput, Unavailable
from maas.models.weights.places import OnHub, repository_place

_HUB = "https://huggingface.co"
_TRIES = 5  # in a row without a byte
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,20})-\d{1,20}/(\d{1,20}|\*)", re.ASCII)
_ROOM = 100 * 2**20  # that must stay free
_LISTING = 32 * 2**20  # bytes; that of a repository of 10,000 files has 4 million
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_NOT_FOR_ALL = frozenset({401, 403, 404})

Progress = Callable[[int, int], None]  # bytes so far, bytes in all
Pause = Callable[[float], None]


@dataclass(frozen=True)
class Remote:
    url: str
    size: int
    sha256: str


def hub() -> str:
    return os.environ.get("HF_ENDPOINT", _HUB).rstrip("/")


def pull(
    meant: OnHub,
    folder: Path,
    progress: Progress = lambda _so_far, _all: None,
    pause: Callable[[float], None] = time.sleep,
) -> Path:
    """Raises Unavailable (no network, no room, wrong checksum) and InvalidInput (no such file)."""
    with httpx.Client(timeout=_TIMEOUT, follow_redirects=True, headers=_headers()) as client:
        file, remote = _look_up(client, meant)
        place = repository_place(meant.repository, folder) / file
        if _is_whole(place, remote):
            return place
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = place.with_name(f"{place.name}.{remote.sha256[:16]}.part")
        with _alone(part):
            if not _is_whole(place, remote):  # else another process has just brought it
                _require_room(part, remote)
                _fetch(client, remote, part, progress, pause)
                _check(part, remote)
                part.replace(place)
        for outdated in place.parent.glob(f"{glob.escape(place.name)}.*.part"):
            outdated.unlink(missing_ok=True)
    return place


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Two that write into one file would both have brought nothing. Raises Unavailable."""
    with part.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Unavailable(f"another process is bringing {part.name} right now; wait for it") from error
        yield


def _headers() -> dict[str, str]:
    """Raises InvalidInput."""
    token = os.environ.get("HF_TOKEN", "").strip()
    if token and not (token.isascii() and token.isprintable()):
        raise InvalidInput("$HF_TOKEN holds characters that no token has")
    return {"accept-encoding": "identity"} | ({"authorization": f"Bearer {token}"} if token else {})


def _look_up(client: httpx.Client, meant: OnHub) -> tuple[str, Remote]:
    try:
        with client.stream("GET", f"{hub()}/api/models/{meant.repository}", params={"blobs": "true"}) as answer:
            listing = _bounded(answer)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"{hub()} can't be reached ({type(error).__name__}): is there a network?") from error
    if answer.status_code in _NOT_FOR_ALL:
        raise InvalidInput(
            f"the hub has no repository {meant.repository}, or shows it only to those it knows ($HF_TOKEN)"
        )
    if answer.status_code != 200:
        raise Unavailable(f"{hub()} answered {answer.status_code} when asked for {meant.repository}")
    files = _files(listing)
    name = meant.choose(list(files))
    size, stored = files[name].get("size"), files[name].get("lfs")
    sha256 = stored.get("sha256") if isinstance(stored, Mapping) else None
    if type(size) is not int or not 0 < size < 2**63 or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise Unavailable(f"{hub()} does not tell the size and the checksum of {name}: it is not taken on trust")
    return name, Remote(f"{hub()}/{meant.repository}/resolve/main/{quote(name)}", size, sha256)


def _bounded(answer: httpx.Response) -> bytes:
    """Nothing, if it is longer than any listing."""
    body = bytearray()
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > _LISTING:
            return b""
    return bytes(body)


def _files(listing: bytes) -> dict[str, Mapping[str, Any]]:
    """Names that can't be shown to the user are left out."""
    try:
        entries = {entry["rfilename"]: entry for entry in json.loads(listing)["siblings"]}
        if not all(isinstance(name, str) and isinstance(entry, Mapping) for name, entry in entries.items()):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unavailable(f"{hub()} answered, but not as the hub does") from error
    return {name: entry for name, entry in entries.items() if name.isprintable()}


def _require_room(part: Path, remote: Remote) -> None:
    missing = remote.size - (part.stat().st_size if part.exists() else 0)
    free = shutil.disk_usage(part.parent).free
    if free < missing + _ROOM:
        raise Unavailable(f"{missing / 1e9:.1f} GB are to come, and only {free / 1e9:.1f} GB are free at {part.parent}")


def _fetch(
    client: httpx.Client, remote: Remote, part: Path, progress: Progress, pause: Callable[[float], None]
) -> None:
    tries = 0
    while (have := part.stat().st_size if part.exists() else 0) < remote.size:
        try:
            _fetch_from(client, remote, part, have, progress)
        except (httpx.HTTPError, _BrokenOff) as error:
            came = part.exists() and part.stat().st_size > have
            tries = 0 if came else tries + 1
            if tries >= _TRIES:
                raise Unavailable(
                    f"the download broke off again and again ({_why(error)}); what has come is kept:"
                    " run the same command again"
                ) from error
            pause(2.0**tries)


def _fetch_from(client: httpx.Client, remote: Remote, part: Path, have: int, progress: Progress) -> None:
    headers = {"range": f"bytes={have}-"} if have else {}
    with client.stream("GET", remote.url, headers=headers) as answer:
        _require_content(answer, remote)
        if resumed := answer.status_code == 206:
            _require_part(answer, remote, part, have)
        so_far = have if resumed else 0
        with _writing(part, "ab" if resumed else "wb") as file:
            for chunk in answer.iter_raw():
                so_far += len(chunk)
                if so_far > remote.size:
                    part.unlink()
                    raise Unavailable(f"{remote.url} sends more than the {remote.size} bytes that were announced")
                file.write(chunk)
                progress(so_far, remote.size)
    if so_far < remote.size:
        raise _BrokenOff(f"{so_far} of {remote.size} bytes came")


@contextmanager
def _writing(part: Path, mode: str) -> Iterator[IO[bytes]]:
    """Raises Unavailable if the disk takes no more."""
    try:
        with part.open(mode) as file:
            yield file
    except OSError as error:
        raise Unavailable(f"{part}: {error.strerror}; what has come is kept") from error


def _require_part(answer: httpx.Response, remote: Remote, part: Path, have: int) -> None:
    """Bytes of another place, or of another file, would spoil what has come."""
    told = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
    if told is None or int(told[1]) != have or told[2] not in ("*", str(remote.size)):
        os.truncate(part, 0)
        raise _BrokenOff(f"{remote.url} sent another part than it was asked for")


def _why(error: Exception) -> str:
    """Of the client's own errors only the kind: some quote what was sent, and that may hold a token."""
    return str(error) if isinstance(error, _BrokenOff) else type(error).__name__


class _BrokenOff(Exception):
    """Without an error of the connection's own: the server has just ended, or asks for patience."""


def _require_content(answer: httpx.Response, remote: Remote) -> None:
    if answer.status_code in _BUSY:
        raise _BrokenOff(f"{hub()} answered {answer.status_code}")
    if answer.status_code in _NOT_FOR_ALL:
        raise InvalidInput(
            f"the hub does not give {remote.url} to everybody ({answer.status_code}): accept its licence there, and set"
            " $HF_TOKEN"
        )
    if answer.status_code not in (200, 206):
        raise Unavailable(f"{remote.url} answered {answer.status_code}")


def _is_whole(place: Path, remote: Remote) -> bool:
    return place.exists() and place.stat().st_size == remote.size and _digest(place) == remote.sha256


def _check(part: Path, remote: Remote) -> None:
    if _digest(part) != remote.sha256:
        part.unlink()
        raise Unavailable("the file that came is not the one the hub describes (wrong checksum); it was thrown away")


def _digest(path: Path) -> str:
    """And it is on the disk from then on."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    return found
