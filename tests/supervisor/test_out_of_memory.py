"""Who was killed because memory ran out, and who for another reason."""

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from maas.embedded.supervisor.out_of_memory import RECENT, OutOfMemory
from tests.running import eventually
from tests.supervisor.watching import Watched, python


def _counted(file: Path, kills: int) -> None:
    file.write_text(f"pgfault 5\noom_kill {kills}\nnuma_hit 3\n")


def test_the_kernel_has_counted_one(tmp_path: Path) -> None:
    file = tmp_path / "vmstat"
    _counted(file, 7)
    memory = OutOfMemory(file)
    assert not memory.ran_out(100.0), "what was before concerns nobody"
    _counted(file, 8)
    assert memory.ran_out(200.0)
    assert memory.ran_out(200.0 + RECENT / 2), "a large process takes its time to die"
    assert not memory.ran_out(200.0 + 2 * RECENT)


@pytest.mark.parametrize("text", [None, "", "pgfault 5\n", "oom_kill\n", "oom_kill x\n"])
def test_a_kernel_that_does_not_count(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "vmstat"
    if text is not None:
        file.write_text(text)
    memory = OutOfMemory(file)
    assert not memory.ran_out(1.0)
    _counted(file, 3)
    assert not memory.ran_out(2.0), "it counts from now on, and nobody knows since when"


@pytest.fixture
def cramped() -> Iterator[Path]:
    """A group of processes that may have 30 MB."""
    for limit in ("memory/{}/memory.limit_in_bytes", "{}/memory.max"):  # cgroups of version 1 and 2
        file = Path("/sys/fs/cgroup") / limit.format(f"maas-test-{os.getpid()}")
        with contextlib.suppress(OSError):
            file.parent.mkdir()
            file.write_text("30000000")
            yield file.parent
            eventually(functools.partial(_removed, file.parent))
            return
    pytest.skip("no group with a limit of memory can be made here")


def _removed(group: Path) -> bool:
    with contextlib.suppress(OSError):
        group.rmdir()
    return not group.exists()


def test_a_real_one(watched: Watched, cramped: Path) -> None:
    greedy = (
        "import os, pathlib, time\n"
        f"pathlib.Path({str(cramped / 'cgroup.procs')!r}).write_text(str(os.getpid()))\n"
        "kept = b'x' * 200_000_000; time.sleep(1000)"
    )
    watched.want(watched.spec("greedy", python(greedy), ready="/nobody.sock"), watched.spec("good"))
    watched.until("greedy", lambda greedy: greedy.last_exit == "signal 9, out of memory", "is named")
    assert watched.process("good").last_exit is None
