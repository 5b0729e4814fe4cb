"""Keys and records to store, and a way to forget them."""

from dataclasses import replace
from typing import Any

from sqlalchemy import delete

from maas.domain.keys import Key
from maas.domain.usage import Outcome, Source, UsageRecord
from maas.store import Store, tables

KEY = Key("k1", b"\0" * 32, "sk-maas-abcd...", "ann", "free", "laptop", created_at=100.0)
RECORD = UsageRecord(
    request_id="r1",
    key_id="k1",
    user="ann",
    tier="free",
    model="llama",
    dialect="chat",
    stream=True,
    prompt_tokens=10,
    completion_tokens=20,
    source=Source.REPORTED,
    outcome=Outcome.COMPLETE,
    status=200,
    started_at=1000.5,
    duration_ms=40,
    first_byte_ms=None,
    cost=7,
)


def key(id: str, **changes: Any) -> Key:
    return replace(KEY, **{"id": id, "hash": id.encode().ljust(32, b"\xff"), **changes})


def record(request_id: str, **changes: Any) -> UsageRecord:
    return replace(RECORD, request_id=request_id, **changes)


def records(count: int, prefix: str = "r") -> list[UsageRecord]:
    """A second apart, from RECORD's start."""
    return [record(f"{prefix}{i}", started_at=RECORD.started_at + i) for i in range(count)]


def clear(store: Store) -> None:
    with store.database.write() as connection:
        for table in tables.metadata.sorted_tables:
            connection.execute(delete(table))
