"""What was used, summed or record by record.

Sums are exact. SQLite fails on a sum beyond 64 bits and PostgreSQL answers with numeric, so both add the upper
and the lower 32 bits of each number apart, and Python's integers join them. Floats, or summing money that was
rounded before, would not agree with the invoice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, ColumnElement, Executable, func, literal_column, select, tuple_

from maas.domain.reports import By, UsageRow
from maas.domain.usage import Outcome, Source, UsageRecord
from maas.store.database import Database
from maas.store.tables import usage

_GROUPS: dict[By, Column[str]] = {
    By.USER: usage.c.user_name,
    By.MODEL: usage.c.model,
    By.TIER: usage.c.tier,
    By.KEY: usage.c.key_id,
}
_LOW_BITS = 32
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Requests that began in [since, until), and have these names. None: any."""

    since: float | None = None
    until: float | None = None
    user: str | None = None
    model: str | None = None
    tier: str | None = None
    key: str | None = None


class Usage:
    def __init__(self, database: Database) -> None:
        self._database = database

    def by(self, group: By, which: UsageFilter = UsageFilter()) -> list[UsageRow]:
        """A row for each name that occurs, those with the most tokens first."""
        with self._database.read() as connection:
            rows = [_usage_row(row) for row in connection.execute(summed(group, which))]
        return sorted(rows, key=lambda row: (-row.total_tokens, row.name))

    def records(self, which: UsageFilter = UsageFilter()) -> Iterator[UsageRecord]:
        """In order of their start, a page at a time: no transaction stays open while the reader dawdles."""
        page: Sequence[UsageRecord] = self._page(which, None)
        while page:
            yield from page
            page = self._page(which, page[-1])

    def _page(self, which: UsageFilter, last: UsageRecord | None) -> list[UsageRecord]:
        with self._database.read() as connection:
            return [UsageRecord(*row) for row in connection.execute(page_after(which, last))]


def summed(group: By, which: UsageFilter) -> Executable:
    name = _GROUPS[group]
    sums = [half for c in (usage.c.prompt_tokens, usage.c.completion_tokens, usage.c.cost) for half in _halves(c)]
    estimated = func.count().filter(usage.c.source == Source.ESTIMATED)
    failed = func.count().filter(usage.c.outcome.in_([Outcome.FAILED, Outcome.LOST]))
    return select(name, func.count(), estimated, failed, *sums).where(*_conditions(which)).group_by(name)


def page_after(which: UsageFilter, last: UsageRecord | None) -> Executable:
    position = tuple_(usage.c.started_at, usage.c.request_id)
    query = select(usage).where(*_conditions(which)).order_by(*position.clauses).limit(_PAGE)
    return query if last is None else query.where(position > (last.started_at, last.request_id))


def _conditions(which: UsageFilter) -> Iterator[ColumnElement[bool]]:
    if which.since is not None:
        yield usage.c.started_at >= which.since
    if which.until is not None:
        yield usage.c.started_at < which.until
    for group, column in _GROUPS.items():
        if (wanted := getattr(which, group)) is not None:
            yield column == wanted


def _halves(column: Column[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    low = column.bitwise_and((1 << _LOW_BITS) - 1)
    high = column.bitwise_rshift(literal_column(str(_LOW_BITS)))  # PostgreSQL shifts by an integer, not by a bigint
    return func.sum(high), func.sum(low)


def _usage_row(row: Sequence[Any]) -> UsageRow:
    name, requests, estimated, failed, *halves = row
    prompt, completion, cost = (_joined(*halves[i : i + 2]) for i in (0, 2, 4))
    return UsageRow(name, requests, prompt, completion, cost, estimated, failed)


def _joined(high: int | Decimal, low: int | Decimal) -> int:
    return (int(high) << _LOW_BITS) + int(low)
