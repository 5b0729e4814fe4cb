"""Killed anywhere, the control plane comes back to the same sums: every admitted request is one record."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas.domain.admission import Admitted, Dialect, Request, decide
from maas.domain.errors import Unavailable
from maas.domain.keys import Key
from maas.domain.limits import Limit, Unit
from maas.domain.money import MOST, Price
from maas.domain.platform import Model, Platform, Tier
from maas.domain.usage import Outcome, Source
from maas.embedded import decisions
from maas.embedded.decisions import KEPT_SEGMENTS, Admission
from maas.embedded.home import Home
from maas.embedded.metering import Metering
from maas.store import Store
from maas.store.ledger import Ledger
from tests.postgres import Postgres, postgres

__all__ = ["postgres"]

REQUESTS, TOKENS = Limit(Unit.REQUESTS, 10**6, 10**6), Limit(Unit.TOKENS, 10**9, 10**6)
MODEL = Model("sim", "simulator", price=Price(3, 5))
PLATFORM = Platform({"sim": MODEL}, {"free": Tier("free", (REQUESTS, TOKENS))})
KEY = Key("key_1", b"h" * 32, "sk-maas-abcd...", "ann", "free", "", created_at=0.0)


@pytest.fixture(scope="module")
def empty_database() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder) / "maas.db"
        Store.open(f"sqlite:///{path}").close()
        yield path


@dataclass
class Life:
    """A control plane that can be killed: what it had not written is gone, the files stay."""

    home: Home
    url: str
    now: float = 1000.0
    asked: int = 0
    running: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.store = Store.open(self.url)
        self.metering = Metering(self.home, self.store, lambda: PLATFORM, lambda: self.now, segment_bytes=1000)

    def kill(self) -> None:
        self.metering.close()
        self.store.close()
        self.begin()

    def admit(self) -> None:
        self.asked, self.now = self.asked + 1, self.now + 1
        request = Request(f"r{self.asked}", Dialect.CHAT, "sim", stream=False, body_bytes=40, max_tokens=20)
        verdict = decide(request, KEY, PLATFORM, self.metering.counters, self.now)
        assert isinstance(verdict, Admitted)
        admission = Admission(request, KEY.id, "ann", "free", "sim@1", self.now, verdict.holds, MODEL.price)
        self.metering.admit(admission, {})
        self.running.append(request.id)

    def end(self, which: int) -> None:
        """As Envoy writes it."""
        self.now += 1
        id = self.running.pop(which % len(self.running))
        line = {"id": id, "start": str(self.now), "ms": 5, "status": 200, "sent": 100, "flags": "-", "cluster": "sim@1"}
        line |= {"prompt": 7, "completion": 11, "first_ms": 3}
        with self.home.access_log.open("ab") as file:
            file.write(orjson.dumps(line) + b"\n")

    def drain(self) -> None:
        while self.metering.drain():
            pass

    def commit(self) -> None:
        assert asyncio.run(self.metering.commit())

    def used(self, limit: Limit) -> int:
        return self.metering.counters.level("ann", "free", limit, self.now).used

    def trouble(self) -> str | None:
        return self.metering.trouble

    def reserved(self) -> int:
        return self.metering.counters.level("ann", "free", TOKENS, self.now).reserved


def new_life(folder: str, url: str) -> Life:
    home = Home(Path(folder))
    home.prepare()
    home.access_log.touch()
    return Life(home, url)


events = st.lists(
    st.one_of(
        st.just(("admit", 0)),
        st.just(("admit", 0)),
        st.tuples(st.just("end"), st.integers(0, 50)),
        st.sampled_from([("drain", 0), ("commit", 0), ("kill", 0)]),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events)
def test_every_admitted_request_is_one_record(empty_database: Path, history: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        shutil.copy(empty_database, database := Path(folder) / "maas.db")
        life = new_life(folder, f"sqlite:///{database}")
        ended = 0
        for what, which in history:
            if what == "admit":
                life.admit()
            elif what == "end" and life.running:
                life.end(which)
                ended += 1
            elif what in ("drain", "commit", "kill"):
                getattr(life, what)()
            assert life.used(REQUESTS) == life.asked, "a hit is counted when it is admitted, and never forgotten"
        life.drain()
        life.commit()
        records = list(life.store.usage.records())
        assert len({record.request_id for record in records}) == len(records) == ended
        assert sum(record.total_tokens for record in records) == life.used(TOKENS) == 18 * ended
        assert sum(record.cost for record in records) == (7 * 3 + 11 * 5) * ended
        assert life.reserved() == 60 * len(life.running)
        assert len(list(life.home.journal.glob("decisions-*"))) <= KEPT_SEGMENTS + 1
        life.kill()
        assert (life.used(TOKENS), life.reserved()) == (18 * ended, 60 * len(life.running))
        life.metering.close()
        life.store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Gives the URL of an empty database, each time another one."""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        yield server.new_database
        return
    template: Path = request.getfixturevalue("empty_database")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        numbers = itertools.count()
        yield lambda: f"sqlite:///{shutil.copy(template, Path(folder) / str(next(numbers)))}"


