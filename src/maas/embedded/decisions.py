"""The journal of admission: one line for every decision, written before the gateway hears of it.

It is why a kill -9 loses nothing: a restarted control plane reads which requests are under way and what they
hold, and `maas explain` reads why one was refused. A line is one write() to a file opened for appending, so it
is whole or absent whatever happens to this process; it is not synced, because a power cut ends the requests as
well. If it can't be written, nothing may pass. A row in the database was rejected: it costs a hundred times
as much, on every request.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from maas.domain.admission import Dialect, Hold, Request
from maas.domain.limits import Limit, Unit
from maas.domain.money import Price

SEGMENT_BYTES = 32 * 2**20
KEPT_SEGMENTS = 8  # for `maas explain`, beyond those still needed


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that was let through and has not settled yet. instance: which of the model's servers it went to."""

    request: Request
    key_id: str
    user: str
    tier: str
    instance: str
    at: float
    holds: tuple[Hold, ...]
    price: Price

    def line(self) -> dict[str, object]:
        request = self.request
        return {
            "t": self.at,
            "id": request.id,
            "key": self.key_id,
            "user": self.user,
            "tier": self.tier,
            "model": request.model,
            "instance": self.instance,
            "dialect": request.dialect,
            "stream": request.stream,
            "bytes": request.body_bytes,
            "max_tokens": request.max_tokens,
            "answers": request.answers,
            "holds": [[h.limit.unit, h.limit.seconds, h.limit.amount, h.amount, h.clipped] for h in self.holds],
            "price": [self.price.input, self.price.output],
        }

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> "Admission":
        request = Request(
            id=line["id"],
            dialect=Dialect(line["dialect"]),
            model=line["model"],
            stream=line["stream"],
            body_bytes=line["bytes"],
            max_tokens=line["max_tokens"],
            answers=line["answers"],
        )
        holds = tuple(Hold(Limit(Unit(u), amount, s), held, clipped) for u, s, amount, held, clipped in line["holds"])
        return cls(
            request, line["key"], line["user"], line["tier"], line["instance"], line["t"], holds, Price(*line["price"])
        )


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between two lines."""

    segment: int = 0
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.segment}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        segment, offset = text.split(":")
        return cls(int(segment), int(offset))


START = Position()
ADMITTED, REFUSED = "decisions", "refusals"


class DecisionLog:
    """Appends to the newest segment. Whoever writes begins the next one when this one is full.

    Refusals have files of their own: anybody can cause them, and they must not crowd out what is under way.
    """

    def __init__(self, folder: Path, name: str = ADMITTED, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder, self._name = folder, name
        self._segment_bytes = segment_bytes
        self._file, self.end, self._torn = _opened(folder, name, max(segments(folder, name), default=0))

    def append(self, line: Mapping[str, object]) -> Position:
        """Where the line begins. Raises OSError when the disk does not take it whole."""
        data = orjson.dumps(line) + b"\n"
        if self._torn:
            data = b"#\n" + data  # what was torn is no line, even if only its end is missing
        begin = self.end
        written = os.write(self._file, data)
        self.end = Position(begin.segment, begin.offset + written)
        self._torn = written < len(data)
        if self._torn:
            raise OSError(f"{self._folder}: the disk is full; a decision could not be written")
        return begin

    def drop_before(self, needed: int, kept: int = KEPT_SEGMENTS) -> None:
        """Delete old segments, but neither the newest ones nor any from `needed` on."""
        for number in segments(self._folder, self._name):
            if number < needed and number <= self.end.segment - kept:
                _path(self._folder, self._name, number).unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self._file)

    @property
    def full(self) -> bool:
        return self.end.offset >= self._segment_bytes

    def next_segment(self) -> None:
        opened = _opened(self._folder, self._name, self.end.segment + 1)
        os.close(self._file)
        self._file, self.end, self._torn = opened


def _opened(folder: Path, name: str, number: int) -> tuple[int, Position, bool]:
    """A segment, its end, and whether a line may be torn there: whoever wrote last may have been cut off."""
    file = os.open(_path(folder, name, number), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    size = os.fstat(file).st_size
    return file, Position(number, size), size > 0


def segments(folder: Path, name: str = ADMITTED) -> list[int]:
    return sorted(int(path.stem.removeprefix(f"{name}-")) for path in folder.glob(f"{name}-*.jsonl"))


def read(folder: Path, since: Position = START) -> Iterator[tuple[Position, dict[str, Any]]]:
    """What was let through from there on, with where each line begins. Torn lines are passed over."""
    for number in segments(folder):
        if number < since.segment:
            continue
        offset = since.offset if number == since.segment else 0
        with _path(folder, ADMITTED, number).open("rb") as file:
            file.seek(offset)
            for raw in file:
                begin, offset = Position(number, offset), offset + len(raw)
                if (line := _parsed(raw)) is not None:
                    yield begin, line


def find(folder: Path, request_id: str) -> dict[str, Any] | None:
    """The decision on one request, newest segments first."""
    newest_first = [(name, number) for name in (ADMITTED, REFUSED) for number in reversed(segments(folder, name))]
    return next((line for place in newest_first if (line := _find_in(folder, *place, request_id))), None)


def _find_in(folder: Path, name: str, number: int, request_id: str) -> dict[str, Any] | None:
    needle = request_id.encode()
    with contextlib.suppress(FileNotFoundError), _path(folder, name, number).open("rb") as file:
        for raw in file:
            if needle not in raw or b'"carried":true' in raw:  # a repetition does not say what was asked for
                continue
            if (line := _parsed(raw)) is not None and line.get("id") == request_id:
                return line
    return None


def _parsed(raw: bytes) -> dict[str, Any] | None:
    if not raw.endswith(b"\n"):
        return None
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return line if isinstance(line, dict) else None


def _path(folder: Path, name: str, number: int) -> Path:
    return folder / f"{name}-{number:08d}.jsonl"
