"""What processes use, from /proc: CPU time, and memory as PSS, which counts a shared page once."""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_SAMPLE_EVERY = 0.5
Processes = Mapping[str, Sequence[int]]


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of these processes so far; one that is gone counts nothing."""
    return sum(_cpu_seconds(pid) for pid in pids)


def memory_mb(pids: Sequence[int]) -> float:
    """PSS, in units of a million bytes."""
    return sum(_memory_mb(pid) for pid in pids)


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


class Watch:
    """CPU and peak memory of groups of processes, between entering and leaving."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.seconds = 0.0
        self.cpu: dict[str, float] = {}
        self.peak_mb: dict[str, float] = dict.fromkeys(processes, 0.0)

    def __enter__(self) -> Self:
        self._before = self._cpu()
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.seconds = time.monotonic() - self._began
        self.cpu = {name: after - self._before[name] for name, after in self._cpu().items()}
        self._done.set()
        self._thread.join()

    def cpu_us_each(self, count: int) -> dict[str, float]:
        return {name: used / max(1, count) * 1e6 for name, used in self.cpu.items()}

    def cores(self) -> dict[str, float]:
        return {name: used / self.seconds for name, used in self.cpu.items()}

    def _cpu(self) -> dict[str, float]:
        return {name: cpu_seconds(pids) for name, pids in self._processes.items()}

    def _sample(self) -> None:
        while True:
            for name, pids in self._processes.items():
                self.peak_mb[name] = max(self.peak_mb[name], memory_mb(pids))
            if self._done.wait(_SAMPLE_EVERY):
                return


def _cpu_seconds(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _stat(pid: int) -> list[str] | None:
    """/proc/PID/stat from the state on; the name before it may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _memory_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss:")), 0.0)
