"""What is found out about GPUs, with nvidia-smi's own words but no GPU."""

import os
from pathlib import Path

import pytest

from maas.models import machine
from maas.models.machine import LocalGpu, NoGpu
from tests.runtimes.programs import A100, NO_DRIVER, T4, V100, nvidia_smi, program


@pytest.mark.parametrize(
    ("line", "gpu"),
    [
        (T4, LocalGpu("Tesla T4", 15360 * 2**20, 75, "535.161.07")),
        (V100, LocalGpu("Tesla V100-SXM2-16GB", 16384 * 2**20, 70, "535.161.07")),
        (A100, LocalGpu("NVIDIA A100-SXM4-80GB", 81920 * 2**20, 80, "550.54.15")),
        ("NVIDIA RTX PRO 6000, 97887, 12.0, 580.1", LocalGpu("NVIDIA RTX PRO 6000", 97887 * 2**20, 120, "580.1")),
    ],
)
def test_a_gpu(bin: Path, line: str, gpu: LocalGpu) -> None:
    nvidia_smi(bin, line)
    assert machine.gpus() == [gpu]
    assert (bin / "nvidia-smi.asked").read_text().split() == [
        "--query-gpu=name,memory.total,compute_cap,driver_version",
        "--format=csv,noheader,nounits",
    ]


def test_those_that_do_not_say_what_they_are_are_left_out(bin: Path) -> None:
    nvidia_smi(bin, T4, "[Unknown Error], [N/A], [N/A], [N/A]", "", A100)
    assert [gpu.capability for gpu in machine.gpus()] == [75, 80]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (f'echo "{NO_DRIVER}"; exit 9', "couldn't communicate with the NVIDIA driver"),
        ("echo No devices were found; exit 6", "No devices were found"),
        ("exit 3", "exit code 3"),
        ("echo nonsense", "lists no GPU that says what it is"),
        (r"printf '\377\376\0,1,2,3\n'", "lists no GPU that says what it is"),
        ("echo 'Tesla T4, [Insufficient Permissions], 7.5, 535'", "lists no GPU"),
        ("", "lists no GPU"),
    ],
)
def test_no_gpu_and_why(bin: Path, script: str, said: str) -> None:
    program(bin / "nvidia-smi", script)
    with pytest.raises(NoGpu) as told:
        machine.gpus()
    assert said in str(told.value)


def test_no_driver(bin: Path) -> None:
    with pytest.raises(NoGpu, match="not installed"):
        machine.gpus()


def test_a_driver_that_hangs(bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bin / "nvidia-smi", "exec sleep 60")
    monkeypatch.setattr(machine, "_PATIENCE", 0.3)
    with pytest.raises(NoGpu, match="hangs"):
        machine.gpus()


def test_one_for_another_machine(bin: Path) -> None:
    (bin / "nvidia-smi").write_bytes(b"\x7fELFnot really")
    (bin / "nvidia-smi").chmod(0o755)
    with pytest.raises(NoGpu, match="can't be started"):
        machine.gpus()


def _with(monkeypatch: pytest.MonkeyPatch, texts: dict[str, str]) -> None:
    monkeypatch.setattr(machine, "_text", lambda path: texts.get(path, ""))


def test_cores_are_physical_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    place = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
    _with(monkeypatch, {place.format(core): f"{core % 4},{core % 4 + 4}\n" for core in range(8)})
    assert machine.cores() == 4
    _with(monkeypatch, {})
    assert machine.cores() == 8, "where the machine does not tell"


@pytest.mark.parametrize(("quota", "cores"), [("200000 100000", 2), ("150000 100000", 2), ("max 100000", 16), ("", 16)])
def test_cores_that_a_container_may_use(monkeypatch: pytest.MonkeyPatch, quota: str, cores: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))
    _with(monkeypatch, {"/sys/fs/cgroup/cpu.max": quota + "\n"})
    assert machine.cores() == cores


def test_memory_is_what_the_container_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = {"/proc/meminfo": "MemTotal:       16 kB\nMemAvailable:    8388608 kB\n"}
    _with(monkeypatch, memory)
    assert machine.memory() == 8 * 2**30
    bounds = {"/sys/fs/cgroup/memory.max": f"{4 * 2**30}\n", "/sys/fs/cgroup/memory.current": f"{2**30}\n"}
    _with(monkeypatch, {**memory, **bounds})
    assert machine.memory() == 3 * 2**30
    _with(monkeypatch, {**memory, **bounds, "/sys/fs/cgroup/memory.max": "max\n"})
    assert machine.memory() == 8 * 2**30
