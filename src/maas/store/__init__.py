"""What must survive a restart: keys (hashes), the usage ledger, counters, audit.

SQLite by default and PostgreSQL by URL, one code for both and one suite of tests run on both. Rows are never used
as hot counters: admission counts in memory, and what it counted is written here in batches.
"""

from maas.store.audit import AuditEntry
from maas.store.ledger import CounterRow
from maas.store.store import Store
from maas.store.usage import UsageFilter

__all__ = ["AuditEntry", "CounterRow", "Store", "UsageFilter"]
