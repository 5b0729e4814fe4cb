import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import maas
from maas.embedded.home import Home
from maas.embedded.supervisor import client
from tests.cli.terminal import Maas


@pytest.fixture
def maas_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home of its own, also for the processes that are started."""
    home = Home(tmp_path_factory.mktemp("home"))
    monkeypatch.setenv("MAAS_HOME", str(home.root))
    monkeypatch.setenv("PYTHONPATH", str(Path(maas.__file__).parents[1]))
    for name in ("MAAS_DEBUG", "MAAS_DATABASE_URL", "KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    yield home
    client.stop(home, timeout=20)


@pytest.fixture
def run(maas_home: Home) -> Maas:
    """`maas` in a process of its own, as a shell would start it."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "maas.cli.main", *arguments],
            env={**os.environ, "COLUMNS": "80", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
