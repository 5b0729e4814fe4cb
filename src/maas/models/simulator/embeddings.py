"""POST /v1/embeddings: unit vectors that depend on nothing but the input and the number of dimensions."""

import base64
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import shake_128
from typing import Any

from .completions import prompts_of, read_prompt
from .dialect import Prompt
from .errors import bad_request
from .fields import Fields
from .settings import MAX_DIMENSIONS


@dataclass(frozen=True, slots=True)
class EmbeddingTask:
    model: str
    prompts: Sequence[Prompt]
    dimensions: int
    base64: bool

    @property
    def prompt_tokens(self) -> int:
        return sum(prompt.tokens for prompt in self.prompts)


def read(body: Fields, default_dimensions: int) -> EmbeddingTask:
    model = body.required_text("model")
    prompts = [read_prompt(prompt) for prompt in prompts_of(body, "input")]
    if any(not prompt.key for prompt in prompts):
        raise bad_request("'input' must not be an empty string.", "input")
    return EmbeddingTask(
        model,
        prompts,
        body.integer("dimensions", 1, MAX_DIMENSIONS) or default_dimensions,
        body.choice("encoding_format", ("float", "base64")) == "base64",
    )


def answer(task: EmbeddingTask) -> dict[str, Any]:
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _encoded(task, vector(prompt.key, task.dimensions))}
            for index, prompt in enumerate(task.prompts)
        ],
        "model": task.model,
        "usage": {"prompt_tokens": task.prompt_tokens, "total_tokens": task.prompt_tokens},
    }


def vector(text: str, dimensions: int) -> list[float]:
    digest = shake_128(text.encode()).digest(2 * dimensions)
    # Half steps are never 0, so that every vector has a direction.
    raw = [value + 0.5 for value in struct.unpack(f"<{dimensions}h", digest)]
    norm = math.hypot(*raw)
    return [value / norm for value in raw]


def _encoded(task: EmbeddingTask, values: list[float]) -> list[float] | str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode() if task.base64 else values
