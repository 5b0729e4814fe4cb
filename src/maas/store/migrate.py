"""Brings a database to the schema this code knows, and never back.

A database at HEAD costs one query. Alembic, whose import takes longer than the rest of the start, is loaded only
when there is something to migrate. One transaction holds all steps, so a failed migration changes nothing; a
lock lets one process migrate while others wait and then find nothing left to do.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from maas.domain.errors import Conflict, MaasError, Unavailable
from maas.store import tables
from maas.store.database import Database

HEAD = "0001"
_VERSION_TABLE = "alembic_version"
_SCRIPTS = Path(__file__).with_name("migrations")
_LOCK_ID = 0x6D616173  # "maas": PostgreSQL's advisory locks are numbers


def bring_up(database: Database) -> None:
    """Raises MaasError when the database is newer than the code, somebody else's, or cannot be used."""
    if database.path is None:
        _migrate(database)
    else:
        _bring_up_file(database, Path(database.path))
    _require_writable(database)


def _bring_up_file(database: Database, path: Path) -> None:
    try:
        with _locked(path.parent):
            _create(path)
            _migrate(database)
            database.use_wal()
            _close_to_others(path)
    except OSError as error:
        raise Unavailable(f"the database {database.name} cannot be opened: {error.strerror}") from error


def _migrate(database: Database) -> None:
    with database.read() as connection:
        if _revision(connection, database.name) == HEAD:
            return
    with database.write(durable=True) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK_ID})
        current = _revision(connection, database.name)  # another process may have been quicker
        if current != HEAD:
            _upgrade(connection, current, database.name)


def _require_writable(database: Database) -> None:
    """A standby or a file of somebody else's can be read, but nothing settled: say so now, not on the first request.

    BEGIN IMMEDIATE proves nothing: SQLite makes it a reading transaction if it has to.
    """
    with database.write() as connection:
        connection.execute(text(f"UPDATE {_VERSION_TABLE} SET version_num = version_num WHERE 1 = 0"))


def _revision(connection: Connection, name: str) -> str | None:
    """None for a database without our tables."""
    present = set(inspect(connection).get_table_names())
    if _VERSION_TABLE in present:
        found: str | None = connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}"))
        return found
    if foreign := sorted(present & set(tables.metadata.tables)):
        raise Conflict(f"the database {name} has tables that maas did not make: {', '.join(foreign)}")
    return None


def _upgrade(connection: Connection, current: str | None, name: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise MaasError(
            f"the database {name} is at schema {current}, which this version of maas does not know: "
            "a newer version has used it. Nothing was changed; install that version again, or restore a backup"
        )
    command.upgrade(config, "head")


def _create(path: Path) -> None:
    """Never readable by others, not even for a moment."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _close_to_others(path: Path) -> None:
    """Only now that the file is known to be ours. SQLite gives its helpers the file's mode when it makes them."""
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if file.exists() and file.stat().st_mode & 0o077:
            file.chmod(0o600)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """SQLite waits for its locks except when it switches to WAL: one opening in 400 failed there without this.

    Held on the folder: closing a second descriptor of the file would drop the locks SQLite has on it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
