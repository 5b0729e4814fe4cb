"""Who opens or writes at the same time waits instead of failing; a changed key is on the disk when the call returns."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import Engine, event

from maas.domain.errors import Unavailable
from maas.store import Store, database
from tests.store.samples import RECORD, key

PATIENCE = 0.3  # seconds to wait for somebody who should not come


@contextmanager
def watching(watch: Callable[[str], None]) -> Iterator[None]:
    """Tells of each statement before it runs."""

    def before(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        watch(statement)

    event.listen(Engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", before)


def open_twice(url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        for store in pool.map(Store.open, [url, url]):
            store.close()


def test_only_one_migrates(empty_url: str) -> None:
    begun: list[int] = []
    overtaken = threading.Event()

    def hold(statement: str) -> None:
        if "CREATE TABLE keys" in statement:
            begun.append(threading.get_ident())
            if len(begun) > 1:
                overtaken.set()
                raise AssertionError("two migrate at once")
            overtaken.wait(PATIENCE)

    with watching(hold):
        open_twice(empty_url)
    assert len(begun) == 1


def test_a_file_is_prepared_by_one_at_a_time(sqlite_url: str) -> None:
    inside: list[int] = []
    disturbed = threading.Event()

    def hold(statement: str) -> None:
        inside.append(threading.get_ident())
        if inside[-1] != inside[0]:
            disturbed.set()
        if "journal_mode" in statement and inside[-1] == inside[0]:
            assert not disturbed.wait(PATIENCE)

    with watching(hold):
        open_twice(sqlite_url)
    assert len(set(inside)) == 2


def test_a_writer_that_reads_first_is_not_overtaken(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_MS", 20)
    with closing(Store.open(sqlite_url)) as one, closing(Store.open(sqlite_url)) as other:
        one.keys.insert(key("a"), actor="test", at=1.0)

        def overtake(statement: str) -> None:
            if statement.startswith("UPDATE keys"):
                with pytest.raises(Unavailable, match="locked"):
                    other.keys.insert(key("b"), actor="test", at=2.0)

        with watching(overtake):
            assert one.keys.revoke(["a"], actor="test", at=2.0) == {"a"}


def test_changes_of_keys_are_flushed_and_settlements_need_not_be(sqlite_url: str) -> None:
    with closing(Store.open(sqlite_url)) as store:
        statements: list[str] = []
        with watching(statements.append):
            store.keys.insert(key("a"), actor="test", at=1.0)
            assert "PRAGMA synchronous = FULL" in statements
            statements.clear()
            store.ledger.commit_settlements([RECORD])
            assert "PRAGMA synchronous = NORMAL" in statements
