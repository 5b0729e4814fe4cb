"""Two real llama-servers behind one model, with a key, another name and shares, one of them killed under load.

Skipped where there is no llama-server or no weights (tests/runtimes/real.py); test_endpoints.py has the same story
with simulators, everywhere.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.embedded.changing import Traffic, change
from tests.ports import free_ports
from tests.running import eventually, running
from tests.runtimes import real

SECRET = "sk-upstream-9876543210"
REAL_NAME = "giant-9"
LOADING = 120.0
SLOW = 90.0


@contextmanager
def llama_server(program: str, weights: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    options = {"model": str(weights), "alias": REAL_NAME, "api-key": SECRET, "host": "127.0.0.1", "port": str(port)}
    options |= {"ctx-size": "4096", "parallel": "4", "threads": "1"}
    flags = [part for flag, value in options.items() for part in (f"--{flag}", value)]
    with subprocess.Popen([program, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: _loaded(port), within=LOADING)
            yield process
        finally:
            process.kill()


def _loaded(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx.TransportError:
        return False


def test_a_server_killed_under_load_fails_only_what_it_was_answering(tmp_path: Path) -> None:
    program, weights = real.server(), real.weights()
    key_file = tmp_path / "key"
    key_file.write_text(SECRET)
    ports = free_ports()[:2]
    endpoints = [
        {"url": f"http://127.0.0.1:{port}", "weight": weight, "api_key_file": str(key_file)}
        for port, weight in zip(ports, (3, 1), strict=True)
    ]
    model = {"runtime": "external", "endpoints": endpoints, "served_name": REAL_NAME, "aliases": ["best"]}
    with ExitStack() as stack:
        first, _ = [stack.enter_context(llama_server(program, weights, port)) for port in ports]
        up = stack.enter_context(running())
        change(up, lambda document: document["models"].update(ext=model))
        names = ("ext", "best")
        traffic = Traffic(
            up,
            up.key("busy", "open"),
            lambda worker: {"model": names[worker % 2], "max_tokens": 6, "stream": worker > 1},
            within=SLOW,
        )
        with traffic.running():
            eventually(traffic.more(), within=SLOW)
            first.kill()
            first.wait()
            killed = time.monotonic()
            eventually(traffic.more(), within=SLOW)
            eventually(traffic.more(), within=SLOW)
    broken = [seen for seen in traffic.seen if seen.status != 200 or _is_cut(seen.body)]
    assert [seen for seen in broken if seen.started > killed] == [], "only what was under way on it may fail"
    assert len(broken) + len(traffic.failed) <= 4, "one for each connection at most"
    everything = "".join(seen.body for seen in traffic.seen)
    assert not any(word in everything for word in (SECRET, REAL_NAME, *map(str, ports)))
    assert {seen.model for seen in traffic.seen if seen.status == 200} == set(names)


def _is_cut(body: str) -> bool:
    return body.startswith("data:") and "[DONE]" not in body
