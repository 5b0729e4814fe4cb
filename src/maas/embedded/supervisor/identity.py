"""Which process a number means: pids are used again, so each is kept with its start time and the boot it belongs to."""

import os
from dataclasses import dataclass
from pathlib import Path

_START_TIME = 22 - 3  # field 22 of /proc/PID/stat; the first two end with the last ")"
_STATE = 0


@dataclass(frozen=True)
class Identity:
    pid: int
    started: int  # clock ticks since boot
    boot: str

    @property
    def alive(self) -> bool:
        """Still the same process, and not a zombie."""
        fields = _stat(self.pid)
        return bool(fields) and fields[_STATE] not in "ZX" and self == identity_of(self.pid)


def identity_of(pid: int) -> Identity | None:
    fields = _stat(pid)
    return Identity(pid, int(fields[_START_TIME]), boot_id()) if fields else None


def own_identity() -> Identity:
    identity = identity_of(os.getpid())
    assert identity is not None, "/proc is not mounted"
    return identity


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text[text.rindex(")") + 2 :].split()
