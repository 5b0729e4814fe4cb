"""A database that cannot be used is refused with one sentence that says why, and never a password."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from maas.domain.errors import InvalidInput, MaasError, Unavailable
from maas.store import Store, database
from tests.postgres import Postgres
from tests.store.samples import KEY, records

NOBODY = 65534


def refusal(url: str) -> str:
    with pytest.raises(MaasError) as caught:
        Store.open(url)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """File permissions do not bind root, so be somebody else to whom the folder belongs."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    for parent in folder.parents[:-2]:  # pytest's own folders are closed
        parent.chmod(0o711)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    "url",
    [
        "topsecret",
        "mysql://ann:topsecret@localhost/maas",
        "postgresql://ann:top@topsecret:x@localhost:port/maas",
        "postgresql://ann:x@localhost:topsecret/maas",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:topsecret?mode=memory&uri=true",
    ],
)
def test_a_url_that_means_no_database_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Store.open(url)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize("query", ["", "&password=topsecret", "&sslpassword=topsecret&options=topsecret"])
def test_passwords_are_not_shown(query: str) -> None:
    message = refusal(f"postgresql://ann:topsecret@127.0.0.1:1/maas?connect_timeout=3{query}")
    assert "postgresql://ann:***@127.0.0.1:1/maas failed" in message
    assert "refused" in message
    assert "topsecret" not in message


def test_a_wrong_password_is_told(postgres: Postgres) -> None:
    assert "password authentication failed" in refusal(postgres.url(password="topsecret"))


def test_a_missing_database_is_told(postgres: Postgres) -> None:
    assert 'database "nowhere" does not exist' in refusal(postgres.url("nowhere"))


def test_a_read_only_postgresql_is_refused(postgres: Postgres) -> None:
    url = postgres.new_database()
    Store.open(url).close()
    postgres.execute(f'ALTER DATABASE "{postgres.name_in(url)}" SET default_transaction_read_only = on')
    assert "it is read-only, as a standby is" in refusal(url)


def test_a_user_without_privileges_is_told(postgres: Postgres) -> None:
    postgres.execute(f"CREATE ROLE guest LOGIN PASSWORD '{postgres.password}'")
    url = postgres.new_database()
    assert "its user lacks a privilege" in refusal(url.replace("maas:", "guest:"))


def test_a_connection_that_died_is_replaced(postgres: Postgres) -> None:
    with closing(Store.open(postgres.new_database())) as store:
        postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'maas'")
        store.keys.insert(KEY, actor="test", at=1.0)
        assert store.keys.all() == [KEY]


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("buy milk\n" * 100)
    file.chmod(0o644)
    assert "not a SQLite database" in refusal(f"sqlite:///{file}")
    assert file.read_text() == "buy milk\n" * 100
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_folder_is_no_database_and_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert "cannot be opened" in refusal(f"sqlite:///{tmp_path}")
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    assert refusal(f"sqlite:///{tmp_path}/gone/maas.db").endswith("cannot be opened: No such file or directory")


def test_a_damaged_file_is_told(tmp_path: Path, sqlite_url: str) -> None:
    with closing(Store.open(sqlite_url)) as store:
        store.ledger.commit_settlements(records(2000))
    file = tmp_path / "maas.db"
    content = file.read_bytes()
    file.write_bytes(content[: 4096 * 12] + b"\xff" * (len(content) - 4096 * 12))
    with closing(Store.open(sqlite_url)) as store, pytest.raises(Unavailable, match="damaged: restore a backup"):
        list(store.usage.records())


def test_only_its_owner_reads_the_file(tmp_path: Path, sqlite_url: str) -> None:
    Store.open(sqlite_url).close()
    (tmp_path / "maas.db").chmod(0o644)  # as a restored backup may be
    with closing(Store.open(sqlite_url)) as store:
        store.keys.insert(KEY, actor="test", at=1.0)
        assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {
            "maas.db": 0o600,
            "maas.db-wal": 0o600,
            "maas.db-shm": 0o600,
        }


@pytest.mark.parametrize(("file", "folder"), [(0o400, 0o700), (0o400, 0o500), (0o600, 0o500)])
def test_a_file_that_may_not_be_written_is_refused(tmp_path: Path, file: int, folder: int) -> None:
    place = tmp_path / "place"
    place.mkdir()
    url = f"sqlite:///{place}/maas.db"
    Store.open(url).close()
    with unprivileged(place):
        (place / "maas.db").chmod(file)
        place.chmod(folder)
        assert "may not be written" in refusal(url) or "cannot be opened" in refusal(url)
        place.chmod(0o700)


def test_somebody_elses_file_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    Store.open(f"sqlite:///{place}/maas.db").close()
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    with unprivileged(tmp_path):
        assert "cannot be opened" in refusal(f"sqlite:///{place}/maas.db")


def test_a_file_that_another_process_keeps_locked_is_told(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_MS", 20)
    with closing(Store.open(sqlite_url)) as store, closing(sqlite3.connect(tmp_path / "maas.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="another process keeps it locked"):
            store.keys.insert(KEY, actor="test", at=1.0)
        assert store.keys.all() == []  # reading goes on
        other.rollback()
        store.keys.insert(KEY, actor="test", at=1.0)
