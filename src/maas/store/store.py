"""The store: one database, opened at the schema this code knows."""

from dataclasses import dataclass
from typing import Self

from maas.store.audit import Audit
from maas.store.database import Database
from maas.store.keys import Keys
from maas.store.ledger import Ledger
from maas.store.migrate import bring_up
from maas.store.usage import Usage


@dataclass(frozen=True)
class Store:
    """Calls block and may come from several threads at once; async code runs them in a thread."""

    database: Database
    keys: Keys
    ledger: Ledger
    usage: Usage
    audit: Audit

    @classmethod
    def open(cls, url: str) -> Self:
        """Migrates first if need be. Raises InvalidInput for a URL we can't use, else MaasError with the reason."""
        database = Database(url)
        try:
            bring_up(database)
        except BaseException:
            database.close()
            raise
        return cls(database, Keys(database), Ledger(database), Usage(database), Audit(database))

    def close(self) -> None:
        self.database.close()
