"""Real processes that die, hang, change and come back."""

import json
import os
import resource
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from maas.domain.errors import Unavailable
from maas.embedded.home import Home
from maas.embedded.supervisor import client, paths
from maas.embedded.supervisor.status import BACKOFF, FAILED, READY, STARTING
from tests.ports import free_port
from tests.running import eventually
from tests.supervisor.watching import DEADLINE, Watched, python, shell

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(1000)"


@pytest.mark.alone
def test_what_was_killed_is_back_within_a_second(watched: Watched) -> None:
    watched.run(watched.spec("a"))
    killed = watched.kill("a")
    took = watched.until("a", lambda a: a.identity not in (None, killed), "is back")
    assert took < 1.0
    assert watched.process("a").restarts == 1
    assert watched.process("a").last_exit == "signal 9"


def test_a_crash_loop_backs_off_and_is_reported(watched: Watched) -> None:
    generation = watched.want(watched.spec("bad", shell("echo no such model; exit 3")), watched.spec("good"))
    with pytest.raises(Unavailable, match=r"bad keeps failing \(exit 3\)(.|\n)*no such model"):
        client.wait_ready(watched.home, generation, timeout=DEADLINE)
    watched.until("bad", lambda bad: bad.state == FAILED and bad.next_try is not None, "waits for its next try")
    assert watched.process("good").state == READY
    assert watched.log("bad").count("no such model") < 10


def test_a_program_that_is_not_there_is_a_failure_and_not_the_end(watched: Watched) -> None:
    watched.want(watched.spec("missing", ("/no/such/program",)), watched.spec("good"))
    watched.until("missing", lambda missing: missing.state == FAILED, "has failed")
    assert "No such file" in (watched.process("missing").last_exit or "")
    assert watched.process("good").state == READY


def test_ready_means_that_it_accepts_connections(watched: Watched) -> None:
    go, path = watched.home.root / "go", str(watched.home.run / "a.sock")
    script = (
        "import os, socket, time\n"
        f"s = socket.socket(socket.AF_UNIX); s.bind({path!r})\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
        "s.listen(); time.sleep(1000)"
    )
    generation = watched.want(watched.spec("a", python(script), ready=path))
    with pytest.raises(Unavailable, match="not ready"):
        client.wait_ready(watched.home, generation, timeout=0.5)
    assert watched.process("a").state == STARTING
    go.touch()
    client.wait_ready(watched.home, generation, timeout=DEADLINE)


def test_who_listens_before_it_can_work_says_when_it_can(watched: Watched) -> None:
    go, path = watched.home.root / "go", str(watched.home.run / "a.sock")
    script = (
        "import os, socketserver, http.server\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        f"        self.send_response(200 if os.path.exists({str(go)!r}) and self.path == '/ready' else 503)\n"
        "        self.end_headers()\n"
        "    def address_string(self): return ''\n"
        f"socketserver.UnixStreamServer({path!r}, Handler).serve_forever()"
    )
    generation = watched.want(watched.spec("a", python(script), ready=path, health="/ready"))
    with pytest.raises(Unavailable, match="not ready"):
        client.wait_ready(watched.home, generation, timeout=0.5)
    go.touch()
    client.wait_ready(watched.home, generation, timeout=DEADLINE)


def test_a_port_can_tell_too(watched: Watched) -> None:
    port = free_port()
    listening = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(1000)"
    assert watched.run(watched.spec("a", python(listening), ready=f"127.0.0.1:{port}"))


def test_only_what_changed_is_touched(watched: Watched) -> None:
    same, changed, gone = watched.spec("same"), watched.spec("changed"), watched.spec("gone")
    watched.run(same, changed, gone)
    before = {name: watched.identity(name) for name in ("same", "changed", "gone")}
    watched.run(same, replace(changed, env={"NEW": "1"}), watched.spec("new"))
    assert watched.identity("same") == before["same"]
    assert watched.identity("changed") != before["changed"]
    assert watched.process("changed").restarts == 0
    eventually(lambda: not before["gone"].alive, "the one that was removed is gone")
    assert "NEW=1" in Path(f"/proc/{watched.identity('changed').pid}/environ").read_text()


