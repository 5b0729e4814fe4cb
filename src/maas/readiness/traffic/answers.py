"""What a gateway answers, as data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from maas.cluster.objects import at, text

MODELS = "/v1/models"
CHAT = "/v1/chat/completions"
_SHOWN = 160  # characters of a body in a message


class CannotAsk(Exception):
    """Something that a check needs is not to be had; the message says what, for people."""


@dataclass(frozen=True)
class Answer:
    """status: 0 if there was none, and `problem` says why. seconds: until its end."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    problem: str = ""
    seconds: float = 0.0

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def said(self) -> str:
        """For people: "401 (Invalid API key)", "nothing: connection refused"."""
        if not self.status:
            return f"nothing: {self.problem}"
        told = text(self.json, "error", "message") or " ".join(self.body.split())
        told = told if len(told) <= _SHOWN else told[: _SHOWN - 1] + "…"
        return f"{self.status} ({told})" if self.status >= 400 and told else str(self.status)


@dataclass(frozen=True)
class Streamed:
    """A streamed answer: its events' data. problem: why it ended before its end."""

    answer: Answer
    events: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        return bool(self.events) and self.events[-1].strip() == "[DONE]"

    @property
    def text(self) -> str:
        return "".join(answer_text(chunk, "delta") for chunk in self._chunks())

    @property
    def usage(self) -> int | None:
        found = [tokens(chunk) for chunk in self._chunks()]
        return next((each for each in reversed(found) if each), None)

    def _chunks(self) -> list[Any]:
        return [Answer(200, body=event).json for event in self.events if event.strip() != "[DONE]"]


def tokens(document: object) -> int | None:
    """usage.total_tokens."""
    found = at(document, "usage", "total_tokens")
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None


def answer_text(document: object, part: str = "message") -> str:
    """What the model said; the thoughts of a model that was cut off while it thought count as well."""
    said = at(document, "choices", 0, part)
    return text(said, "content") or text(said, "reasoning_content") or text(said, "reasoning")
