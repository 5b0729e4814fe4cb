"""What this machine can run models with: cores, memory, and GPUs if there are any."""

import math
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from maas.models.sizing.fit import Device

_PATIENCE = 20.0  # seconds; a driver that is being loaded answers late
_QUERY = ("name", "memory.total", "compute_cap", "driver_version")


@dataclass(frozen=True)
class LocalGpu:
    name: str
    memory: int  # bytes
    capability: int  # times ten
    driver: str

    @property
    def device(self) -> Device:
        return Device(self.name, self.memory, self.capability)


class NoGpu(Exception):
    """Why there is none that can be used; a sentence."""


def cores() -> int:
    """Those this process may use: physical ones, where the machine tells which are siblings."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    siblings = {_siblings(core) for core in usable}
    return max(1, min(len(siblings), _allowed()))


def _allowed() -> int:
    """Cores that a container may keep busy; its limit is no affinity."""
    quota, _, period = _text("/sys/fs/cgroup/cpu.max").strip().partition(" ")
    return math.ceil(int(quota) / int(period)) if quota.isdigit() and period.isdigit() and int(period) else sys.maxsize


def memory() -> int:
    """Bytes that could be had without swapping, within the limits of a container."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    found = re.search(r"^MemAvailable:\s+(\d+) kB", _text("/proc/meminfo"), re.MULTILINE)
    available = int(found[1]) * 1024 if found else free
    limit, used = _text("/sys/fs/cgroup/memory.max").strip(), _text("/sys/fs/cgroup/memory.current").strip()
    return min(available, max(0, int(limit) - int(used or 0))) if limit.isdigit() else available


def gpus() -> list[LocalGpu]:
    """Raises NoGpu."""
    program = shutil.which("nvidia-smi")
    if program is None:
        raise NoGpu("nvidia-smi is not installed: there is no NVIDIA GPU here, or no driver for it")
    try:
        query = (program, f"--query-gpu={','.join(_QUERY)}", "--format=csv,noheader,nounits")
        ran = subprocess.run(query, capture_output=True, text=True, errors="replace", timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise NoGpu(f"nvidia-smi does not answer within {_PATIENCE:g} s: its driver hangs") from error
    except OSError as error:
        raise NoGpu(f"nvidia-smi can't be started: {error.strerror}") from error
    if ran.returncode:
        said = (ran.stdout + ran.stderr).strip().splitlines()
        raise NoGpu(f"nvidia-smi failed: {said[0] if said else f'exit code {ran.returncode}'}")
    found = [gpu for line in ran.stdout.splitlines() if (gpu := _gpu(line))]
    if not found:
        raise NoGpu("nvidia-smi lists no GPU that says what it is")
    return found


def _gpu(line: str) -> LocalGpu | None:
    fields = [field.strip() for field in line.split(",")]
    capability = re.fullmatch(r"(\d+)\.(\d)", fields[2]) if len(fields) == len(_QUERY) else None
    if capability is None or not fields[1].isdigit():
        return None
    return LocalGpu(fields[0], int(fields[1]) * 2**20, int(capability[1]) * 10 + int(capability[2]), fields[3])


def _siblings(core: int) -> str:
    """The same text for all threads of one physical core."""
    return _text(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list") or str(core)


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
