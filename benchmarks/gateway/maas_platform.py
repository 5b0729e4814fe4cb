"""The real platform, started with `maas up` in a home of its own, with both backends as external models.

Two users share it, one in a tier without limits and one whose limits are too large to be reached: counting costs too.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.gateway.processes import NotReady, free_ports
from benchmarks.gateway.target import FAST, STREAMING, Target
from benchmarks.gateway.usage import Processes
from maas.embedded import platform
from maas.embedded.home import Home

NAME = "MaaS"
UNLIMITED, LIMITED = "no limits", "large limits"
_TIERS = """
tiers:
  unlimited: {}
  large:
    limits:
      - {requests: 1_000_000_000, per: 24h}
      - {tokens: 100_000_000_000_000, per: 24h}
"""
_MODELS = """
models:
  %s: {runtime: external, url: "http://127.0.0.1:%d", context_length: 8192}
  %s: {runtime: external, url: "http://127.0.0.1:%d", context_length: 8192}
"""
_SIMULATED = f"models: {{{FAST}: {{runtime: simulator, context_length: 8192}}}}"
_UP_TIMEOUT, _DOWN_TIMEOUT = 90.0, 60.0


@dataclass(frozen=True)
class Maas:
    """source: the folder that holds the package `maas`; another tree's can be measured beside this one's."""

    home: Home
    source: Path
    port: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        self._run("up", _UP_TIMEOUT)

    def begin_up(self) -> subprocess.Popen[bytes]:
        """`maas up`, not waited for."""
        quiet = subprocess.DEVNULL
        return subprocess.Popen(self._argv("up"), env=self._env, stdout=quiet, stderr=quiet, cwd=self.home.root)

    def down(self) -> None:
        self._run("down", _DOWN_TIMEOUT)

    def key(self, user: str, tier: str) -> str:
        transport = httpx.HTTPTransport(uds=str(self.home.api_socket))
        wanted = {"name": "benchmark", "username": user, "tier": tier}
        with httpx.Client(transport=transport, base_url="http://maas", timeout=10) as client:
            answer = client.post("/v1/api-keys", json=wanted)
        return str(answer.raise_for_status().json()["key"])

    def processes(self) -> Processes:
        """By part; empty when it does not run."""
        status = platform.status(self.home)
        if status is None:
            return {}
        parts = {process.name: [process.pid] for process in status.processes if process.pid is not None}
        return {**{name.partition("@")[0]: pids for name, pids in parts.items()}, "supervisor": [status.supervisor.pid]}

    def _run(self, command: str, timeout: float) -> None:
        argv = self._argv(command)
        done = subprocess.run(argv, env=self._env, capture_output=True, text=True, timeout=timeout, cwd=self.home.root)
        if done.returncode:
            raise NotReady(f"maas {command} ended with {done.returncode}: {done.stderr.strip()}")

    @staticmethod
    def _argv(command: str) -> list[str]:
        return [sys.executable, "-m", "maas.cli.main", command]

    @property
    def _env(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.source), "MAAS_HOME": str(self.home.root)}


@contextlib.contextmanager
def running(folder: Path, source: Path, fast: int, streaming: int) -> Iterator[Maas]:
    maas = prepared(folder, source, _MODELS % (FAST, fast, STREAMING, streaming))
    with stopped_at_the_end(maas):
        maas.up()
        yield maas


def prepared(folder: Path, source: Path, models: str = _SIMULATED) -> Maas:
    """A home with its maas.yaml; nothing runs yet. Without `models`, one simulated model as after `maas init`."""
    home = Home(folder)
    folder.mkdir(parents=True)
    http, https, metrics = free_ports(3)
    ports = f"gateway: {{http_port: {http}, https_port: {https}, metrics_port: {metrics}}}\n"
    home.config.write_text(models + _TIERS + ports)
    return Maas(home, source, http)


@contextlib.contextmanager
def stopped_at_the_end(maas: Maas) -> Iterator[None]:
    try:
        yield
    finally:
        if platform.status(maas.home) is not None:
            maas.down()


def targets(maas: Maas, name: str = NAME) -> list[Target]:
    """One for each tier, at the same gateway."""
    found = [
        Target(f"{name}, {said}", maas.base, maas.key(tier, tier), maas.processes)
        for said, tier in ((UNLIMITED, "unlimited"), (LIMITED, "large"))
    ]
    time.sleep(0.5)  # the gateway has just started: let it settle before anything is measured
    return found
