"""Starting, not yet being ready, stopping, and sharing nothing with another process by accident."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.running import eventually
from tests.simulator.running import SOURCES, Running

Start = Callable[..., Running]


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "maas.models.simulator", *flags]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=10, check=False)


def test_not_ready_while_starting(start: Start) -> None:
    running = start("--startup-duration", "600ms")
    assert running.http.get("/health").status_code == 200
    assert running.http.get("/health/ready").status_code == 503
    assert running.chat().status_code == 503
    eventually(lambda: running.http.get("/health/ready").status_code == 200)
    assert running.chat().status_code == 200


def test_sigterm_lets_running_requests_finish(start: Start) -> None:
    running = start("--inter-token-latency", "20ms")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(running.chat, max_tokens=20, ignore_eos=True, stream=True)
        eventually(lambda: running.metric("num_requests_running") == 1)
        running.process.send_signal(signal.SIGTERM)
        assert answer.result().text.endswith("data: [DONE]\n\n")
    assert running.process.wait(5) == 0
    assert not running.uds.exists()


def test_the_grace_ends(start: Start) -> None:
    running = start("--inter-token-latency", "100ms", "--shutdown-grace", "200ms")
    with ThreadPoolExecutor(2) as pool:
        whole = pool.submit(
            running.post, "/v1/completions", {"model": "sim", "prompt": "x", "max_tokens": 999, "ignore_eos": True}
        )
        streamed = pool.submit(running.chat, max_tokens=999, ignore_eos=True, stream=True)
        eventually(lambda: running.metric("num_requests_running") == 2)
        stopped = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(5) == 0
        assert time.monotonic() - stopped < 2
        assert "[DONE]" not in streamed.result().text
        assert whole.result().status_code == 503
    lines = running.request_log.read_text().splitlines()
    assert sum('"aborted":true' in line for line in lines) == 2


def test_who_does_not_read_holds_up_nothing(start: Start) -> None:
    running = start("--shutdown-grace", "100ms")
    body = {"model": "sim", "prompt": "x", "n": 8, "max_tokens": 8000, "ignore_eos": True, "stream": True}
    with running.http.stream("POST", "/v1/completions", json=body):
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(5) == 0
    assert running.process.stderr
    assert running.process.stderr.read() == ""


def test_an_idle_connection_does_not_hold_up_the_end(start: Start) -> None:
    running = start()
    assert running.chat().is_success  # and the client keeps its connection
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(2) == 0


def test_kill_9_leaves_a_socket_that_the_next_process_takes_over(start: Start) -> None:
    running = start()
    running.process.kill()
    running.process.wait()
    assert running.uds.is_socket()
    following = start(uds=running.uds)
    assert following.chat().is_success


def test_a_socket_in_use_is_not_taken(start: Start) -> None:
    running = start()
    ended = run("--uds", str(running.uds))
    assert ended.returncode == 1
    assert "another process listens" in ended.stderr
    assert running.chat().is_success


def test_a_port_in_use_is_not_shared() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        ended = run("--port", str(taken.getsockname()[1]))
    assert ended.returncode == 1
    assert "in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_socket_path_that_is_too_long(tmp_path: Path) -> None:
    ended = run("--uds", str(tmp_path / ("x" * 120)))
    assert ended.returncode == 1
    assert "longer than 107 bytes" in ended.stderr


def test_tcp_and_socket_together(start: Start) -> None:
    running = start("--port", "0")
    address = running.first_line.split()[-1]
    assert httpx.get(f"{address}/health").is_success
    assert running.http.get("/health").is_success
