"""What is found out about GPUs, with nvidia-smi's own words but no GPU."""

import os
import time
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
        "--query-gpu=name,memory.total,compute_cap,driver_version,memory.free,index,mig.mode.current",
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
        ("echo 'NVIDIA GB10, [N/A], 12.1, 580.95'", '"NVIDIA GB10, [N/A], 12.1, 580.95"'),
        (
            "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18",
            "version mismatch. The driver was updated: restart the machine",
        ),
        (
            """echo 'Field "compute_cap" is not a valid field to query.'; exit 2""",
            "The driver is too old: install 525 or newer",
        ),
        ("echo; echo oops >&2; exit 4", "failed: oops"),
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


def test_a_driver_that_hangs_in_a_child_which_holds_the_pipe(bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bin / "nvidia-smi", "sleep 60; echo never")
    monkeypatch.setattr(machine, "_PATIENCE", 0.3)
    began = time.monotonic()
    with pytest.raises(NoGpu, match="hangs"):
        machine.gpus()
    assert time.monotonic() - began < 20


def test_what_the_driver_keeps_for_itself_is_not_counted_with(bin: Path) -> None:
    """CUDA has 14.56 GiB of a T4 where nvidia-smi says 15; of a card that nobody knows, only nvidia-smi is heard."""
    nvidia_smi(bin, T4, A100, "NVIDIA RTX 9, 16384, 12.0, 600.1", A100.replace("81920", "40960"))
    assert [gpu.device.total // 2**20 for gpu in machine.gpus()] == [14_910, 81_050, 16384, 40960]


def test_what_is_free_of_each_card(bin: Path) -> None:
    nvidia_smi(bin, f"{T4}, 1024, 0, [N/A]", f"{T4}, [N/A], 1, Disabled")
    assert [(gpu.free, gpu.index, gpu.slice) for gpu in machine.gpus()] == [(2**30, 0, False), (None, 1, False)]


MIG = """\
GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-0)
  MIG 1g.10gb     Device  0: (UUID: MIG-1)
  MIG 3g.40gb     Device  1: (UUID: MIG-2)
GPU 1: NVIDIA A100-SXM4-80GB (UUID: GPU-1)"""


def _cut(bin: Path, listed: str, *cards: str) -> None:
    lines = "\n".join(cards)
    program(bin / "nvidia-smi", f'[ "$1" = -L ] && cat <<"A" || cat <<"B"\n{listed}\nA\n{lines}\nB')


def test_a_slice_has_its_own_memory_and_not_the_card_s(bin: Path) -> None:
    _cut(bin, MIG, f"{A100}, 80000, 0, Enabled", f"{A100}, 80000, 1, Disabled")
    small, large, whole = machine.gpus()
    assert (small.name, small.slice) == ("NVIDIA A100-SXM4-80GB MIG 1g.10gb", True)
    assert 9.4 * 2**30 < small.memory <= 9728 * 2**20 and 37 * 2**30 < large.memory <= 40448 * 2**20
    assert (whole.memory, whole.slice) == (81920 * 2**20, False)


def test_a_card_that_is_to_be_cut_and_is_not(bin: Path) -> None:
    _cut(bin, MIG.splitlines()[0], f"{A100}, 80000, 0, Enabled")
    with pytest.raises(NoGpu, match=r"has no slices.*nvidia-smi mig -cgi"):
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
