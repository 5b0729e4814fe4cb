"""What is told of a process that died: from its last life only, while it waits and while it is started again."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from maas.embedded import trouble
from maas.embedded.supervisor import status
from maas.embedded.supervisor.child import Child
from maas.embedded.supervisor.logs import EventLog
from maas.embedded.supervisor.spec import Spec
from tests.running import eventually
from tests.supervisor.watching import shell

BROKEN = "llama_model_load: error loading model: unexpectedly reached end of file"


@pytest.fixture
def child(tmp_path: Path) -> Child:
    """Each life says the line in `next`, and the last one what it was started as besides; none is ever ready."""
    script = f"cat {tmp_path}/next; echo exiting; exit 1"
    spec = Spec("a", shell(script), str(tmp_path / "a.log"), ready=str(tmp_path / "nobody.sock"))
    return Child(spec, EventLog(tmp_path / "events.log"))


@pytest.fixture
def life(child: Child, tmp_path: Path) -> Callable[[str], None]:
    def live(said: str) -> None:
        (tmp_path / "next").write_text(f"{said}\n")
        _start(child)
        _end(child)

    return live


def _start(child: Child) -> None:
    child.step(child.next_event() or 0.0, may_stop=True)
    assert child.pid is not None


def _end(child: Child) -> None:
    def dead() -> bool:
        return "Z" in Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2][:3]

    eventually(dead)
    child.exited(time.monotonic())


def test_while_it_waits(child: Child, life: Callable[[str], None]) -> None:
    life(BROKEN)
    told = trouble.end_of(child.as_status())
    assert "cut off or damaged" in told and f"It said: {BROKEN}" in told


def test_a_former_life_is_over(child: Child, life: Callable[[str], None]) -> None:
    life(BROKEN)
    life("something else")
    assert trouble.end_of(child.as_status()) == "exiting"


def test_while_it_is_started_again(child: Child, life: Callable[[str], None], tmp_path: Path) -> None:
    """Whatever the new life says meanwhile."""
    life(BROKEN)
    before = trouble.end_of(child.as_status())
    (tmp_path / "next").write_text("error: invalid argument: --new\n")
    _start(child)
    eventually(lambda: "--new" in (tmp_path / "a.log").read_text())
    assert child.state == status.STARTING
    assert trouble.end_of(child.as_status()) == before
    _end(child)
    assert "`options`" in trouble.end_of(child.as_status())


def test_one_that_died_without_a_word(child: Child, life: Callable[[str], None]) -> None:
    """Its log is not quoted as if its last line were its own."""
    life(BROKEN)
    child.want(Spec("a", shell("exit 3"), child.spec.log, ready=child.spec.ready))
    _start(child)
    _end(child)
    assert trouble.end_of(child.as_status()) == "it says nothing"


def test_after_its_log_was_emptied(child: Child, life: Callable[[str], None], tmp_path: Path) -> None:
    life("x" * 1000)
    (tmp_path / "a.log").write_text("")
    child.log_was_emptied()
    assert trouble.end_of(child.as_status()) == "it says nothing"
    life(BROKEN)
    assert "cut off or damaged" in trouble.end_of(child.as_status())
