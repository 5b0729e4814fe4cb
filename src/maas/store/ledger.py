"""Records, counters and journal positions, changed together or not at all.

This one transaction is what makes settling exactly-once: the journal is read again from the last position that
was committed, and whatever was committed with it is not counted twice. Writing the position to a file of its own
was rejected: between two files there is always a moment to be killed in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from operator import attrgetter

from sqlalchemy import Connection, Table, delete, select

from maas.domain.usage import UsageRecord
from maas.store import tables
from maas.store.chunks import chunks
from maas.store.database import Database
from maas.store.keys import touch


@dataclass(frozen=True, slots=True)
class CounterRow:
    """How much a user has used of one limit in the window that began at started_at, and lasts `seconds`."""

    user: str
    tier: str
    unit: str
    seconds: int
    started_at: float
    used: int


_RECORD = attrgetter(*(field.name for field in fields(UsageRecord)))
_COUNTER = attrgetter(*(field.name for field in fields(CounterRow)))


class Ledger:
    def __init__(self, database: Database) -> None:
        self._database = database

    def commit_settlements(
        self,
        records: Sequence[UsageRecord],
        counters: Sequence[CounterRow] = (),
        marks: Mapping[str, str] | None = None,
        last_used: Mapping[str, float] | None = None,
    ) -> int:
        """Returns how many records are new. Counters and marks are replaced; last_used maps key ids to times."""
        with self._database.write() as connection:
            new = self._insert_new(connection, records)
            self._replace(connection, tables.counters, sorted(map(_COUNTER, counters)))
            self._replace(connection, tables.marks, sorted((marks or {}).items()))
            touch(connection, last_used or {})
            return new

    def counters(self) -> list[CounterRow]:
        with self._database.read() as connection:
            return [CounterRow(*row) for row in connection.execute(select(tables.counters))]

    def marks(self) -> dict[str, str]:
        with self._database.read() as connection:
            return {row.name: row.value for row in connection.execute(select(tables.marks))}

    def record(self, request_id: str) -> UsageRecord | None:
        with self._database.read() as connection:
            row = connection.execute(select(tables.usage).where(tables.usage.c.request_id == request_id)).one_or_none()
            return None if row is None else UsageRecord(*row)

    def settled(self, request_ids: Iterable[str]) -> set[str]:
        """Those of the requests that have a record already."""
        ids = tables.usage.c.request_id
        with self._database.read() as connection:
            found = (connection.scalars(select(ids).where(ids.in_(some))) for some in chunks(list(request_ids)))
            return set(chain.from_iterable(found))

    def prune(self, before: float, *, now: float, batch: int = 1000) -> int:
        """Drop windows that have ended, and records that began earlier than `before`; returns how many records.

        A transaction per batch, so that settling never waits long.
        """
        with self._database.write() as connection:
            ended = tables.counters.c.started_at + tables.counters.c.seconds < now
            connection.execute(delete(tables.counters).where(ended))
        dropped = 0
        while count := self._prune_batch(before, batch):
            dropped += count
        return dropped

    def _prune_batch(self, before: float, batch: int) -> int:
        ids, started_at = tables.usage.c.request_id, tables.usage.c.started_at
        old = select(ids).where(started_at < before).order_by(started_at).limit(batch)
        with self._database.write() as connection:
            return connection.execute(delete(tables.usage).where(ids.in_(old))).rowcount

    def _insert_new(self, connection: Connection, records: Sequence[UsageRecord]) -> int:
        if not records:
            return 0
        statement = self._database.insert(tables.usage).on_conflict_do_nothing()
        rows = [dict(zip(tables.usage.c.keys(), _RECORD(record), strict=True)) for record in records]
        return connection.execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount

    def _replace(self, connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        """Sorted rows, so that two writers take their locks in the same order."""
        if not rows:
            return
        statement = self._database.insert(table)
        values = {c.name: statement.excluded[c.name] for c in table.c if not c.primary_key}
        upsert = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)
        connection.execute(upsert, [dict(zip(table.c.keys(), row, strict=True)) for row in rows])
