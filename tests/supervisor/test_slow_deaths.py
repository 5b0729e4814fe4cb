"""A process that takes long to die is in a crash loop as well."""

import time
from pathlib import Path

from maas.embedded.supervisor import status
from maas.embedded.supervisor.backoff import HOPELESS_DEATHS
from maas.embedded.supervisor.child import Child
from maas.embedded.supervisor.logs import EventLog
from maas.embedded.supervisor.spec import Spec


def _life(child: Child, started: float, ended: float, *, ready: bool) -> None:
    child.step(started, may_stop=True)
    if ready:
        child.probe(started + 1)
    pid = child.pid
    assert pid is not None
    while "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]:
        time.sleep(0.005)
    child.exited(ended)


def _child(folder: Path, ready: str | None) -> Child:
    spec = Spec("slow", ("true",), str(folder / "slow.log"), ready=ready)
    return Child(spec, EventLog(folder / "events.log"))


def test_who_never_was_ready_is_not_forgiven(tmp_path: Path) -> None:
    """A model that loads for two minutes and finds no memory, again and again."""
    child = _child(tmp_path, str(tmp_path / "nobody.sock"))
    now, pauses = 0.0, []
    for _ in range(HOPELESS_DEATHS):
        _life(child, now, now + 120, ready=False)
        due = child.next_event()
        assert due is not None
        pauses.append(round(due - now - 120, 1))
        now = due
    assert child.state == status.FAILED
    assert pauses == [0.0, 0.2, 0.4, 0.8, 1.6]


def test_who_has_served_for_long_is(tmp_path: Path) -> None:
    child = _child(tmp_path, None)
    for start in range(0, 1000, 100):
        _life(child, start, start + 90, ready=True)
        assert child.state == status.BACKOFF
        assert child.next_event() == start + 90
