"""A request is charged once, however often its settlement is tried, and nothing is kept by halves."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from maas.domain.reports import By
from maas.domain.usage import Outcome, Source
from maas.store import CounterRow, Store, UsageFilter
from tests.store.samples import RECORD, clear, key, record, records

TOKENS = CounterRow("ann", "free", "tokens", 60, started_at=1000.125, used=30)


def test_a_record_comes_back_as_it_was_stored(store: Store) -> None:
    odd = record(
        "r2",
        stream=False,
        source=Source.ESTIMATED,
        outcome=Outcome.ABORTED,
        first_byte_ms=3,
        started_at=0.1 + 0.2,
        cost=2**63 - 1,
        prompt_tokens=2**63 - 1,
    )
    store.ledger.commit_settlements([RECORD, odd])
    assert store.ledger.record("r1") == RECORD
    assert store.ledger.record("r2") == odd
    assert store.ledger.record("r3") is None


def test_everything_of_a_settlement_is_stored(store: Store) -> None:
    store.keys.insert(key("k1"), actor="cli", at=1.0)
    new = store.ledger.commit_settlements([RECORD], [TOKENS], {"access.log": "1:4096"}, {"k1": 1000.5})
    assert new == 1
    assert store.ledger.counters() == [TOKENS]
    assert store.ledger.marks() == {"access.log": "1:4096"}
    assert store.keys.all()[0].last_used_at == 1000.5


def test_an_empty_settlement_is_none(store: Store) -> None:
    assert store.ledger.commit_settlements([], [], {}, {}) == 0


def test_counters_and_marks_are_replaced(store: Store) -> None:
    other = replace(TOKENS, seconds=3600)
    store.ledger.commit_settlements([], [TOKENS, other], {"a": "1", "b": "1"})
    newer = replace(TOKENS, started_at=1060.0, used=2**62)
    store.ledger.commit_settlements([], [newer], {"a": "2"})
    assert sorted(store.ledger.counters(), key=lambda c: c.seconds) == [newer, other]
    assert store.ledger.marks() == {"a": "2", "b": "1"}


def test_the_first_record_of_a_request_stays(store: Store) -> None:
    assert store.ledger.commit_settlements([RECORD, record("r1", cost=9), record("r2")]) == 2
    assert store.ledger.commit_settlements([record("r2", cost=9), record("r3")]) == 1
    assert [each.cost for each in store.usage.records()] == [7, 7, 7]


@given(batches=st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=6))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_however_batches_overlap_each_request_counts_once(store: Store, batches: list[list[int]]) -> None:
    clear(store)
    new = sum(store.ledger.commit_settlements([record(f"r{i}") for i in batch]) for batch in batches)
    wanted = {f"r{i}" for batch in batches for i in batch}
    assert {each.request_id for each in store.usage.records()} == wanted
    assert new == len(wanted)
    assert store.ledger.settled([f"r{i}" for i in range(40)]) == wanted


def test_thousands_of_requests_can_be_asked_about(store: Store) -> None:
    store.ledger.commit_settlements(records(2500))
    assert store.ledger.settled(f"r{i}" for i in range(2400, 5000)) == {f"r{i}" for i in range(2400, 2500)}
    assert store.ledger.settled([]) == set()


def test_a_settlement_that_fails_leaves_nothing(store: Store) -> None:
    too_much = replace(TOKENS, used=2**63)
    with pytest.raises((OverflowError, StatementError)):
        store.ledger.commit_settlements([RECORD], [TOKENS, replace(too_much, unit="money")], {"a": "1"})
    assert store.ledger.record("r1") is None
    assert store.ledger.counters() == []
    assert store.ledger.marks() == {}


def test_threads_and_another_process_may_settle_at_once(empty_url: str) -> None:
    with closing(Store.open(empty_url)) as one, closing(Store.open(empty_url)) as other:

        def settle(worker: int) -> int:
            chosen = (one, other)[worker % 2]
            return sum(
                chosen.ledger.commit_settlements([record(f"{worker}-{n}"), record(f"all-{n}")], [TOKENS], {"a": str(n)})
                for n in range(10)
            )

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(settle, range(6))) == 6 * 10 + 10
        assert one.usage.by(By.USER) == other.usage.by(By.USER)
        assert len(list(one.usage.records())) == 70


def test_old_records_are_dropped_in_batches(store: Store) -> None:
    store.ledger.commit_settlements(records(25))
    limit = RECORD.started_at + 20
    assert store.ledger.prune(limit, now=0.0, batch=7) == 20
    assert store.ledger.prune(limit, now=0.0, batch=7) == 0
    assert {each.request_id for each in store.usage.records()} == {f"r{i}" for i in range(20, 25)}
    assert store.usage.by(By.USER, UsageFilter(until=limit)) == []


def test_windows_that_have_ended_are_dropped(store: Store) -> None:
    lasting = replace(TOKENS, seconds=3600)
    store.ledger.commit_settlements([], [TOKENS, lasting])
    store.ledger.prune(0.0, now=TOKENS.started_at + 60)  # its last moment
    assert len(store.ledger.counters()) == 2
    store.ledger.prune(0.0, now=TOKENS.started_at + 60.001)
    assert store.ledger.counters() == [lasting]
