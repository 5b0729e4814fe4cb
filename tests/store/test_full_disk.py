"""A full disk refuses what does not fit, as a whole, and harms nothing that is stored."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from maas.domain.errors import Unavailable
from maas.store import CounterRow, Store
from tests.store.samples import KEY, key, records

FULL = "the disk is full|the disk failed or is full"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no disk to fill: mounting a tmpfs needs root")
    yield place
    subprocess.run(["umount", place], check=True)


def test_what_was_settled_before_the_disk_was_full_is_kept(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"\0" * 200_000)
    with closing(Store.open(f"sqlite:///{small_disk}/maas.db")) as store:
        store.keys.insert(KEY, actor="test", at=1.0)
        settled = 0
        with pytest.raises(Unavailable, match=FULL):
            for settled in count():
                settle(store, settled)
        assert_settled(store, settled)
        with pytest.raises(Unavailable, match=FULL):
            for n in count():
                store.keys.insert(key(f"k{n}-{settled}"), actor="test", at=2.0)
        (small_disk / "ballast").unlink()
        settle(store, settled)
        assert_settled(store, settled + 1)


def test_no_store_is_opened_on_a_full_disk(small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        (small_disk / "ballast").write_bytes(b"\0" * 2_000_000)
    with pytest.raises(Unavailable, match=FULL):
        Store.open(f"sqlite:///{small_disk}/maas.db")
    (small_disk / "ballast").unlink()
    Store.open(f"sqlite:///{small_disk}/maas.db").close()


def test_a_database_that_may_not_grow_keeps_what_it_has(sqlite_url: str) -> None:
    with closing(Store.open(sqlite_url)) as store:
        settle(store, 0)
        with store.database.read() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")  # clipped to its present size
        with pytest.raises(Unavailable, match=FULL):
            settle(store, 1)
        assert_settled(store, 1)


def settle(store: Store, batch: int) -> None:
    counter = CounterRow("ann", "free", "requests", 60, 0.0, used=batch + 1)
    store.ledger.commit_settlements(records(100, prefix=f"{batch}-"), [counter], {"journal": str(batch + 1)})


def assert_settled(store: Store, batches: int) -> None:
    assert sum(1 for _ in store.usage.records()) == batches * 100
    assert [counter.used for counter in store.ledger.counters()] == [batches]
    assert store.ledger.marks() == {"journal": str(batches)}
