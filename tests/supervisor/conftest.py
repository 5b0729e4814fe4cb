import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import maas
from maas.embedded.home import Home
from maas.embedded.supervisor import client
from tests.supervisor.watching import Watched


@pytest.fixture(autouse=True)
def importable_in_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(maas.__file__).parents[1]))


@pytest.fixture
def home() -> Iterator[Home]:
    root = Path(tempfile.mkdtemp(prefix="maas-", dir="/tmp"))  # short: it holds sockets
    home = Home(root)
    home.prepare()
    yield home
    client.stop(home, timeout=20)
    shutil.rmtree(root)


@pytest.fixture
def watched(home: Home) -> Watched:
    return Watched(home)