@pytest.fixture
def life(new_database: Callable[[], str]) -> Iterator[Life]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        life = new_life(folder, new_database())
        yield life
        life.metering.close()
        life.store.close()


def test_what_a_dead_gateway_had_under_way_is_charged_as_lost(life: Life) -> None:
    life.admit()
    life.admit()
    life.end(0)
    life.drain()
    assert life.metering.lose(before=life.now + 1) == 1
    life.commit()
    records = {record.request_id: record for record in life.store.usage.records()}
    assert records["r1"].outcome is Outcome.COMPLETE
    lost = records["r2"]
    assert (lost.outcome, lost.source) == (Outcome.LOST, Source.ESTIMATED)
    assert (lost.prompt_tokens, lost.completion_tokens) == (10, 20)
    assert life.reserved() == 0


def test_a_line_that_comes_twice_counts_once(life: Life) -> None:
    life.admit()
    life.end(0)
    content = life.home.access_log.read_bytes()
    with life.home.access_log.open("ab") as file:
        file.write(content)
    life.drain()
    life.commit()
    assert life.used(TOKENS) == 18


@pytest.mark.parametrize(("status", "flags"), [(503, "UAEX"), (0, "DC")])
def test_an_answer_that_nobody_waited_for_costs_nothing(life: Life, status: int, flags: str) -> None:
    """Envoy gave up, or the client did, while the question waited; the line is read before the question is answered."""
    line = {"id": "r1", "start": "1000.5", "ms": 2000, "status": status, "sent": 90, "flags": flags, "cluster": None}
    line |= {"prompt": None, "completion": None, "first_ms": None}
    with life.home.access_log.open("ab") as file:
        file.write(orjson.dumps(line) + b"\n")
    life.drain()
    life.admit()
    life.commit()
    assert life.reserved() == 0
    assert [record.total_tokens for record in life.store.usage.records()] == [0]


def test_no_renamed_log_is_passed_over(life: Life) -> None:
    """Killed with the database two renamings behind: what ended in between is found all the same."""
    for _ in range(2):
        life.admit()
        life.end(0)
        if older := list(life.home.journal.glob("access.log.*")):
            older[0].rename(life.home.access_log.with_name("access.log.2"))
        life.home.access_log.rename(life.home.access_log.with_name("access.log.1"))
        life.home.access_log.touch()
    life.admit()
    life.end(0)
    life.kill()
    life.drain()
    life.commit()
    assert len(list(life.store.usage.records())) == 3


def test_a_log_that_is_gone_is_no_end(life: Life) -> None:
    life.admit()
    life.commit()
    life.home.access_log.unlink()
    life.home.access_log.touch()
    life.end(0)
    life.kill()
    life.drain()
    assert life.reserved() == 0


def test_another_database_does_not_get_the_usage_of_this_one(life: Life, new_database: Callable[[], str]) -> None:
    life.admit()
    life.admit()
    life.end(0)
    life.drain()
    life.commit()
    life.metering.close()
    life.store.close()
    life.url = new_database()
    life.begin()
    life.drain()
    assert life.metering.lose(before=life.now + 1) == 0
    life.commit()
    assert list(life.store.usage.records()) == []
    life.asked, life.running = 10, []
    life.admit()
    life.kill()
    assert life.reserved() == 60, "and what is admitted from then on is remembered from its first moment"


