"""What this machine can run models with: cores, memory, and GPUs if there are any."""

import math
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from maas.models import gpus as gpus_by_name
from maas.models.sizing.fit import Device

_PATIENCE = 20.0  # seconds; a driver that is being loaded answers late
_QUERY = ("name", "memory.total", "compute_cap", "driver_version", "memory.free", "index", "mig.mode.current")
_NEEDED = 4  # of these; what an odd driver leaves out of the rest is not known
_MIG_SHARE = 0.95  # of the GB in a slice's name, in GiB: 1g.5gb has 4864 MiB, 1g.10gb 9728, 3g.40gb 40448


@dataclass(frozen=True)
class LocalGpu:
    name: str
    memory: int  # bytes
    capability: int  # times ten
    driver: str
    free: int | None = None  # bytes that nobody uses now; None: not known
    index: int | None = None  # in the order of the PCI bus
    slice: bool = False  # of a card, made by MIG: a server gets one, never several

    @property
    def device(self) -> Device:
        """nvidia-smi counts what the driver keeps for itself (450 MiB of a T4), CUDA and vLLM do not."""
        known = gpus_by_name.of_product(self.name.replace(" ", "-"))
        return Device(self.name, min(self.memory, known.total) if known else self.memory, self.capability)


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
    """Slices in the place of cards that MIG has cut. Raises NoGpu."""
    program = shutil.which("nvidia-smi")
    if program is None:
        raise NoGpu("nvidia-smi is not installed: there is no NVIDIA GPU here, or no driver for it")
    lines = _asked(program, f"--query-gpu={','.join(_QUERY)}", "--format=csv,noheader,nounits")
    cards = [gpu for line in lines if (gpu := _gpu(line))]
    if not cards:
        said = f': "{lines[0].strip()[:60]}"' if lines else ""
        raise NoGpu(f"nvidia-smi lists no GPU that says what it is{said}")
    if not any(card.slice for card in cards):
        return cards
    found = _sliced(cards, _asked(program, "-L"))
    if not found:
        raise NoGpu(
            f"MIG is on for the {cards[0].name}, which has no slices."
            " Make some (`nvidia-smi mig -cgi PROFILE -C`), or turn MIG off (`nvidia-smi -mig 0`)"
        )
    return found


def _asked(program: str, *arguments: str) -> list[str]:
    """Lines of its answer. Raises NoGpu."""
    try:
        running = subprocess.Popen(
            (program, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise NoGpu(f"nvidia-smi can't be started: {error.strerror}") from error
    try:
        out, err = (each.decode(errors="replace") for each in running.communicate(timeout=_PATIENCE))
    except subprocess.TimeoutExpired as error:
        _abandon(running)
        raise NoGpu(f"nvidia-smi does not answer within {_PATIENCE:g} s: its driver hangs") from error
    if running.returncode:
        raise NoGpu(f"nvidia-smi failed: {_why(out + err) or f'exit code {running.returncode}'}")
    return [line for line in out.splitlines() if line.strip()]


def _abandon(running: subprocess.Popen[bytes]) -> None:
    """Without waiting for its end: what hangs in the driver can't be killed, and its children may hold the pipes."""
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    for pipe in (running.stdout, running.stderr):
        if pipe:
            pipe.close()
    with suppress(subprocess.TimeoutExpired):
        running.wait(1)


def _why(said: str) -> str:
    first = next((line.strip().rstrip(".") for line in said.splitlines() if line.strip()), "")
    if "version mismatch" in first:
        return f"{first}. The driver was updated: restart the machine"
    if "not a valid field" in first:
        return f"{first}. The driver is too old: install 525 or newer"
    return first


def _gpu(line: str) -> LocalGpu | None:
    fields = [field.strip() for field in line.split(",")]
    capability = re.fullmatch(r"(\d+)\.(\d)", fields[2]) if len(fields) >= _NEEDED else None
    if capability is None or not fields[1].isdigit():
        return None
    free, index, mig = [*fields[_NEEDED:], "", "", ""][:3]
    return LocalGpu(
        fields[0],
        int(fields[1]) * 2**20,
        int(capability[1]) * 10 + int(capability[2]),
        fields[3],
        int(free) * 2**20 if free.isdigit() else None,
        int(index) if index.isdigit() else None,
        slice=mig == "Enabled",
    )


def _sliced(cards: list[LocalGpu], listed: list[str]) -> list[LocalGpu]:
    """From `nvidia-smi -L`, where each card's slices stand below it: "  MIG 1g.10gb     Device  0: (UUID: ...)"."""
    by_index, card, found = {each.index: each for each in cards}, None, []
    for line in listed:
        if top := re.match(r"GPU (\d+):", line):
            card = by_index.get(int(top[1]))
            found += [card] if card and not card.slice else []
        elif card and (part := re.match(r"\s+MIG (\d+\S*?\.(\d+)gb\S*)", line)):
            size = int(int(part[2]) * 2**30 * _MIG_SHARE)
            found.append(replace(card, name=f"{card.name} MIG {part[1]}", memory=size, free=None))
    return found


def _siblings(core: int) -> str:
    """The same text for all threads of one physical core."""
    return _text(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list") or str(core)


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
