"""Usage is the exact sum of the records, whatever it is grouped by, and is found without reading everything."""

from collections import defaultdict
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Executable, event

from maas.domain.reports import By, UsageRow
from maas.domain.usage import Outcome, Source, UsageRecord
from maas.store import Store, UsageFilter
from maas.store.usage import page_after, summed
from tests.store.samples import RECORD, clear, record, records

NAMES = st.sampled_from(["ann", "bob", "ümit"])
AMOUNTS = st.integers(0, 2**63 - 1) | st.integers(0, 100)
TIMES = st.floats(0, 10)
RECORDS = st.lists(
    st.builds(
        record,
        st.uuids().map(str),
        user=NAMES,
        model=NAMES,
        tier=NAMES,
        key_id=NAMES,
        prompt_tokens=AMOUNTS,
        completion_tokens=AMOUNTS,
        cost=AMOUNTS,
        started_at=TIMES,
        source=st.sampled_from(Source),
        outcome=st.sampled_from(Outcome),
    ),
    max_size=20,
)
ANY = st.none()
FILTERS = st.builds(
    UsageFilter,
    since=ANY | TIMES,
    until=ANY | TIMES,
    user=ANY | NAMES,
    model=ANY | NAMES,
    tier=ANY | NAMES,
    key=ANY | NAMES,
)
GROUPS: st.SearchStrategy[By] = st.sampled_from(By)
examples = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def chosen(stored: list[UsageRecord], which: UsageFilter) -> list[UsageRecord]:
    wanted = {"user": which.user, "model": which.model, "tier": which.tier, "key_id": which.key}
    return [
        each
        for each in stored
        if (which.since is None or each.started_at >= which.since)
        and (which.until is None or each.started_at < which.until)
        and all(name is None or getattr(each, field) == name for field, name in wanted.items())
    ]


def added(stored: list[UsageRecord], by: By) -> list[UsageRow]:
    groups: dict[str, list[UsageRecord]] = defaultdict(list)
    for each in stored:
        groups[getattr(each, "key_id" if by == "key" else by)].append(each)
    rows = [
        UsageRow(
            name,
            requests=len(group),
            prompt_tokens=sum(r.prompt_tokens for r in group),
            completion_tokens=sum(r.completion_tokens for r in group),
            cost=sum(r.cost for r in group),
            estimated=sum(r.source is Source.ESTIMATED for r in group),
            failed=sum(r.outcome in (Outcome.FAILED, Outcome.LOST) for r in group),
        )
        for name, group in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row.total_tokens, row.name))


@given(stored=RECORDS, which=FILTERS, by=GROUPS)
@examples
def test_usage_is_the_sum_of_its_records(store: Store, stored: list[UsageRecord], which: UsageFilter, by: By) -> None:
    clear(store)
    store.ledger.commit_settlements(stored)
    rows = store.usage.by(by, which)
    assert rows == added(chosen(stored, which), by)
    assert all(type(number) is int for row in rows for number in (row.cost, row.prompt_tokens, row.requests))
    assert sum(row.cost for row in rows) == sum(r.cost for r in chosen(stored, which))


@given(stored=RECORDS, which=FILTERS)
@examples
def test_records_come_in_order_of_time(store: Store, stored: list[UsageRecord], which: UsageFilter) -> None:
    clear(store)
    store.ledger.commit_settlements(stored)
    wanted = sorted(chosen(stored, which), key=lambda r: (r.started_at, r.request_id))
    assert list(store.usage.records(which)) == wanted


def test_no_usage_is_no_rows(store: Store) -> None:
    assert store.usage.by(By.USER) == []


def test_more_records_than_a_page_come_out_whole(store: Store) -> None:
    same_moment = [record(f"r{i:04}") for i in range(2500)]
    store.ledger.commit_settlements(same_moment[::-1])
    assert list(store.usage.records()) == same_moment


def test_an_export_leaves_no_transaction_open(store: Store) -> None:
    store.ledger.commit_settlements(records(1500))
    export = store.usage.records()
    next(export)
    assert store.ledger.prune(RECORD.started_at + 1400, now=0.0) == 1400  # in the middle of it
    assert sum(1 for _ in export) == 999 + 100


@pytest.mark.parametrize(
    ("which", "index"),
    [
        (UsageFilter(since=5.0), "usage_by_time (started_at>?)"),
        (UsageFilter(since=5.0, until=9.0), "usage_by_time (started_at>? AND started_at<?)"),
        (UsageFilter(user="ann"), "usage_by_user (user_name=?)"),
        (UsageFilter(since=5.0, user="ann"), "usage_by_user (user_name=? AND started_at>?)"),
        (UsageFilter(since=5.0, model="llama"), "usage_by_time (started_at>?)"),
    ],
)
def test_usage_of_a_time_or_a_user_reads_only_that(sqlite_url: str, which: UsageFilter, index: str) -> None:
    assert f"SEARCH usage USING INDEX {index}" in plan(sqlite_url, summed(By.MODEL, which))


def test_a_page_of_records_begins_where_the_last_one_ended(sqlite_url: str) -> None:
    assert "SEARCH usage USING INDEX usage_by_time (started_at>?)" in plan(
        sqlite_url, page_after(UsageFilter(), RECORD)
    )


def plan(url: str, query: Executable) -> str:
    with closing(Store.open(url)) as store, store.database.read() as connection:
        seen: list[tuple[str, Any]] = []
        event.listen(
            connection, "before_cursor_execute", lambda _c, _cursor, sql, values, *_: seen.append((sql, values))
        )
        connection.execute(query)
        sql, values = seen.pop()
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        return "\n".join(row.detail for row in rows)
