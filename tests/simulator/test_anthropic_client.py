"""The official anthropic client understands every answer of /v1/messages."""

from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import jsonschema_rs
import pytest

from tests.simulator.running import WEATHER, Running

HELLO: Any = [{"role": "user", "content": "Hello there"}]
TOOLS: Any = [{"name": "weather", "input_schema": WEATHER}]


@pytest.fixture
def client(sim: Running) -> Iterator[anthropic.Anthropic]:
    http = httpx2.Client(transport=httpx2.HTTPTransport(uds=str(sim.uds)))
    with anthropic.Anthropic(api_key="none", base_url="http://sim", http_client=http, max_retries=0) as made:
        yield made


def test_message(client: anthropic.Anthropic) -> None:
    answer = client.messages.create(model="sim", max_tokens=9, messages=HELLO, extra_body={"ignore_eos": True})
    assert answer.content[0].type == "text"
    assert answer.stop_reason == "max_tokens"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2, 9)


def test_stream(client: anthropic.Anthropic) -> None:
    with client.messages.stream(model="sim", max_tokens=200, messages=HELLO, system="Be kind") as stream:
        events = [event.type for event in stream]
        answer = stream.get_final_message()
    kinds = list(dict.fromkeys(events))
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert answer.usage.input_tokens == 4
    assert answer.usage.output_tokens == events.count("content_block_delta")
    assert answer.stop_reason in ("end_turn", "max_tokens")


def test_stop_sequence(client: anthropic.Anthropic, sim: Running) -> None:
    sim.configure(mode="echo")
    answer = client.messages.create(model="sim", max_tokens=200, messages=HELLO, stop_sequences=["there"])
    assert answer.content[0].type == "text"
    assert answer.content[0].text == "Hello "
    assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "there")


@pytest.mark.parametrize("choice", [{"type": "auto"}, {"type": "any"}, {"type": "tool", "name": "weather"}])
def test_tool(client: anthropic.Anthropic, choice: Any) -> None:
    answer = client.messages.create(model="sim", max_tokens=500, messages=HELLO, tools=TOOLS, tool_choice=choice)
    block = answer.content[0]
    assert answer.stop_reason == "tool_use"
    assert block.type == "tool_use"
    assert jsonschema_rs.is_valid(WEATHER, block.input)
    result: Any = {"type": "tool_result", "tool_use_id": block.id, "content": "sunny"}
    conversation: Any = [
        *HELLO,
        {"role": "assistant", "content": [block.model_dump()]},
        {"role": "user", "content": [result]},
    ]
    after = client.messages.create(model="sim", max_tokens=500, messages=conversation, tools=TOOLS)
    assert after.content[0].type == "text"


def test_tool_stream(client: anthropic.Anthropic) -> None:
    with client.messages.stream(
        model="sim", max_tokens=500, messages=HELLO, tools=TOOLS, tool_choice={"type": "any"}
    ) as stream:
        block = stream.get_final_message().content[0]
    assert block.type == "tool_use"
    assert jsonschema_rs.is_valid(WEATHER, block.input)


def test_count_tokens(client: anthropic.Anthropic) -> None:
    assert client.messages.count_tokens(model="sim", messages=HELLO).input_tokens == 2


def test_errors(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="does not exist"):
        client.messages.create(model="other", max_tokens=9, messages=HELLO)
    with pytest.raises(anthropic.RateLimitError):
        client.messages.create(model="sim", max_tokens=9, messages=HELLO, extra_headers={"X-Return-Error": "429"})
