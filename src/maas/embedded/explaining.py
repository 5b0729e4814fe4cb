"""Why a request was answered as it was: what admission noted down, and what it came to."""

from collections.abc import Callable, Mapping
from typing import Any

from maas.domain.admission import Status
from maas.domain.errors import NotFound
from maas.domain.keys import Key
from maas.domain.limits import Limit, Unit
from maas.domain.reports import Explanation, Verdict
from maas.domain.usage import UsageRecord
from maas.embedded.decisions import KEPT_SEGMENTS, SEGMENT_BYTES


def explanation(
    request_id: str, decision: Mapping[str, Any] | None, record: UsageRecord | None, key: Callable[[str], Key]
) -> Explanation:
    """Raises NotFound when neither is known: a wrong id, an older request, or one that is never recorded."""
    if decision is None and record is None:
        raise NotFound(
            f"nothing is known of the request {request_id!r}; the id is the answer's x-request-id header.\n"
            "Never recorded: /health, /v1/models, and what the gateway refuses by itself (a body that is too large, "
            "invalid_field, bad_request, tls_required).\n"
            f"Of refusals, the newest {SEGMENT_BYTES * KEPT_SEGMENTS // 2**20} MiB are kept"
        )
    noted: Mapping[str, Any] = decision or {}
    key_id = noted.get("key") or (record.key_id if record else None)
    return Explanation(
        request_id=request_id,
        verdict=Verdict.REFUSED if "refused" in noted else Verdict.ADMITTED,
        at=noted.get("t", record.started_at if record else 0.0),
        why=noted.get("refused"),
        message=noted.get("message"),
        key_id=key_id,
        key_prefix=_prefix(key_id, key),
        user=noted.get("user") or (record.user if record else None),
        tier=noted.get("tier") or (record.tier if record else None),
        limits=tuple(_status(*limit) for limit in noted.get("limits", ())),
        model=noted.get("model") or (record.model if record else None),
        route=noted.get("path"),
        cluster=noted.get("instance"),
        status=noted.get("status") or (record.status if record else None),
        **_ending(record),
    )


def _prefix(key_id: str | None, key: Callable[[str], Key]) -> str | None:
    try:
        return key(key_id).prefix if key_id else None
    except NotFound:
        return None


def _status(unit: str, seconds: int, amount: int, remaining: int, resets_in: float) -> Status:
    return Status(Limit(Unit(unit), amount, seconds), remaining, resets_in)


def _ending(record: UsageRecord | None) -> dict[str, Any]:
    if record is None:
        return {}
    return {
        "outcome": record.outcome,
        "source": record.source,
        "prompt_tokens": record.prompt_tokens,
        "completion_tokens": record.completion_tokens,
        "cost": record.cost,
        "first_byte_ms": record.first_byte_ms,
        "duration_ms": record.duration_ms,
    }