def test_a_file_that_makes_no_sense_changes_nothing(watched: Watched) -> None:
    watched.run(watched.spec("a"))
    before = watched.identity("a")
    paths.desired(watched.home).write_text("{")
    running = client.running(watched.home)
    assert running
    os.kill(running.pid, signal.SIGHUP)
    eventually(lambda: watched.status.error is not None, "the mistake is reported")
    assert watched.identity("a") == before
    watched.run(watched.spec("a"), watched.spec("b"))
    assert watched.status.error is None


def test_a_stopped_process_still_ends_in_peace(watched: Watched) -> None:
    watched.run(watched.spec("a", stop_grace=DEADLINE))
    watched.kill("a", signal.SIGSTOP)
    assert client.stop(watched.home, timeout=DEADLINE / 2)


def test_what_does_not_listen_is_killed_after_its_grace(watched: Watched) -> None:
    watched.run(watched.spec("deaf", python(STUBBORN), stop_grace=0.3))
    eventually(lambda: "deaf" in watched.log("deaf"), "it ignores SIGTERM")
    identity = watched.identity("deaf")
    assert client.stop(watched.home, timeout=DEADLINE)
    assert not identity.alive
    assert '"event": "killed"' in watched.events()


def test_workers_go_with_their_leader(watched: Watched) -> None:
    """Or they would hold its socket against its successor."""
    watched.run(watched.spec("leader", shell("sleep 1000 & echo $! > worker; wait")))
    worker = Path(watched.home.root / "worker")
    eventually(lambda: worker.exists() and worker.read_text().endswith("\n"), "the worker runs")
    pid = worker.read_text().strip()
    watched.kill("leader")
    eventually(lambda: not Path(f"/proc/{pid}").exists(), "the worker is gone")


def test_they_start_in_order_and_stop_in_the_opposite(watched: Watched) -> None:
    watched.run(watched.spec("last", order=2), watched.spec("first", order=0), watched.spec("middle", order=1))
    client.stop(watched.home, timeout=DEADLINE)
    assert _order(watched.events(), "started") == ["first", "middle", "last"]
    assert _order(watched.events(), "stopping") == ["last", "middle", "first"]
    assert _order(watched.events(), "stopped") == ["last", "middle", "first"]


def test_a_log_that_can_not_be_written_is_no_reason_not_to_serve(watched: Watched) -> None:
    (watched.home.logs / "a.log").mkdir()
    (watched.home.logs / "b.log").symlink_to("/dev/full")
    watched.run(
        watched.spec("a", shell("echo hello; exec sleep 1000")), watched.spec("b", shell("echo hello; exec sleep 1000"))
    )
    assert "output is dropped" in watched.events()


def test_a_full_disk_does_not_stop_the_restarting(watched: Watched) -> None:
    """The limit ends who goes beyond it, where a full disk refuses: hence the trap."""
    watched.run(watched.spec("a", shell("trap '' XFSZ; echo $$ >> /dev/stderr; exec sleep 1000")))
    supervisor = watched.status.supervisor
    _, hard = resource.prlimit(supervisor.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(supervisor.pid, resource.RLIMIT_FSIZE, (0, hard))
    killed = watched.kill("a")
    eventually(
        lambda: len(_children(supervisor.pid)) == 1 and killed.pid not in _children(supervisor.pid), "it is back"
    )
    resource.prlimit(supervisor.pid, resource.RLIMIT_FSIZE, (hard, hard))
    watched.until("a", lambda a: a.restarts >= 1 and a.state in (READY, BACKOFF), "is written down again")


def test_no_secret_is_logged(watched: Watched) -> None:
    watched.run(watched.spec("a", ("/bin/sleep", "1000"), env={"TOKEN": "sk-maas-secret"}))
    client.stop(watched.home, timeout=DEADLINE)
    assert "secret" not in watched.events() + paths.status(watched.home).read_text()


def test_it_is_small(watched: Watched) -> None:
    watched.run(watched.spec("a"))
    status = Path(f"/proc/{watched.status.supervisor.pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert resident < 20 * 1024


def test_stopping_what_does_not_run_is_no_error(home: Home) -> None:
    assert client.stop(home, timeout=1) is False


def _order(events: str, event: str) -> list[str]:
    return [entry["process"] for entry in map(json.loads, events.splitlines()) if entry["event"] == event]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
