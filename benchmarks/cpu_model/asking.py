"""One streamed chat, timed as its client sees it."""

import json
import time
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Stream:
    """Seconds. tokens: as the model's server reported them."""

    first: float
    whole: float
    tokens: int

    @property
    def per_second(self) -> float:
        """After the first token."""
        return (self.tokens - 1) / (self.whole - self.first)


def ask(client: httpx.Client, body: dict[str, Any]) -> Stream:
    began, first, tokens = time.perf_counter(), 0.0, 0
    with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        if answer.is_error:
            raise RuntimeError(f"{answer.status_code}: {answer.read().decode()}")
        for line in answer.iter_lines():
            if not line.startswith("data: {"):
                continue
            if not first and '"content":"' in line:
                first = time.perf_counter()
            if '"usage":{' in line:
                tokens = json.loads(line[6:])["usage"]["completion_tokens"]
    return Stream(first - began, time.perf_counter() - began, tokens)


def body(words: int, tokens: int, salt: int) -> dict[str, Any]:
    """Nothing is remembered from one request to the next, and each answer has the same length."""
    text = f"Request {salt}. " + " ".join(f"word{(salt * 31 + n * 7) % 997}" for n in range(words))
    return {
        "model": "small",
        "messages": [{"role": "user", "content": text}],
        "max_tokens": tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
        "cache_prompt": False,
        "ignore_eos": True,
    }
