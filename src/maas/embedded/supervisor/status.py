"""What does run: the shape of status.json."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maas.embedded.supervisor.files import replace_file
from maas.embedded.supervisor.identity import Identity

STARTING = "starting"  # runs, but doesn't accept connections yet
READY = "ready"
BACKOFF = "backoff"  # died; will be started at next_try
FAILED = "failed"  # the same after so many deaths in a row that somebody should look; still tried
STOPPING = "stopping"  # was sent SIGTERM


@dataclass(frozen=True)
class ProcessStatus:
    """since, next_try: seconds since the epoch.

    last_exit: "exit 1", "signal 9", "signal 9, out of memory" or why it could not be started.
    log_start: where its present life begins in its log, or its last one if it does not run.
    """

    name: str
    state: str
    since: float
    order: int = 0
    identity: Identity | None = None
    restarts: int = 0
    last_exit: str | None = None
    next_try: float | None = None
    log: str = ""
    log_start: int = 0

    @property
    def pid(self) -> int | None:
        return self.identity.pid if self.identity else None


@dataclass(frozen=True)
class Status:
    """error: why the newest desired.json was not taken up."""

    supervisor: Identity
    started_at: float
    generation: str | None = None
    error: str | None = None
    processes: Sequence[ProcessStatus] = ()


def write_status(path: Path, status: Status) -> None:
    replace_file(path, json.dumps(asdict(status), indent=1))


def read_status(path: Path) -> Status | None:
    """None if there is none, or none that can be read (of another version, say)."""
    try:
        return _status(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _status(document: dict[str, Any]) -> Status:
    processes = tuple(
        ProcessStatus(**{**entry, "identity": _identity(entry["identity"])}) for entry in document["processes"]
    )
    return Status(**{**document, "supervisor": Identity(**document["supervisor"]), "processes": processes})


def _identity(entry: dict[str, Any] | None) -> Identity | None:
    return Identity(**entry) if entry else None
