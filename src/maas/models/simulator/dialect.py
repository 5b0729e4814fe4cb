"""What a dialect has to offer: reading a request into a Task, and rendering answers, whole or as events."""

import os
import time
from typing import Any, Protocol

import orjson

from .fields import Fields
from .task import Answer, Task, Usage
from .tokens import IMAGE_TOKENS, count, count_json

MAX_CHOICES = 128


class Events(Protocol):
    """The bytes of one stream. `usage` is what has been generated once that event has been sent."""

    def opening(self) -> bytes: ...
    def piece(self, choice: int, answer: Answer, position: int, usage: Usage) -> bytes: ...
    def end(self, choice: int, answer: Answer, usage: Usage) -> bytes: ...
    def closing(self, usage: Usage) -> bytes: ...


class Dialect(Protocol):
    prompt_param: str  # the field to blame for a prompt that is too long

    def read(self, body: Fields) -> Task: ...
    def whole(self, task: Task, answers: list[Answer], usage: Usage) -> dict[str, Any]: ...
    def events(self, task: Task, answers: list[Answer]) -> Events: ...


def new_id(prefix: str) -> str:
    return prefix + os.urandom(12).hex()


def now() -> int:
    return int(time.time())


def server_sent(data: dict[str, Any], event: str | None = None) -> bytes:
    """One server-sent event."""
    head = b"data: " if event is None else b"event: " + event.encode() + b"\ndata: "
    return head + orjson.dumps(data) + b"\n\n"


class Prompt:
    """Collects what is said to the model: its tokens, what echo mode repeats, and who spoke last."""

    def __init__(self) -> None:
        self._tokens = 0
        self._texts: list[str] = []
        self._from_user: list[str] = []
        self.last_role = ""

    def say(self, role: str, *texts: str) -> None:
        self._texts += texts
        self._tokens += sum(map(count, texts))
        if role == "user":
            if self.last_role != "user":
                self._from_user = []
            self._from_user += texts
        self.last_role = role

    def say_numbers(self, tokens: list[int]) -> None:
        """A prompt that the client has tokenised already. It cannot be echoed."""
        self._texts.append(repr(tokens))
        self._tokens += len(tokens)

    def image(self) -> None:
        self._tokens += IMAGE_TOKENS

    def add_json(self, value: Any, at: str) -> None:
        if value is not None:
            self._tokens += count_json(value, at)

    @property
    def tokens(self) -> int:
        return max(1, self._tokens)

    @property
    def key(self) -> str:
        return "\n".join(self._texts)

    @property
    def echo(self) -> str:
        return "".join(self._from_user)


def check_sampling(body: Fields) -> None:
    """Accepted for compatibility and without effect; only a wrong type or range is refused."""
    body.number("temperature", 0, 2)
    body.number("top_p", 0, 1)
    body.number("presence_penalty", -2, 2)
    body.number("frequency_penalty", -2, 2)


def stops(body: Fields, name: str = "stop") -> tuple[str, ...]:
    found = body.texts(name)
    if len(found) > 16 or "" in found:
        raise body.wrong(name, "up to 16 strings that are not empty")
    return found
