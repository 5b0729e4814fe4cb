"""What a database's failure means, in words its reader can act on.

SQLAlchemy asks us about every failure of the driver before it raises its own exception, so no caller needs a
try. What is not listed here stays SQLAlchemy's exception: it is a bug of ours, or a violated constraint that the
statement's author handles. Statements and parameters never appear in a message: they hold hashes.
"""

import sqlite3

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError

from maas.domain.errors import MaasError, Unavailable

_SQLITE = {
    sqlite3.SQLITE_PERM: "its file may not be accessed",
    sqlite3.SQLITE_BUSY: "another process keeps it locked",
    sqlite3.SQLITE_READONLY: "its file or folder may not be written",
    sqlite3.SQLITE_IOERR: "the disk failed or is full",
    sqlite3.SQLITE_CORRUPT: "its file is damaged: restore a backup, or move it away to start empty",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened: is the folder there, and may it be written?",
    sqlite3.SQLITE_PROTOCOL: "another process keeps it locked",
    sqlite3.SQLITE_NOTADB: "its file is not a SQLite database",
}
_POSTGRESQL = {
    "42501": "its user lacks a privilege",
    "25006": "it is read-only, as a standby is",
    "53100": "its disk is full",
}
_PRIMARY = 0xFF  # SQLite's extended codes carry the primary one in their lowest byte


def translate(engine: Engine, name: str) -> None:
    """Have every failure of the engine that its user can mend raised as Unavailable. name: what to call it."""

    @event.listens_for(engine, "handle_error")
    def explain(context: ExceptionContext) -> MaasError | None:
        if context.is_pre_ping:  # a dead connection is replaced, which is no failure
            return None
        reason = _reason(context)
        return None if reason is None else Unavailable(f"the database {name} failed: {reason}")


def _reason(context: ExceptionContext) -> str | None:
    error = context.original_exception
    if isinstance(error, sqlite3.Error):
        known = _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY)
        return f"{known} ({error})" if known else None
    known = _POSTGRESQL.get(getattr(error, "sqlstate", None) or "")
    if known is None and not isinstance(context.sqlalchemy_exception, OperationalError):
        return None
    first_line = str(error).partition("\n")[0]
    return f"{known} ({first_line})" if known else first_line
