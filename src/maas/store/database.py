"""Connections: short transactions, each either reading or writing.

SQLite takes one writer at a time. A transaction that reads first and writes later may find that another one wrote
in between, and no waiting helps it; so writers say so when they begin (BEGIN IMMEDIATE). Threads of one process
queue at a lock, because SQLite's own waiting is sleeping and retrying, which is slow and unfair.

In WAL mode with synchronous=NORMAL a commit survives kill -9 but perhaps not a power failure. For the ledger that
is enough: the journal's position is rolled back with it. Changes of keys are flushed before they return (`durable`),
for a revoked key must never come back.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.engine.interfaces import DBAPIConnection

from maas.domain.errors import InvalidInput
from maas.store import failures, urls

_BUSY_MS = 10_000  # how long another process may hold the write lock before we give up
_CHECKPOINT_PAGES = 4000  # 16 MB; four times SQLite's default makes settling a fifth cheaper
_POSTGRESQL_DEFAULTS = {
    "application_name": "maas",
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 10,  # seconds; the kernel's two hours would keep a thread waiting for a host that is gone
    "tcp_user_timeout": 15_000,  # ms
}
_START = "maas_start"  # the execution option that says how a transaction of SQLite starts
_READING = ("BEGIN",)
_WRITING = ("PRAGMA synchronous = NORMAL", "BEGIN IMMEDIATE")
_FLUSHED = ("PRAGMA synchronous = FULL", "BEGIN IMMEDIATE")
_SWITCH_TO_WAL = ("PRAGMA journal_mode = WAL", "BEGIN")


class Database:
    """An engine that several threads may use, and what differs between the two dialects."""

    def __init__(self, url: str) -> None:
        parsed = urls.parse(url)
        self.name = urls.shown(parsed)
        self.path = parsed.database if parsed.get_backend_name() == "sqlite" else None
        self._engine = _sqlite(parsed) if self.path else _postgresql(parsed)
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.path else nullcontext()
        failures.translate(self._engine, self.name)
        self.insert = _insert_of(parsed.get_backend_name())

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Connection]:
        """One transaction: committed as a whole when the block ends, undone when it raises."""
        with self._started(_FLUSHED if durable else _WRITING) as connection:
            yield connection

    def use_wal(self) -> None:
        """SQLite only. WAL is a property of the file, but a restored backup may have lost it."""
        with self._started(_SWITCH_TO_WAL):
            pass

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _started(self, how: Sequence[str]) -> Iterator[Connection]:
        with self._turn, self._engine.execution_options(**{_START: how}).begin() as connection:
            yield connection


def _insert_of(backend: str) -> Callable[[Table], Insert]:
    """The backend's INSERT that knows ON CONFLICT. Only its own dialect is loaded: the other costs 0.1 s."""
    statement: Callable[[Table], Insert] = import_module(f"sqlalchemy.dialects.{backend}").insert
    return statement


def _postgresql(url: URL) -> Engine:
    defaults = {name: value for name, value in _POSTGRESQL_DEFAULTS.items() if name not in url.query}
    try:
        return create_engine(url, connect_args=defaults, pool_pre_ping=True, hide_parameters=True)
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
    cursor.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    for statement in connection.get_execution_options().get(_START, _READING):
        connection.exec_driver_sql(statement)
