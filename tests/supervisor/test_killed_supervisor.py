"""kill -9 of the supervisor itself: nothing may be orphaned, and the next one starts on clean ground."""

import os
import signal
import subprocess

from maas.embedded.home import Home
from maas.embedded.supervisor import client
from tests.running import eventually
from tests.supervisor.watching import DEADLINE, Watched, python


def test_its_children_go_with_it(watched: Watched) -> None:
    watched.run(watched.spec("a"), watched.spec("b"))
    children = [watched.identity("a"), watched.identity("b")]
    watched.kill_supervisor()
    eventually(lambda: not any(child.alive for child in children), "no orphan is left")


def test_the_next_one_ends_what_would_not_go(watched: Watched) -> None:
    deaf = python("import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(1000)")
    watched.run(watched.spec("deaf", deaf))
    eventually(lambda: "deaf" in watched.log("deaf"), "it ignores SIGTERM")
    orphan = watched.identity("deaf")
    watched.kill_supervisor()
    assert orphan.alive
    watched.run(watched.spec("a"))
    assert not orphan.alive


def test_a_stopped_child_does_not_survive_either(watched: Watched) -> None:
    watched.run(watched.spec("a"))
    orphan = watched.kill("a", signal.SIGSTOP)
    watched.kill_supervisor()
    watched.run(watched.spec("a"))
    assert not orphan.alive


def test_ctrl_c_in_the_foreground_stops_everything_in_order(home: Home, watched: Watched) -> None:
    generation = client.want(home, [watched.spec("a")])
    command = client.command(home, "--foreground")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as foreground:
        client.wait_ready(home, generation, timeout=DEADLINE)
        child = watched.identity("a")
        os.killpg(foreground.pid, signal.SIGINT)  # what a terminal does
        _, said = foreground.communicate(timeout=DEADLINE)
    assert foreground.returncode == 0
    assert not child.alive
    assert "stopped: process a, exit signal 15" in said


def test_asked_twice_it_does_not_wait(home: Home, watched: Watched) -> None:
    deaf = python("import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(1000)")
    watched.run(watched.spec("deaf", deaf, stop_grace=1000.0))
    eventually(lambda: "deaf" in watched.log("deaf"), "it ignores SIGTERM")
    supervisor = watched.status.supervisor
    os.kill(supervisor.pid, signal.SIGTERM)
    eventually(lambda: '"stopping"' in watched.events(), "it is asked to stop")
    os.kill(supervisor.pid, signal.SIGTERM)
    eventually(lambda: not supervisor.alive, "it has ended")
