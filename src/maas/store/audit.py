"""Who changed what. A change of a key and its entry here are one transaction: neither exists without the other.

Entries hold ids and names, never the value or the hash of a key.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from maas.store.database import Database
from maas.store.tables import audit


@dataclass(frozen=True, slots=True)
class AuditEntry:
    at: float
    actor: str
    action: str
    target: str
    detail: Mapping[str, str]


class Audit:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entry: AuditEntry) -> None:
        with self._database.write(durable=True) as connection:
            write(connection, entry)

    def trail(self, since: float | None = None, limit: int = 100) -> list[AuditEntry]:
        """The newest first."""
        query = select(audit.c.at, audit.c.actor, audit.c.action, audit.c.target, audit.c.detail)
        if since is not None:
            query = query.where(audit.c.at >= since)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(audit.c.at.desc(), audit.c.id.desc()).limit(limit))
            return [AuditEntry(*row) for row in rows]


def write(connection: Connection, *entries: AuditEntry) -> None:
    """Within the transaction of the change itself."""
    rows = [
        {"at": e.at, "actor": e.actor, "action": e.action, "target": e.target, "detail": dict(e.detail)}
        for e in entries
    ]
    if rows:
        connection.execute(insert(audit), rows)