def test_places_are_kept_although_nothing_settles(life: Life) -> None:
    """Refusals fill the log, too; its follower must not fall behind, nor read it all again."""
    with life.home.access_log.open("ab") as file:
        file.write(b'{"id": "refused", "status": 401}\n' * 1000)
    life.drain()
    life.commit()
    assert life.store.ledger.marks()["access_log"].endswith(f":{life.home.access_log.stat().st_size}")


def test_a_commit_that_is_cancelled_loses_nothing(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    life.admit()
    life.end(0)
    life.drain()

    async def cancelled() -> None:
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(None):
                task = asyncio.ensure_future(life.metering.commit())
                await asyncio.sleep(0)
                task.cancel()
                await task

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "commit_settlements", _no_space)
        asyncio.run(cancelled())
    life.commit()
    assert len(list(life.store.usage.records())) == 1


def test_torn_and_foreign_lines_are_passed_over(life: Life) -> None:
    life.admit()
    with life.home.access_log.open("ab") as file:
        file.write(b'{"id": "r1", "start"\nnot json\n[1]\n\xff\xfe\n{}\n')
    life.end(0)
    life.drain()
    assert life.used(TOKENS) == 18


def test_the_log_may_be_renamed_at_any_time(life: Life) -> None:
    for n in range(3):
        life.admit()
        life.end(0)
        if n == 1:
            life.drain()
        life.home.access_log.rename(life.home.access_log.with_name(f"access.log.{3 - n}"))
        life.home.access_log.touch()
        life.drain()
    life.commit()
    assert len(list(life.store.usage.records())) == 3


def test_a_decision_torn_by_a_crash_does_not_spoil_the_next(life: Life) -> None:
    life.admit()
    segment = next(life.home.journal.glob("decisions-*"))
    with segment.open("ab") as file:
        file.write(b'{"id": "half')
    life.kill()
    life.admit()
    life.kill()
    assert life.used(REQUESTS) == 2


def test_one_long_stream_does_not_keep_the_journal_alive(life: Life) -> None:
    """What is under way is repeated in each new segment, and old ones go; its hit is counted once all the same."""
    life.admit()
    for _ in range(5):
        life.admit()
        life.end(1)
    assert (told := decisions.find(life.home.journal, "r1")) and "carried" not in told
    for _ in range(55):
        life.admit()
        life.end(1)
        life.drain()
        life.commit()
        life.metering.refuse({"id": "x" * 100})
    assert len(list(life.home.journal.glob("decisions-*"))) <= KEPT_SEGMENTS + 1
    assert len(list(life.home.journal.glob("refusals-*"))) <= KEPT_SEGMENTS + 1
    life.kill()
    assert (life.used(REQUESTS), life.used(TOKENS), life.reserved()) == (61, 60 * 18, 60)
    life.end(0)
    life.drain()
    life.commit()
    assert len(list(life.store.usage.records())) == 61


def test_a_full_disk_lets_nothing_through(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """os.write takes a part of the line, as a full disk does; a real one is tests/platform/test_faults.py."""
    monkeypatch.setattr("maas.embedded.decisions.os.write", lambda file, data: 5)
    with pytest.raises(OSError, match="disk is full"):
        life.admit()
    assert life.used(REQUESTS) == 0
    assert life.reserved() == 0


def test_a_database_that_fails_is_tried_again_and_loses_nothing(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    life.admit()
    life.end(0)
    life.drain()
    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "commit_settlements", _no_space)
        assert not asyncio.run(life.metering.commit())
        assert life.trouble() == "no space"
    assert asyncio.run(life.metering.commit())
    assert life.trouble() is None
    assert len(list(life.store.usage.records())) == 1
    assert {row.used for row in life.store.ledger.counters()} == {1, 18}


def _no_space(*_: object) -> int:
    raise Unavailable("no space")


def test_a_cost_beyond_every_column_does_not_stop_the_ledger(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.metering.test_recovery.MODEL", Model("sim", "simulator", price=Price(10**18, 10**18)))
    for _ in range(2):
        life.admit()
        life.end(0)
    life.drain()
    life.commit()
    assert [record.cost for record in life.store.usage.records()] == [MOST, MOST]
