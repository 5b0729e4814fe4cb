"""Kinds of fields that several endpoints share."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Header, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from maas.api.control import Control
from maas.domain import durations, money

LONGEST_EXPIRY_DAYS = 3650
_LOCAL = "local"


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not contain control characters")
    return text


def _duration(text: str) -> str:
    """Checked only. The message does not repeat the text, as durations.parse does: it may be a key, misplaced."""
    try:
        seconds = durations.parse(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LONGEST_EXPIRY_DAYS * 86400 or seconds != int(seconds):
        raise ValueError(f"must be a duration in whole seconds, at most {LONGEST_EXPIRY_DAYS}d; for example 30d or 12h")
    return text


Label = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_printable)]
Prose = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_printable)]
Duration = Annotated[
    str,
    StringConstraints(max_length=40),
    AfterValidator(_duration),
    Field(json_schema_extra={"pattern": r"^([0-9]+[dhms])+$", "examples": ["30d"]}),
]


class CamelRequest(BaseModel):
    """Generation 3 writes its fields in camel case. A field that is not known is refused, not ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class CamelAnswer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def control(request: Request) -> Control:
    given: Control = request.app.state.control
    return given


def actor(x_maas_username: Annotated[Label | None, Header()] = None) -> str:
    """Who asks, as the audit will show it. Only the owner of the socket can ask at all, so this is a name, no proof."""
    return x_maas_username or _LOCAL


ControlOf = Annotated[Control, Depends(control)]
Actor = Annotated[str, Depends(actor)]


def moment(seconds: float | None) -> str | None:
    """A time since the epoch as RFC 3339 in UTC, to the second."""
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def amount(pico: int) -> str:
    """An exact decimal, as text: a JSON number would become a float."""
    return f"{money.amount(pico).normalize():f}"
