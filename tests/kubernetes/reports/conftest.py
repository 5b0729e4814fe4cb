"""`maas` as people run it, in this process and in one of its own, and a snapshot for it to read."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import maas as package
from maas.cli import frame
from maas.cli.main import COMMANDS

_NODE = """\
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {allocatable: {cpu: "8"}}
"""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Run = Callable[..., Said]
Process = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """Of a cluster that is not ready, as nobody knows much of it."""
    folder = tmp_path / "snapshot"
    folder.mkdir()
    (folder / "nodes.yaml").write_text(_NODE)
    return folder


@pytest.fixture
def no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "MAAS_DEBUG", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def maas(no_cluster: None, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(name: str, *arguments: object) -> Said:
        capsys.readouterr()
        code = frame.run(name, COMMANDS[name][0], [str(argument) for argument in arguments])
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def process(no_cluster: None) -> Process:
    """In a process of its own; environment: added to ours. stdout can be given."""

    def run(
        *arguments: object, stdout: int = subprocess.PIPE, **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "maas.cli.main", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1]), **environment},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )

    return run
