"""Every test that takes `store` or `empty_url` runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from maas.store import Store
from tests.postgres import Postgres, postgres
from tests.store.samples import clear

__all__ = ["postgres"]

DIALECTS = ["sqlite", "postgresql"]


@pytest.fixture(scope="session", params=DIALECTS)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with closing(Store.open(_url(request, tmp_path_factory.mktemp("store")))) as store:
        yield store


@pytest.fixture
def store(opened: Store) -> Store:
    """Empty, at the newest schema."""
    clear(opened)
    return opened


@pytest.fixture(params=DIALECTS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database that nobody has opened yet."""
    return _url(request, tmp_path)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/maas.db"


def _url(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder}/maas.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()
