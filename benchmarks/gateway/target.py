"""One thing that is measured: where it listens, what it wants to see, and whose processes it is."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.gateway.usage import Processes

FAST, STREAMING = "fast", "streaming"  # the models: one answers at once, the other at 20 tokens/s
TOKENS_PER_SECOND = 20

_SYSTEM = "You are a helpful assistant that answers briefly and to the point. " * 4
_QUESTION = "Tell me in a sentence what a gateway for language models is good for, please. " * 6


@dataclass(frozen=True)
class Target:
    """processes: read anew for each run, since some come and go. connections: the loads it is tried at."""

    name: str
    base: str
    key: str
    processes: Callable[[], Processes]
    connections: tuple[int, ...] = (32,)

    @property
    def chat(self) -> str:
        return f"{self.base}/v1/chat/completions"


def chat_body() -> bytes:
    """About a kilobyte, as a short conversation is."""
    messages = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _QUESTION}]
    return json.dumps({"model": FAST, "max_tokens": 64, "messages": messages}).encode()


def stream_body(tokens: int) -> bytes:
    messages = [{"role": "user", "content": "Count."}]
    options = {"max_tokens": tokens, "min_tokens": tokens, "ignore_eos": True, "stream": True}
    return json.dumps({"model": STREAMING, "messages": messages, **options}).encode()


def answer() -> str:
    """What the fast backend always says."""
    message = {"role": "assistant", "content": "It gives every model one door, with keys, limits and a meter."}
    return json.dumps(
        {
            "id": "chatcmpl-benchmark",
            "object": "chat.completion",
            "created": 1767225600,
            "model": FAST,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 110, "completion_tokens": 14, "total_tokens": 124},
        }
    )
