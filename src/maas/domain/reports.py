"""What the platform tells about itself: usage summed up, and one request explained."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from maas.domain.admission import Status


class By(StrEnum):
    """What usage is summed up by."""

    USER = "user"
    MODEL = "model"
    TIER = "tier"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class UsageRow:
    """The usage of one user, model, tier or key. cost in pico (domain/money.py).

    requests: all that were admitted; of those, `failed` ended in an error or were lost with the gateway, and the
    tokens of `estimated` were not reported by the model.
    """

    name: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: int
    estimated: int = 0
    failed: int = 0

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The requests that began from `since` up to, and not including, `until`; seconds since the epoch."""

    by: By
    since: float
    until: float
    rows: tuple[UsageRow, ...]

    @property
    def total(self) -> UsageRow:
        def sums(field_name: str) -> int:
            return sum(getattr(row, field_name) for row in self.rows)

        counted = ("requests", "prompt_tokens", "completion_tokens", "cost", "estimated", "failed")
        return UsageRow("total", *map(sums, counted))


class Verdict(StrEnum):
    ADMITTED = "admitted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything known of one request. None: it never got that far, or it is not known yet.

    why: the code of a refusal (admission.Why); message: what its client was told.
    limits: what remained of each limit when the request was judged.
    route: the path that was called; cluster: the upstream it was sent to. cost in pico.
    outcome and source: as in the usage record (domain/usage.py).
    """

    request_id: str
    verdict: Verdict
    at: float
    why: str | None = None
    message: str | None = None
    key_id: str | None = None
    key_prefix: str | None = None
    user: str | None = None
    tier: str | None = None
    limits: Sequence[Status] = field(default=())
    model: str | None = None
    route: str | None = None
    cluster: str | None = None
    status: int | None = None
    outcome: str | None = None
    source: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: int | None = None
    first_byte_ms: int | None = None
    duration_ms: int | None = None


@dataclass(frozen=True)
class ModelState:
    """status: "ready", "starting", "failed", or another word of the target's.

    trouble: why it is not ready, and what to do, as far as that is known.
    """

    status: str
    trouble: str | None = None
