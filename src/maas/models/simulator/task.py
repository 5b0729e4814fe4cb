"""What the model is asked to do and what it answers, whichever dialect asked.

An answer is worked out before its first token is due, because nothing but time makes this model slow; dialects
only render it. That is what keeps five dialects, streamed and not, in agreement about counts and finish reasons.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    schema: Any  # a JSON schema: an object, true or false


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """`prompt_key` is all that the answer may depend on; `tools` has those of which one must be called, if any."""

    model: str
    prompt_tokens: int
    prompt_key: str = ""
    echo: str = ""  # the last user message
    max_tokens: int | None = None
    min_tokens: int = 0
    ignore_eos: bool = False
    stops: tuple[str, ...] = ()
    n: int = 1
    seed: int | None = None
    stream: bool = False
    usage_at_end: bool = False
    usage_in_every_chunk: bool = False
    tools: tuple[Tool, ...] = ()
    schema: Any = None  # the answer must be JSON of this schema
    repeated: dict[str, Any] = field(default_factory=dict)  # what the answer repeats of the request


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`pieces` are its tokens. With a `call` the first piece is the tool's name and the others are its arguments.

    `finish` is OpenAI's word: stop, length or tool_calls. `stopped_by` is the stop string that was met.
    """

    pieces: Sequence[str]
    finish: str
    call: Call | None = None
    stopped_by: str | None = None

    @property
    def text(self) -> str:
        """All of the text; of a call, all of the arguments."""
        return "".join(self.pieces[1:] if self.call else self.pieces)


class Usage(NamedTuple):
    """Made for every token of a stream: a tuple costs a third of a frozen dataclass."""

    prompt: int
    completion: int

    def openai(self) -> dict[str, int]:
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
        }
