"""Connections: short transactions, each either reading or writing.

SQLite takes one writer at a time. A transaction that reads first and writes later may find that another one wrote
in between, and no waiting helps it; so writers say so when they begin (BEGIN IMMEDIATE). Threads of one process
queue at a lock, because SQLite's own waiting is sleeping and retrying, which is slow and unfair.

In WAL mode with synchronous=NORMAL a commit survives kill -9 but perhaps not a power failure. For the ledger that
is enough: the journal's position is rolled back with it. Changes of keys are flushed before they return (`durable`),
for a revoked key must never come back.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection

from maas.domain.errors import InvalidInput
from maas.store import failures, urls

_BUSY_MS = 10_000  # how long another process may hold the write lock before we give up
_CONNECT_SECONDS = 5
_WRITE, _DURABLE = "maas_write", "maas_durable"


class Database:
    """An engine that several threads may use, and what differs between the two dialects."""

    def __init__(self, url: str) -> None:
        parsed = urls.parse(url)
        self.name = urls.shown(parsed)
        self.path = parsed.database if parsed.get_backend_name() == "sqlite" else None
        self._engine = _sqlite(parsed) if self.path else _postgresql(parsed)
        self._writer = self._engine.execution_options(**{_WRITE: True})
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.path else nullcontext()
        failures.translate(self._engine, self.name)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Connection]:
        """One transaction: committed as a whole when the block ends, undone when it raises."""
        with self._turn, self._writer.execution_options(**{_DURABLE: durable}).begin() as connection:
            yield connection

    def insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """An INSERT that knows ON CONFLICT."""
        return sqlite.insert(table) if self.path else postgresql.insert(table)

    def use_wal(self) -> None:
        """Remembered by the file; cannot be set within a transaction."""
        connection = self._engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()

    def close(self) -> None:
        self._engine.dispose()


def _postgresql(url: URL) -> Engine:
    settings = {"application_name": "maas", "connect_timeout": _CONNECT_SECONDS} | dict(url.query)
    try:
        return create_engine(url.set(query={}), connect_args=settings, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise InvalidInput(f"PostgreSQL needs {error.name}: pip install 'maas[postgresql]'") from None


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late, and not before DDL
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(_WRITE):
        connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if options.get(_DURABLE) else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITE) else "BEGIN")
