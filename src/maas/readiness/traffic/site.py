"""What live validation needs of a platform, wherever it runs: an address, tiers, and keys that live for minutes.

Two kinds fit here: the platform on this machine (embedded_site.py) and one on a cluster (cluster_site.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

PREFIX = "maas-validate-"  # of the owners and names of temporary keys, so that a later run knows them
KEY_LIFE = 600.0  # seconds, after which a key that a killed run left may be removed by anybody


class Unit(StrEnum):
    requests = "requests"
    tokens = "tokens"


@dataclass(frozen=True)
class Limit:
    """At most `amount` per window of `seconds`, for each user of the tier.

    shared: it is counted for all users together; to reach it would lock them out.
    """

    unit: Unit
    amount: int
    seconds: float
    shared: bool = False

    def __str__(self) -> str:
        return f"{self.amount} {self.unit} per {self.seconds:g} s"


@dataclass(frozen=True)
class Tier:
    """models: the names its keys may call; None allows all, or it is not known."""

    name: str
    limits: tuple[Limit, ...] = ()
    models: frozenset[str] | None = None


@dataclass(frozen=True)
class Endpoint:
    """Where clients call: `base` + "/v1/models".

    host: the name to ask for when `base` has an address in its place. trust: whose certificates to believe, beside
    those that this machine believes; None for no others.
    """

    base: str
    host: str = ""
    trust: Path | None = None

    def __str__(self) -> str:
        return f"{self.base} (as {self.host})" if self.host else self.base

    @property
    def is_secure(self) -> bool:
        return self.base.startswith("https://")


@dataclass(frozen=True)
class Key:
    """id: what withdraws it. value: never shown."""

    id: str
    tier: str
    user: str
    value: str = field(repr=False)


class Site(Protocol):
    """Raises MaasError where the platform's own administration does not do what is asked."""

    described: str
    revokes_within: float  # seconds that a revoked key may go on working without anybody needing to worry

    async def endpoints(self) -> Sequence[Endpoint]:
        """Best first. Those that answer nothing are left out by who calls."""

    async def tiers(self) -> Sequence[Tier]: ...

    async def make_key(self, tier: str, purpose: str) -> Key:
        """A key of a new user, so that nobody's quota is touched."""

    async def withdraw(self, key: Key) -> None: ...

    async def withdraw_all(self) -> Sequence[str]:
        """Everything that this run made. Returns what is still there."""

    async def remove_leftovers(self) -> Sequence[str]:
        """Removes what runs that were killed have left, and tells what that was."""

    async def used_tokens(self, key: Key) -> int | None:
        """As the platform's own ledger has it; None if it keeps none."""

    def credentials(self, value: str) -> Mapping[str, str]:
        """The headers with which a client shows a key."""
