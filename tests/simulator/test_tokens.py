"""Tokens: exact, and never more of them in a prompt than bytes in the body that brought it."""

import json
from random import Random
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from maas.models.simulator import text, tokens
from maas.models.simulator.chat import Chat
from maas.models.simulator.completions import Completions
from maas.models.simulator.dialect import Dialect
from maas.models.simulator.fields import Fields
from maas.models.simulator.messages import Messages
from maas.models.simulator.responses import Responses

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)
schemas = st.dictionaries(any_text, values, max_size=4)


@given(any_text)
def test_tokens_join_to_the_text(sample: str) -> None:
    pieces = tokens.split(sample)
    assert "".join(pieces) == sample
    assert len(pieces) == tokens.count(sample) <= len(sample)
    assert all(0 < len(piece) <= tokens.MAX_CHARACTERS + 1 for piece in pieces)


@given(st.integers(0, 2**32), st.integers(1, 200))
def test_every_word_of_random_text_is_one_token(seed: int, size: int) -> None:
    pieces = text.sentences(Random(seed), size)
    assert tokens.split("".join(pieces)) == pieces
    assert len(pieces) == size


@given(st.integers(0, 2**32), st.integers(1, 500), st.booleans())
def test_lengths_are_within_the_limit(seed: int, limit: int, asked: bool) -> None:
    assert 1 <= text.length(Random(seed), limit, asked) <= limit


def _bounded(dialect: Dialect, body: dict[str, Any]) -> None:
    for sent in (orjson.dumps(body), json.dumps(body, separators=(",", ":")).encode()):
        assert dialect.read(Fields(orjson.loads(sent))).prompt_tokens <= len(sent)


@given(any_text, any_text, schemas)
def test_chat_prompts_have_fewer_tokens_than_bytes(said: str, again: str, schema: dict[str, Any]) -> None:
    image = {"type": "image_url", "image_url": {"url": ""}}
    content: Any = [{"type": "text", "text": again}, image]
    call = {"id": "1", "type": "function", "function": {"name": again, "arguments": said}}
    messages = [
        {"role": "user", "content": said},
        {"role": "user", "content": content},
        {"role": "assistant", "tool_calls": [call]},
    ]
    tools = [{"type": "function", "function": {"name": said, "parameters": schema}}]
    _bounded(Chat(), {"model": "m", "messages": messages, "tools": tools})


@given(st.lists(any_text | st.lists(st.integers(0, 9), min_size=1, max_size=9), min_size=1, max_size=5))
def test_completion_prompts_have_fewer_tokens_than_bytes(prompts: list[Any]) -> None:
    _bounded(Completions(), {"model": "m", "prompt": prompts})


@given(any_text, any_text, schemas)
def test_response_inputs_have_fewer_tokens_than_bytes(said: str, again: str, schema: dict[str, Any]) -> None:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": said}, {"type": "input_image"}]},
        {"type": "function_call", "name": said, "arguments": again, "call_id": "1"},
        {"type": "function_call_output", "call_id": "1", "output": again},
    ]
    tools = [{"type": "function", "name": "t", "parameters": schema}]
    _bounded(Responses(), {"model": "m", "input": items, "instructions": again, "tools": tools})


@given(any_text, any_text, schemas)
def test_anthropic_messages_have_fewer_tokens_than_bytes(said: str, again: str, schema: dict[str, Any]) -> None:
    blocks = [
        {"type": "text", "text": said},
        {"type": "tool_use", "id": "1", "name": said, "input": schema},
        {"type": "tool_result", "tool_use_id": "1", "content": again},
        {"type": "image"},
    ]
    tools = [{"name": "t", "input_schema": schema}]
    messages = [{"role": "user", "content": blocks}]
    _bounded(Messages(), {"model": "m", "max_tokens": 1, "system": again, "messages": messages, "tools": tools})
