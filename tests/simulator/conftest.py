from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.simulator.running import Running


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def run(*flags: str, uds: Path | None = None) -> Running:
        started.append(Running(*flags, uds=uds))
        return started[-1]

    yield run
    for running in started:
        running.close()


@pytest.fixture(scope="session")
def _shared() -> Iterator[Running]:
    running = Running("--served-model-name", "sim", "alias")
    yield running
    running.close()


@pytest.fixture
def sim(_shared: Running) -> Iterator[Running]:
    """One process for all tests that can share it; changed settings are put back."""
    before = _shared.http.get("/admin/config").json()
    yield _shared
    now = _shared.http.get("/admin/config").json()
    assert _shared.post("/admin/config", {name: before[name] for name in now if now[name] != before[name]}).is_success
