"""The load generators: wrk for closed loops, vegeta for constant rates. What they print, as figures."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gateway.figures import Load
from benchmarks.gateway.target import Target
from benchmarks.gateway.usage import Watch

_SCRIPT = Path(__file__).with_name("post.lua")
_VEGETA = "github.com/tsenart/vegeta/v12@v12.12.0"
_SPARE = 30.0  # seconds beyond a run's own before it is given up
_INSTALL_TIMEOUT = 300.0


class Missing(Exception):
    """A load generator is not there; says how to get it."""


@dataclass(frozen=True)
class Tools:
    """body: the file with what is posted."""

    wrk: str
    vegeta: str
    body: Path


def tools(cache: Path, body: Path) -> Tools:
    """Raises Missing."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise Missing("wrk is missing: apt-get install wrk")
    return Tools(wrk, _vegeta(cache), body)


def closed_loop(tools: Tools, target: Target, connections: int, seconds: float) -> Load:
    """As many requests as `connections` can carry, one after the other on each."""
    argv = [tools.wrk, "--threads", "1", "--connections", str(connections), "--duration", f"{max(1, round(seconds))}s"]
    argv += ["--timeout", "10s", "--script", str(_SCRIPT), target.chat, "--", target.key, str(tools.body)]
    with Watch(target.processes()) as watch:
        output = _run(argv, seconds)
    result: dict[str, Any] = json.loads(output.partition("RESULT ")[2])
    return Load(
        target=target.name,
        per_second=(result["requests"] - result["failed"]) / (result["duration_us"] / 1e6),
        p50=result["p50_us"] / 1e3,
        p99=result["p99_us"] / 1e3,
        failed=result["failed"],
        cpu_us=watch.cpu_us_each(result["requests"]),
        connections=connections,
    )


def constant_rate(tools: Tools, target: Target, rate: float, seconds: float) -> Load:
    """Requests that are sent when they are due, however slowly those before them are answered."""
    headers = f"Content-Type: application/json\nAuthorization: Bearer {target.key}"
    attack = [tools.vegeta, "attack", "-rate", f"{max(1, round(rate))}/s", "-duration", f"{seconds}s"]
    with Watch(target.processes()) as watch:
        results = _run(
            [*attack, "-timeout", "10s"], seconds, f"POST {target.chat}\n{headers}\n@{tools.body}\n".encode()
        )
    report = json.loads(_run([tools.vegeta, "report", "-type", "json"], 0, results))
    good = round(report["success"] * report["requests"])
    return Load(
        target=target.name,
        per_second=report["throughput"],
        p50=report["latencies"]["50th"] / 1e6,
        p99=report["latencies"]["99th"] / 1e6,
        failed=report["requests"] - good,
        cpu_us=watch.cpu_us_each(report["requests"]),
        rate=rate,
    )


def _vegeta(cache: Path) -> str:
    """On the path, in the cache, or built with Go."""
    if found := shutil.which("vegeta", path=f"{cache / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"):
        return found
    go = shutil.which("go")
    if go is None:
        raise Missing(f"vegeta is missing, and so is Go to build it: go install {_VEGETA}")
    env = {**os.environ, "GOBIN": str(cache / "bin")}
    built = subprocess.run([go, "install", _VEGETA], env=env, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT)
    if built.returncode:
        raise Missing(f"vegeta could not be built: {built.stderr.strip()[-300:]}")
    return str(cache / "bin" / "vegeta")


def _run(argv: list[str], seconds: float, stdin: bytes | str | None = None) -> Any:
    binary = not isinstance(stdin, str) and stdin is not None
    done = subprocess.run(argv, input=stdin, capture_output=True, text=not binary, timeout=seconds + _SPARE, check=True)
    return done.stdout
