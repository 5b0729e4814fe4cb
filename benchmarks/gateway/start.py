"""How long it takes to start: the whole platform until it answers a chat, and the command until it has helped."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from benchmarks.gateway import litellm_proxy, maas_platform
from benchmarks.gateway.target import chat_body

_PAUSE = 0.01
_TIMEOUT = 120.0
_HELP = "import sys; sys.argv[1:] = ['--help']; from maas.cli.main import main; sys.exit(main())"


def maas_cold_starts(folder: Path, source: Path, count: int) -> list[float]:
    """Seconds from `maas up` to the first 200 of a chat with a simulated model; the home and its key exist already."""
    maas = maas_platform.prepared(folder, source)
    with maas_platform.stopped_at_the_end(maas):
        maas.up()
        key = maas.key("benchmark", "large")
        maas.down()
        return [_cold_start(maas, key) for _ in range(count)]


def litellm_cold_starts(command: Path, folder: Path, count: int) -> list[float]:
    """The same for LiteLLM with one worker, to the first answer of its health page: without a model behind it."""
    times = []
    for _ in range(count):
        began = time.monotonic()
        with litellm_proxy.running(command, folder, 1, 1, workers=1):
            times.append(time.monotonic() - began)
    return times


def help_times(source: Path, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds for `maas --help` and for `python -c pass`, in turns."""
    helps, passes = [], []
    for _ in range(count):
        helps.append(_run_time(_HELP, source))
        passes.append(_run_time("pass", source))
    return helps, passes


def _cold_start(maas: maas_platform.Maas, key: str) -> float:
    began = time.monotonic()
    process = maas.begin_up()
    try:
        first = _first_answer(f"{maas.base}/v1/chat/completions", key) - began
        if process.wait(_TIMEOUT):
            raise RuntimeError(f"maas up ended with {process.returncode}")
    finally:
        process.kill()
        process.wait()
    maas.down()
    return first


def _first_answer(url: str, key: str) -> float:
    """When the first 200 came. Raises TimeoutError."""
    deadline = time.monotonic() + _TIMEOUT
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    with httpx.Client(headers=headers, timeout=10, trust_env=False) as client:
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if client.post(url, content=chat_body()).status_code == 200:
                    return time.monotonic()
            time.sleep(_PAUSE)
    raise TimeoutError(f"{url} gave no 200 within {_TIMEOUT:g} s")


def _run_time(code: str, source: Path) -> float:
    argv: Sequence[str] = [sys.executable, "-c", code]
    began = time.perf_counter()
    # without a timeout: waiting with one polls, in steps of up to 50 ms
    subprocess.run(argv, env={"PYTHONPATH": str(source)}, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1e3
