"""The official openai and anthropic clients through the gateway: they understand every answer, and the ledger
has the numbers that they were told."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import anthropic
import jsonschema_rs
import openai
import pytest

from maas.domain import money
from tests.embedded.sdk import HELLO, SIMULATOR, Heard, anthropic_client, hearing, openai_client, record_of
from tests.running import Running, eventually
from tests.simulator.running import WEATHER

TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
NAMED: Any = {"type": "function", "function": {"name": "weather"}}
LONG: Any = {"ignore_eos": True}


@pytest.fixture(scope="module")
def key(up: Running) -> str:
    return up.key("sdk", "open")


@pytest.fixture(scope="module")
def client(up: Running, key: str) -> Iterator[openai.OpenAI]:
    with openai_client(up, key) as made:
        yield made


@pytest.fixture(scope="module")
def claude(up: Running, key: str) -> Iterator[anthropic.Anthropic]:
    with anthropic_client(up, key) as made:
        yield made


# --- streams report their usage to the platform, and to the client only if it asked


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": False}}, {"stream_options": None}])
def test_who_did_not_ask_gets_no_usage_frame(up: Running, client: openai.OpenAI, options: dict[str, Any]) -> None:
    """`chunk.choices[0]` for every chunk is what most code does."""
    with client.chat.completions.create(
        model=SIMULATOR, messages=HELLO, max_tokens=9, stream=True, extra_body=LONG | options
    ) as stream:
        words = [chunk.choices[0].delta.content for chunk in stream if chunk.choices[0].delta.content]
    record = record_of(up, stream.response.headers["x-request-id"])
    assert (record["completion_tokens"], record["source"]) == (len(words), "reported")


def test_who_asked_gets_one_usage_frame_at_the_end(client: openai.OpenAI) -> None:
    with client.chat.completions.create(
        model=SIMULATOR,
        messages=HELLO,
        max_tokens=9,
        stream=True,
        stream_options={"include_usage": True},
        extra_body=LONG,
    ) as stream:
        chunks = list(stream)
    assert [bool(chunk.choices) for chunk in chunks[-2:]] == [True, False]
    assert [chunk.usage for chunk in chunks[:-1] if chunk.usage] == []
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == 9


# --- tools


@pytest.mark.parametrize("choice", ["auto", "required", NAMED])
def test_tools(client: openai.OpenAI, choice: Any) -> None:
    answer = client.chat.completions.create(model=SIMULATOR, messages=HELLO, tools=TOOLS, tool_choice=choice)
    assert answer.choices[0].finish_reason == "tool_calls"
    call: Any = (answer.choices[0].message.tool_calls or [])[0]
    assert call.function.name == "weather"
    assert _fits(call.function.arguments)


def test_streamed_tools(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model=SIMULATOR, messages=HELLO, tools=TOOLS, tool_choice=NAMED) as stream:
        deltas = sum(event.type == "tool_calls.function.arguments.delta" for event in stream)
        answer = stream.get_final_completion()
    call = (answer.choices[0].message.tool_calls or [])[0]
    assert deltas > 5
    assert _fits(call.function.arguments)


def test_a_tool_of_responses(client: openai.OpenAI) -> None:
    flat: Any = [{"type": "function", "name": "weather", "parameters": WEATHER, "strict": True}]
    item = client.responses.create(model=SIMULATOR, input=HELLO, tools=flat, tool_choice="required").output[0]
    assert item.type == "function_call"
    assert _fits(item.arguments)


@pytest.mark.parametrize("choice", [{"type": "auto"}, {"type": "any"}, {"type": "tool", "name": "weather"}])
def test_tools_of_messages(claude: anthropic.Anthropic, choice: Any) -> None:
    tools: Any = [{"name": "weather", "input_schema": WEATHER}]
    with claude.messages.stream(
        model=SIMULATOR, max_tokens=500, messages=HELLO, tools=tools, tool_choice=choice
    ) as stream:
        answer = stream.get_final_message()
    assert answer.stop_reason == "tool_use"
    assert answer.content[0].type == "tool_use"
    assert jsonschema_rs.is_valid(WEATHER, answer.content[0].input)


def _fits(arguments: str) -> bool:
    return jsonschema_rs.is_valid(WEATHER, json.loads(arguments))


# --- the other endpoints


def test_embeddings(client: openai.OpenAI) -> None:
    """The client asks for base64 unless it is told otherwise."""
    packed = client.embeddings.create(model=SIMULATOR, input=["one", "two"])
    plain = client.embeddings.create(model=SIMULATOR, input="two", encoding_format="float")
    assert [len(item.embedding) for item in packed.data] == [384, 384]
    assert packed.data[1].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)


def test_streamed_responses(client: openai.OpenAI) -> None:
    with client.responses.stream(model=SIMULATOR, input="Hello there") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert final.status == "completed"
    assert text == final.output_text


def test_several_prompts_are_answered_each(client: openai.OpenAI) -> None:
    answer = client.completions.create(model=SIMULATOR, prompt=["one two", "three", "four"], n=2, max_tokens=5)
    assert len(answer.choices) == 6


def test_models(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    assert [model.id for model in client.models.list()] == ["other", SIMULATOR]
    assert client.models.retrieve(SIMULATOR).id == SIMULATOR
    assert [model.id for model in claude.models.list()] == ["other", SIMULATOR]


def test_models_lists_what_the_key_may_use(up: Running) -> None:
    narrow = up.key("narrow", "narrow")
    scoped = up.key("scoped", "open", models=[SIMULATOR])
    for key, seen, unseen in ((narrow, "other", SIMULATOR), (scoped, SIMULATOR, "other")):
        with openai_client(up, key) as client:
            assert [model.id for model in client.models.list()] == [seen]
            with pytest.raises(openai.NotFoundError, match=unseen):
                client.models.retrieve(unseen)


# --- what a client is told is what the ledger has

Told = tuple[int, int]  # tokens of prompt and answer


@dataclass(frozen=True)
class Dialect:
    """call: makes one request and returns what the client was told, or None where it is not told."""

    call: Callable[[openai.OpenAI, anthropic.Anthropic], Told | None]
    stream: bool = False


def _chat(client: openai.OpenAI, _: anthropic.Anthropic) -> Told:
    usage = client.chat.completions.create(model=SIMULATOR, messages=HELLO, n=2).usage
    assert usage
    return usage.prompt_tokens, usage.completion_tokens


def _chat_stream(client: openai.OpenAI, _: anthropic.Anthropic) -> Told:
    options: Any = {"include_usage": True, "continuous_usage_stats": True}
    with client.chat.completions.create(model=SIMULATOR, messages=HELLO, stream=True, stream_options=options) as stream:
        usage = list(stream)[-1].usage
    assert usage
    return usage.prompt_tokens, usage.completion_tokens


def _chat_stream_untold(client: openai.OpenAI, _: anthropic.Anthropic) -> None:
    with client.chat.completions.create(model=SIMULATOR, messages=HELLO, n=2, stream=True) as stream:
        assert all(chunk.choices for chunk in stream)


def _completions(client: openai.OpenAI, _: anthropic.Anthropic) -> Told:
    usage = client.completions.create(model=SIMULATOR, prompt=["one two", "three"], n=2, max_tokens=7).usage
    assert usage
    return usage.prompt_tokens, usage.completion_tokens


def _completions_stream(client: openai.OpenAI, _: anthropic.Anthropic) -> Told:
    with client.completions.create(
        model=SIMULATOR, prompt="one two", max_tokens=7, stream=True, stream_options={"include_usage": True}
    ) as stream:
        usage = list(stream)[-1].usage
    assert usage
    return usage.prompt_tokens, usage.completion_tokens


def _embeddings(client: openai.OpenAI, _: anthropic.Anthropic) -> Told:
    return client.embeddings.create(model=SIMULATOR, input=["one two", "three"]).usage.prompt_tokens, 0


def _large_embeddings(client: openai.OpenAI, _: anthropic.Anthropic) -> Told:
    """An answer of some megabytes, with its usage at the end."""
    texts = ["word"] * 300
    usage = client.embeddings.create(model=SIMULATOR, input=texts, encoding_format="float", dimensions=1024).usage
    return usage.prompt_tokens, 0


def _responses(client: openai.OpenAI, _: anthropic.Anthropic) -> Told:
    usage = client.responses.create(model=SIMULATOR, input="Hello there").usage
    assert usage
    return usage.input_tokens, usage.output_tokens


def _responses_stream(client: openai.OpenAI, _: anthropic.Anthropic) -> Told:
    with client.responses.stream(model=SIMULATOR, input="Hello there") as stream:
        usage = stream.get_final_response().usage
    assert usage
    return usage.input_tokens, usage.output_tokens


def _messages(_: openai.OpenAI, client: anthropic.Anthropic) -> Told:
    usage = client.messages.create(model=SIMULATOR, max_tokens=50, messages=HELLO).usage
    return usage.input_tokens, usage.output_tokens


def _messages_stream(_: openai.OpenAI, client: anthropic.Anthropic) -> Told:
    with client.messages.stream(model=SIMULATOR, max_tokens=50, messages=HELLO) as stream:
        usage = stream.get_final_message().usage
    return usage.input_tokens, usage.output_tokens


DIALECTS = {
    "chat": Dialect(_chat),
    "chat stream": Dialect(_chat_stream, stream=True),
    "chat stream, usage not asked for": Dialect(_chat_stream_untold, stream=True),
    "completions": Dialect(_completions),
    "completions stream": Dialect(_completions_stream, stream=True),
    "embeddings": Dialect(_embeddings),
    "large embeddings": Dialect(_large_embeddings),
    "responses": Dialect(_responses),
    "responses stream": Dialect(_responses_stream, stream=True),
    "messages": Dialect(_messages),
    "messages stream": Dialect(_messages_stream, stream=True),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_client_model_headers_and_ledger_agree(up: Running, key: str, name: str) -> None:
    dialect = DIALECTS[name]
    with hearing() as heard:
        clients = openai_client(up, key, http_client=heard.http), anthropic_client(up, key, http_client=heard.http)
        with clients[0] as client, clients[1] as claude:
            told = dialect.call(client, claude)
        request_id = heard.last.headers["x-request-id"]
    record = record_of(up, request_id)
    ended = up.ended(request_id)
    counts = record["prompt_tokens"], record["completion_tokens"]
    assert counts == (ended["prompt_tokens"], ended["completion_tokens"]), "the model's own count"
    assert told in (None, counts)
    assert (record["source"], record["outcome"], record["status"]) == ("reported", "complete", 200)
    assert record["stream"] == dialect.stream
    assert record["cost"] == money.pico((Decimal(counts[0]) + 2 * Decimal(counts[1])) / 10**6)
    assert _told_in_headers(heard) == (None if dialect.stream else (*counts, sum(counts)))


def _told_in_headers(heard: Heard) -> tuple[int, ...] | None:
    values = [heard.last.headers.get(f"x-odhu-usage-{name}-tokens") for name in ("input", "output", "total")]
    found = tuple(int(value) for value in values if value is not None)
    assert len(found) in (0, 3)
    return found or None


def test_the_report_adds_up_to_the_money_that_the_tokens_cost(up: Running) -> None:
    key, spent = up.key("payer", "open"), Decimal(0)
    with openai_client(up, key) as client:
        for _ in range(3):
            usage = client.chat.completions.create(model=SIMULATOR, messages=HELLO).usage
            assert usage
            spent += (Decimal(usage.prompt_tokens) * 1 + Decimal(usage.completion_tokens) * 2) / 10**6
        client.chat.completions.create(model="other", messages=HELLO)  # which has no price
    report = eventually(lambda: (row := up.usage().get("payer")) and row["requests"] == 4 and row)
    assert Decimal(report["cost"]) == spent


def test_an_answer_with_an_error_costs_nothing(up: Running, key: str) -> None:
    with openai_client(up, key) as client, pytest.raises(openai.InternalServerError) as raised:
        client.chat.completions.create(model=SIMULATOR, messages=HELLO, extra_headers={"X-Return-Error": "500"})
    record = record_of(up, raised.value.response.headers["x-request-id"])
    assert (record["status"], record["outcome"]) == (500, "failed")
    assert (record["prompt_tokens"], record["completion_tokens"], record["cost"]) == (0, 0, 0)
