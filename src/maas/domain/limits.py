"""Limits, and what is left of them.

A window starts at the first hit and lasts as long as the limit says, as Limitador's do; calendar windows were
rejected because both targets must behave alike.
"""

from dataclasses import dataclass
from enum import StrEnum

from maas.domain import durations, money


class Unit(StrEnum):
    REQUESTS = "requests"
    TOKENS = "tokens"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` of `unit` (requests, tokens, or pico of money) per window of `seconds`, per user."""

    unit: Unit
    amount: int
    seconds: int

    def __str__(self) -> str:
        shown = f"{money.amount(self.amount).normalize():f}" if self.unit is Unit.MONEY else str(self.amount)
        return f"{shown} {self.unit} per {self.per}"

    @property
    def per(self) -> str:
        return durations.compact(self.seconds)


@dataclass(frozen=True, slots=True)
class Level:
    """How full a limit is for one user at one moment.

    used: charged in the current window. reserved: held for requests under way, whichever window they began in.
    clipped: one of those was granted less than it may need, so nothing more is granted until it has settled.
    started_at: when the current window began; None before the first hit, and when the last window has ended.
    """

    used: int = 0
    reserved: int = 0
    clipped: bool = False
    started_at: float | None = None

    def remaining(self, limit: Limit) -> int:
        return max(0, limit.amount - self.used - self.reserved)

    def resets_in(self, limit: Limit, now: float) -> float:
        """Seconds until the window ends; the whole window if it has not begun."""
        return limit.seconds if self.started_at is None else max(0.0, self.started_at + limit.seconds - now)
