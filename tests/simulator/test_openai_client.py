"""The official openai client understands every answer."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import jsonschema_rs
import openai
import pytest

from tests.simulator.running import WEATHER, Running

TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
FLAT_TOOLS: Any = [{"type": "function", "name": "weather", "parameters": WEATHER, "strict": True}]
HELLO: Any = [{"role": "user", "content": "Hello, how are you?"}]


@pytest.fixture
def client(sim: Running) -> Iterator[openai.OpenAI]:
    http = httpx2.Client(transport=httpx2.HTTPTransport(uds=str(sim.uds)))
    with openai.OpenAI(api_key="none", base_url="http://sim/v1", http_client=http, max_retries=0) as made:
        yield made


def fits(arguments: str) -> bool:
    return jsonschema_rs.is_valid(WEATHER, json.loads(arguments))


def test_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="sim", messages=HELLO, max_tokens=30)
    assert answer.usage
    assert answer.choices[0].message.content
    assert answer.usage.prompt_tokens == 6
    assert 0 < answer.usage.completion_tokens <= 30
    assert answer.choices[0].finish_reason == ("length" if answer.usage.completion_tokens == 30 else "stop")


def test_chat_stream(client: openai.OpenAI) -> None:
    extra = {"ignore_eos": True}
    options: Any = {"include_usage": True, "continuous_usage_stats": True}
    with client.chat.completions.create(
        model="sim", messages=HELLO, max_tokens=7, stream=True, stream_options=options, extra_body=extra
    ) as stream:
        chunks = list(stream)
    words = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(words) == 7
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == [0, 1, 2, 3, 4, 5, 6, 7, 7, 7]
    assert chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].usage
    assert chunks[-1].usage.total_tokens == 13
    assert len({chunk.id for chunk in chunks}) == 1


def test_chat_stream_of_several_choices(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="sim", messages=HELLO, n=3, seed=5)
    texts = ["", "", ""]
    with client.chat.completions.create(model="sim", messages=HELLO, n=3, seed=5, stream=True) as stream:
        for chunk in stream:
            texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert texts == [choice.message.content for choice in whole.choices]
    assert len(set(texts)) == 3


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "function", "function": {"name": "weather"}}])
def test_chat_calls_a_tool(client: openai.OpenAI, choice: Any) -> None:
    answer = client.chat.completions.create(model="sim", messages=HELLO, tools=TOOLS, tool_choice=choice)
    call: Any = answer.choices[0].message.tool_calls
    assert answer.choices[0].finish_reason == "tool_calls"
    assert call[0].function.name == "weather"
    assert fits(call[0].function.arguments)


def test_chat_answers_in_text_once_it_has_the_tools_result(client: openai.OpenAI) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    messages: Any = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]
    answer = client.chat.completions.create(model="sim", messages=messages, tools=TOOLS)
    assert answer.choices[0].message.tool_calls is None
    assert answer.choices[0].message.content


def test_chat_streams_a_tool_call(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="sim", messages=HELLO, tools=TOOLS, tool_choice="required") as stream:
        deltas = sum(event.type == "tool_calls.function.arguments.delta" for event in stream)
        answer = stream.get_final_completion()
    call = (answer.choices[0].message.tool_calls or [])[0]
    assert deltas > 5
    assert call.function.name == "weather"
    assert fits(call.function.arguments)


def test_chat_answers_in_json(client: openai.OpenAI) -> None:
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "w", "schema": WEATHER}}
    answer = client.chat.completions.create(model="sim", messages=HELLO, response_format=wanted)
    assert fits(answer.choices[0].message.content or "")
    answer = client.chat.completions.create(model="sim", messages=HELLO, response_format={"type": "json_object"})
    assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)


def test_completions(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="sim", prompt=["one two", "three"], n=2, max_tokens=5)
    assert answer.usage
    assert len(answer.choices) == 4
    assert answer.usage.prompt_tokens == 3
    with client.completions.create(
        model="sim", prompt="x", max_tokens=5, stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == sum(bool(c.choices and c.choices[0].text) for c in chunks)


def test_responses(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="sim", input="Hello there", max_output_tokens=400)
    assert answer.usage
    assert answer.output_text
    assert answer.status == "completed"
    assert answer.usage.input_tokens == 2
    cut = client.responses.create(
        model="sim", input=HELLO, max_output_tokens=3, instructions="Be brief", extra_body={"ignore_eos": True}
    )
    assert cut.status == "incomplete"
    assert cut.incomplete_details
    assert cut.incomplete_details.reason == "max_output_tokens"


def test_responses_stream(client: openai.OpenAI) -> None:
    with client.responses.stream(model="sim", input="Hello there") as stream:
        events = list(stream)
        final = stream.get_final_response()
    kinds = list(dict.fromkeys(event.type for event in events))
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == final.output_text
    assert final.usage
    assert final.usage.output_tokens == sum(event.type == "response.output_text.delta" for event in events)


def test_responses_stream_cut_short_ends_with_incomplete(client: openai.OpenAI) -> None:
    with client.responses.create(
        model="sim", input="Hello", max_output_tokens=3, stream=True, extra_body={"ignore_eos": True}
    ) as stream:
        last = list(stream)[-1]
    assert last.type == "response.incomplete"
    assert last.response.usage
    assert last.response.usage.output_tokens == 3


def test_responses_call_a_tool(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="sim", input=HELLO, tools=FLAT_TOOLS, tool_choice="required")
    item = answer.output[0]
    assert item.type == "function_call"
    assert fits(item.arguments)
    result: Any = {"type": "function_call_output", "call_id": item.call_id, "output": "sunny"}
    conversation: Any = [*HELLO, item.model_dump(exclude={"parsed_arguments"}), result]
    assert client.responses.create(model="sim", input=conversation, tools=FLAT_TOOLS).output_text


def test_responses_stream_a_tool_call(client: openai.OpenAI) -> None:
    named: Any = {"type": "function", "name": "weather"}
    with client.responses.stream(model="sim", input=HELLO, tools=FLAT_TOOLS, tool_choice=named) as stream:
        kinds = {event.type for event in stream}
        item = stream.get_final_response().output[0]
    assert {"response.function_call_arguments.delta", "response.function_call_arguments.done"} <= kinds
    assert item.type == "function_call"
    assert fits(item.arguments)


def test_responses_answer_in_json(client: openai.OpenAI) -> None:
    wanted: Any = {"format": {"type": "json_schema", "name": "w", "schema": WEATHER}}
    assert fits(client.responses.create(model="sim", input="Hello", text=wanted).output_text)


def test_embeddings(client: openai.OpenAI) -> None:
    by_default = client.embeddings.create(model="sim", input=["one", "two"])
    as_floats = client.embeddings.create(model="sim", input="two", encoding_format="float", dimensions=384)
    assert [len(item.embedding) for item in by_default.data] == [384, 384]
    assert by_default.data[1].embedding == pytest.approx(as_floats.data[0].embedding, abs=1e-6)
    assert sum(value * value for value in as_floats.data[0].embedding) == pytest.approx(1)
    assert by_default.data[0].embedding != by_default.data[1].embedding
    assert by_default.usage.prompt_tokens == 2
    assert len(client.embeddings.create(model="sim", input=[1, 2, 3], dimensions=8).data[0].embedding) == 8


def test_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["sim", "alias"]
    assert client.models.retrieve("alias").id == "alias"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (503, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_demanded_errors(client: openai.OpenAI, status: int, error: type[openai.APIStatusError], stream: bool) -> None:
    with pytest.raises(error) as raised:
        client.chat.completions.create(
            model="sim", messages=HELLO, stream=stream, extra_headers={"X-Return-Error": str(status)}
        )
    assert raised.value.status_code == status
    assert "X-Return-Error" in raised.value.message
