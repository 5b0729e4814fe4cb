"""Keys at rest. They are looked up in memory; this is where that memory is loaded from and written through to."""

from collections.abc import Collection, Mapping
from dataclasses import fields

from sqlalchemy import Connection, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from maas.domain.errors import Conflict, NotFound
from maas.domain.keys import Key
from maas.store import audit
from maas.store.audit import AuditEntry
from maas.store.chunks import chunks
from maas.store.database import Database
from maas.store.tables import keys

_COLUMNS = dict(zip((field.name for field in fields(Key)), keys.c.keys(), strict=True))


class Keys:
    """Every change names its actor and its moment (seconds since the epoch), and is flushed before it returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Key]:
        """Revoked and expired ones too, the oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(select(keys).order_by(keys.c.created_at, keys.c.id))
            return [Key(*row) for row in rows]

    def insert(self, key: Key, *, actor: str, at: float) -> None:
        """Raises Conflict when the id or the value is taken."""
        with self._database.write(durable=True) as connection:
            _insert(connection, key)
            audit.write(connection, AuditEntry(at, actor, "key.create", key.id, _described(key)))

    def rotate(self, id: str, successor: Key, *, expires_at: float, actor: str, at: float) -> None:
        """The successor begins, and the old key ends at `expires_at` or its own expiry, whichever is first."""
        with self._database.write(durable=True) as connection:
            ends = _shorten(connection, id, expires_at)
            _insert(connection, successor)
            detail = {"successor": successor.id, "expires_at": _moment(ends)}
            audit.write(connection, AuditEntry(at, actor, "key.rotate", id, detail))

    def set_expiry(self, id: str, expires_at: float | None, *, actor: str, at: float) -> None:
        """None: never. Raises NotFound."""
        with self._database.write(durable=True) as connection:
            _set_expiry(connection, id, expires_at)
            audit.write(connection, AuditEntry(at, actor, "key.expiry", id, {"expires_at": _moment(expires_at)}))

    def revoke(self, ids: Collection[str], *, actor: str, at: float) -> frozenset[str]:
        """All or none; returns those that exist and were not revoked before."""
        with self._database.write(durable=True) as connection:
            revoked = sorted(id for some in chunks(sorted(ids)) for id in _revoke(connection, some, at))
            audit.write(connection, *(AuditEntry(at, actor, "key.revoke", id, {}) for id in revoked))
            return frozenset(revoked)

    def touch_last_used(self, last_used: Mapping[str, float]) -> None:
        with self._database.write() as connection:
            touch(connection, last_used)


def touch(connection: Connection, last_used: Mapping[str, float]) -> None:
    """Never moves a time back: batches may come out of order. Sorted, so that two writers cannot deadlock."""
    if last_used:
        older = or_(keys.c.last_used_at.is_(None), keys.c.last_used_at < bindparam("moment"))
        statement = update(keys).where(keys.c.id == bindparam("key"), older).values(last_used_at=bindparam("moment"))
        connection.execute(statement, [{"key": id, "moment": at} for id, at in sorted(last_used.items())])


def _insert(connection: Connection, key: Key) -> None:
    try:
        connection.execute(insert(keys), {column: getattr(key, field) for field, column in _COLUMNS.items()})
    except IntegrityError:
        raise Conflict("this key exists already") from None


def _set_expiry(connection: Connection, id: str, expires_at: float | None) -> None:
    if not connection.execute(update(keys).where(keys.c.id == id).values(expires_at=expires_at)).rowcount:
        raise NotFound(f"there is no key {id}")


def _shorten(connection: Connection, id: str, expires_at: float) -> float:
    current = connection.scalar(select(keys.c.expires_at).where(keys.c.id == id).with_for_update())
    ends = expires_at if current is None else min(current, expires_at)
    _set_expiry(connection, id, ends)
    return ends


def _revoke(connection: Connection, ids: Collection[str], at: float) -> list[str]:
    live = select(keys.c.id).where(keys.c.id.in_(ids), keys.c.revoked_at.is_(None)).order_by(keys.c.id)
    found = list(connection.scalars(live.with_for_update()))
    connection.execute(update(keys).where(keys.c.id.in_(found)).values(revoked_at=at))
    return found


def _described(key: Key) -> dict[str, str]:
    return {"user": key.user, "tier": key.tier, "name": key.name, "expires_at": _moment(key.expires_at)}


def _moment(at: float | None) -> str:
    return "never" if at is None else str(at)
