"""Whether memory has just run out: the kernel counts what it kills for that, and who was killed can't tell.

The count holds for the whole machine, containers with limits of their own included, and needs no rights. Its log
would name the process, but is closed to most users.
"""

from pathlib import Path

RECENT = 30.0  # seconds: a process of many GiB takes some to die


class OutOfMemory:
    def __init__(self, counted: Path = Path("/proc/vmstat")) -> None:
        self._counted = counted
        self._kills = self._count()
        self._last: float | None = None

    def look(self, now: float) -> None:
        kills = self._count()
        if kills is not None and self._kills is not None and kills > self._kills:
            self._last = now
        self._kills = kills

    def ran_out(self, now: float) -> bool:
        """Not long ago. False as well where nobody counts."""
        self.look(now)
        return self._last is not None and now - self._last < RECENT

    def _count(self) -> int | None:
        try:
            lines = self._counted.read_text().splitlines()
            return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)
        except (OSError, ValueError):
            return None
