"""`maas` as a shell would start it, with a home of its own and no cluster to fall back on."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import maas

Maas = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Maas:
    """In the test's folder."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if key not in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST")}
        own = {"HOME": str(tmp_path), "MAAS_HOME": str(tmp_path / "home"), "COLUMNS": "80"}
        return subprocess.run(
            [sys.executable, "-m", "maas.cli.main", *map(str, arguments)],
            env={**kept, **own, "PYTHONPATH": str(Path(maas.__file__).parents[1])},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return run
