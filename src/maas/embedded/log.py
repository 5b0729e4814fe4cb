"""The control plane's log: one JSON object a line, an event with its facts.

structlog would do it as well, but importing it imports rich: a quarter of a second of every start, and of every
recovery from a crash. The events here need a time, a level and some facts, and none of them is a secret.
"""

import contextlib
import json
import sys
import traceback
from datetime import UTC, datetime


def info(event: str, **facts: object) -> None:
    _write("info", event, facts)


def warning(event: str, **facts: object) -> None:
    _write("warning", event, facts)


def error(event: str, **facts: object) -> None:
    _write("error", event, facts)


def exception(event: str, cause: BaseException, **facts: object) -> None:
    """With where it happened: for the developers, never for an answer."""
    _write("error", event, {**facts, "exception": "".join(traceback.format_exception(cause))})


def _write(level: str, event: str, facts: dict[str, object]) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"ts": now.replace("+00:00", "Z"), "level": level, "event": event, **facts}
    with contextlib.suppress(OSError):  # a full disk must not stop what is being told about
        print(json.dumps(line, default=str), file=sys.stderr, flush=True)
