"""What is remembered of a request that was admitted: one record each, the basis of usage and showback."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a record's token numbers come from."""

    REPORTED = "reported"  # the model's own usage
    ESTIMATED = "estimated"  # the answer was cut off, or said nothing of usage


class Outcome(StrEnum):
    COMPLETE = "complete"  # an answer of the model reached its end
    ABORTED = "aborted"  # the client hung up first
    FAILED = "failed"  # the model answered with an error, broke off, or could not be reached
    LOST = "lost"  # the gateway died before it could say how the request ended


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """Times are seconds since the epoch, durations milliseconds, cost in pico (domain/money.py)."""

    request_id: str
    key_id: str
    user: str
    tier: str
    model: str
    dialect: str
    stream: bool
    prompt_tokens: int
    completion_tokens: int
    source: Source
    outcome: Outcome
    status: int
    started_at: float
    duration_ms: int
    first_byte_ms: int | None
    cost: int

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens
