"""Who used how much, what it cost, and why a request was let in or refused."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from maas.api.errors import documented
from maas.api.fields import ControlOf, amount, moment
from maas.api.platform_documents import QuotaLine, quota_line
from maas.domain import durations
from maas.domain.errors import InvalidInput
from maas.domain.reports import By, Explanation, UsageRow, Verdict
from maas.domain.usage import UsageRecord

router = APIRouter(tags=["usage"], responses=documented(400, 503))
_END_OF_TIME = 253402300799.0  # the last second of 9999, which datetime can still write
_FILTER = Query(max_length=128)
_TIME = Query(max_length=40, description="24h (so long ago), or 2026-01-31T12:00:00Z")


class UsageLine(BaseModel):
    """cost: a decimal amount. estimated: requests whose tokens the model did not report. failed: not complete."""

    name: str
    requests: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost: str
    estimated: int
    failed: int


class Usage(BaseModel):
    object: Literal["usage"] = "usage"
    by: By
    since: str
    until: str
    data: list[UsageLine]
    total: UsageLine


class RequestDocument(BaseModel):
    """Null: the request never got that far, or it is not known yet."""

    request_id: str
    verdict: Verdict
    why: str | None
    message: str | None
    at: str
    key_id: str | None
    key_prefix: str | None
    user: str | None
    tier: str | None
    limits: list[QuotaLine] = Field(description="What remained when the request was judged")
    model: str | None
    route: str | None
    cluster: str | None
    status: int | None
    outcome: str | None
    source: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: str | None
    first_byte_ms: int | None
    duration_ms: int | None


class Period:
    """From `since` up to `until`."""

    def __init__(
        self, request: Request, since: Annotated[str, _TIME] = "24h", until: Annotated[str, _TIME] = "0s"
    ) -> None:
        clock: Callable[[], float] = request.app.state.clock
        now = clock()
        self.since, self.until = _time("since", since, now), _time("until", until, now)
        if self.since > self.until:
            raise InvalidInput("since: must be before until")


@router.get("/v1/usage")
async def usage(
    control: ControlOf,
    period: Annotated[Period, Depends()],
    by: By = By.USER,
    user: Annotated[str | None, _FILTER] = None,
    model: Annotated[str | None, _FILTER] = None,
    tier: Annotated[str | None, _FILTER] = None,
    key: Annotated[str | None, _FILTER] = None,
) -> Usage:
    """Usage of the period, summed up by user, model, tier or key, of all or of one of them."""
    report = await control.usage(by, period.since, period.until, user=user, model=model, tier=tier, key=key)
    return Usage(
        by=report.by,
        since=moment(report.since) or "",
        until=moment(report.until) or "",
        data=list(map(_line, report.rows)),
        total=_line(report.total),
    )


@router.get(
    "/v1/usage/records",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "One line a request"}},
)
def records(
    control: ControlOf,
    period: Annotated[Period, Depends()],
    user: Annotated[str | None, _FILTER] = None,
    model: Annotated[str | None, _FILTER] = None,
    tier: Annotated[str | None, _FILTER] = None,
    key: Annotated[str | None, _FILTER] = None,
) -> StreamingResponse:
    """Every single record of the period, of all or of one user, model, tier or key, as CSV.

    cost is in 1e-12 of the currency.
    """
    found = control.records(period.since, period.until, user=user, model=model, tier=tier, key=key)
    return StreamingResponse(_csv(found), media_type="text/csv; charset=utf-8")


@router.get("/v1/requests/{id}", responses=documented(404))
async def explain(id: Annotated[str, Path(max_length=128)], control: ControlOf) -> RequestDocument:
    """Why a request was let in or refused, and what became of it."""
    return _request(await control.explain(id))


def _time(name: str, text: str, now: float) -> float:
    with suppress(ValueError):
        return max(0.0, now - durations.parse(text))
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(text)
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        if 0 <= seconds <= _END_OF_TIME:
            return seconds
    raise InvalidInput(f"{name}: is no time; write how long ago (24h), or 2026-01-31T12:00:00Z")


def _line(row: UsageRow) -> UsageLine:
    return UsageLine(**{**asdict(row), "cost": amount(row.cost)}, total_tokens=row.total_tokens)


def _request(explained: Explanation) -> RequestDocument:
    known = {field.name: getattr(explained, field.name) for field in fields(Explanation)}
    return RequestDocument(
        **known
        | {
            "at": moment(explained.at),
            "limits": list(map(quota_line, explained.limits)),
            "cost": None if explained.cost is None else amount(explained.cost),
        }
    )


def _csv(rows: Iterable[UsageRecord]) -> Iterator[str]:
    names = [field.name for field in fields(UsageRecord)]
    yield _csv_line(names)
    yield from (_csv_line([getattr(row, name) for name in names]) for row in rows)


def _csv_line(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()
