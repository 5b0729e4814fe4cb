"""The tables, as the code sees them; migrations/ says how a database gets there.

SQLAlchemy Core without the ORM: rows become the domain's frozen dataclasses, and the only writer of a counter is
the control plane's memory, so identity maps and unit-of-work flushing would be cost without use. Columns stand in
the order of their dataclass's fields, so that a row *is* the constructor's arguments.

Nothing references anything: the ledger must take the record of a key that is long gone.
"""

from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Enum,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect

from maas.domain.usage import Outcome, Source


class Plain(TypeDecorator[str]):
    """Text that every database can hold: NUL (PostgreSQL has none) and lone surrogates become marks (U+FFFD, ?).

    Refusing them was rejected: one odd record would keep the whole journal from being settled, for ever.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class Names(TypeDecorator[frozenset[str]]):
    """A set of names as a sorted JSON list; None, which is no set at all, as NULL."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> list[str] | None:
        return None if value is None else sorted(value)

    def process_result_value(self, value: list[str] | None, dialect: Dialect) -> frozenset[str] | None:
        return None if value is None else frozenset(value)


def _word(words: type[StrEnum]) -> Enum:
    """One of some words, kept as text: a native enum of PostgreSQL would need a migration for every new word."""
    return Enum(words, native_enum=False, length=16, values_callable=lambda members: [m.value for m in members])


metadata = MetaData()

keys = Table(
    "keys",
    metadata,
    Column("id", Plain, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("prefix", Plain, nullable=False),
    Column("user_name", Plain, nullable=False),  # "user" alone means the database's own user in PostgreSQL
    Column("tier", Plain, nullable=False),
    Column("name", Plain, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
    Column("last_used_at", Double),
    Column("models", Names),
    Column("description", Plain, nullable=False),
)

usage = Table(
    "usage",
    metadata,
    Column("request_id", Plain, primary_key=True),
    Column("key_id", Plain, nullable=False),
    Column("user_name", Plain, nullable=False),
    Column("tier", Plain, nullable=False),
    Column("model", Plain, nullable=False),
    Column("dialect", Plain, nullable=False),
    Column("stream", Boolean, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("source", _word(Source), nullable=False),
    Column("outcome", _word(Outcome), nullable=False),
    Column("status", Integer, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("first_byte_ms", BigInteger),
    Column("cost", BigInteger, nullable=False),
    Index("usage_by_time", "started_at"),  # every index costs 10 µs a record, so keys and models have none
    Index("usage_by_user", "user_name", "started_at"),
)

counters = Table(
    "counters",
    metadata,
    Column("user_name", Plain, primary_key=True),
    Column("tier", Plain, primary_key=True),
    Column("unit", Plain, primary_key=True),
    Column("seconds", BigInteger, primary_key=True, autoincrement=False),
    Column("started_at", Double, nullable=False),
    Column("used", BigInteger, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("name", Plain, primary_key=True),
    Column("value", Plain, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Double, nullable=False),
    Column("actor", Plain, nullable=False),
    Column("action", Plain, nullable=False),
    Column("target", Plain, nullable=False),
    Column("detail", JSON, nullable=False),
    Index("audit_by_time", "at"),
)
