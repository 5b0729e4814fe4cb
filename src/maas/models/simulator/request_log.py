"""One JSON line when a request for the model arrives and one when it ends: an independent count for tests.

Each line is one `write` to a file opened for appending, so kill -9 loses at most the line being made, and never
leaves half of one.
"""

import os
from dataclasses import asdict, dataclass
from types import TracebackType

import orjson


@dataclass(slots=True)
class Record:
    """`completion_tokens` are those generated: of an aborted stream, those that were sent."""

    request_id: str
    path: str
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    status: int = 0
    aborted: bool = False
    stream: bool = False


class RequestLog:
    """`path` None: keeps nothing."""

    def __init__(self, path: str | None) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = None if path is None else os.open(path, flags, 0o600)

    def __enter__(self) -> "RequestLog":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self._file is not None:
            os.close(self._file)

    def start(self, record: Record) -> None:
        if self._file is not None:
            self._write({"request_id": record.request_id, "event": "start"})

    def end(self, record: Record) -> None:
        if self._file is not None:
            self._write({**asdict(record), "event": "end"})

    def _write(self, line: dict[str, object]) -> None:
        if self._file is not None:
            os.write(self._file, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
