"""What the control plane does while answers are streamed: nothing, until one has ended."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from maas.embedded.written import Written
from tests.metering.test_recovery import Life, new_life

AGES = 60.0  # seconds; a test that waits so long has failed


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    life = new_life(str(tmp_path), f"sqlite:///{tmp_path}/maas.db")
    yield life
    life.metering.close()
    life.store.close()


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    written = Written(tmp_path / "access.log")
    yield written
    written.close()


def test_does_not_look_again_and_again_while_a_request_is_under_way(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model computes on the same cores. A load makes it look less often, so that this can't fail by one."""
    looks, drain = [0], life.metering.drain

    def counted() -> bool:
        looks[0] += 1
        return drain()

    monkeypatch.setattr(life.metering, "drain", counted)
    life.admit()
    with suppress(TimeoutError):
        asyncio.run(asyncio.wait_for(life.metering.follow(), 0.5))
    assert 1 <= looks[0] <= 5


@pytest.mark.parametrize("watched", [True, False])
def test_what_ends_settles(life: Life, monkeypatch: pytest.MonkeyPatch, watched: bool) -> None:
    async def ends() -> bool:
        following = asyncio.create_task(life.metering.follow())
        life.admit()
        asyncio.get_running_loop().call_later(0.02, life.end, 0)
        try:
            return await life.metering.settled("ann", AGES)
        finally:
            following.cancel()

    if not watched:
        monkeypatch.setattr(Written, "watch", lambda written: False)
    assert asyncio.run(ends())
    assert life.reserved() == 0


def test_is_woken_by_each_line(tmp_path: Path, written: Written) -> None:
    path = tmp_path / "access.log"
    path.touch()

    async def twice() -> None:
        assert written.watch()
        for _ in range(2):
            asyncio.get_running_loop().call_later(0.01, path.write_text, "a line\n")
            await asyncio.wait_for(written.again(AGES), AGES / 2)

    asyncio.run(twice())


def test_a_line_from_before_it_waits_is_not_missed(tmp_path: Path, written: Written) -> None:
    path = tmp_path / "access.log"
    path.touch()
    assert written.watch()
    path.write_text("a line\n")
    asyncio.run(asyncio.wait_for(written.again(AGES), AGES / 2))


def test_watches_the_file_that_took_the_name_of_one_renamed(tmp_path: Path, written: Written) -> None:
    path = tmp_path / "access.log"
    assert not written.watch()
    path.touch()
    assert written.watch()
    path.rename(tmp_path / "access.log.1")
    assert not written.watch()
    path.touch()
    assert written.watch()
    path.write_text("a line\n")
    asyncio.run(asyncio.wait_for(written.again(AGES), AGES / 2))


def test_waits_no_longer_than_it_is_told(tmp_path: Path, written: Written) -> None:
    (tmp_path / "access.log").touch()
    assert written.watch()
    asyncio.run(asyncio.wait_for(written.again(0.01), AGES))
