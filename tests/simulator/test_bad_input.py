"""Whatever is sent: a 4xx in OpenAI's shape that names the field, never a 5xx."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulator.running import Running

HELLO = [{"role": "user", "content": "Hello"}]
MODEL_PATHS = (
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/embeddings",
    "/tokenize",
)
TOOL = {"type": "function", "function": {"name": "t", "parameters": {"type": "object"}}}


def deep(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"properties": {"a": value}, "required": ["a"]}
    return value


def refused(answer: httpx.Response, param: str | None = None) -> None:
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json()["error"]
    assert error["message"]
    if param is not None:
        assert error["param"] == param
        assert param in error["message"]


@pytest.mark.parametrize("path", [*MODEL_PATHS, "/admin/config"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"model": "\xc3("}', b'{"a": "\\ud800"}', b"[" * 5000]
)
def test_not_json(sim: Running, path: str, body: bytes) -> None:
    answer = sim.post(path, body)
    assert answer.status_code == 400
    refused(answer)


@pytest.mark.parametrize(
    ("path", "fields", "param"),
    [
        ("chat/completions", {"model": 5}, "model"),
        ("chat/completions", {"model": 5}, "model"),
        ("chat/completions", {"messages": None}, "messages"),
        ("chat/completions", {"messages": []}, "messages"),
        ("chat/completions", {"messages": "hi"}, "messages"),
        ("chat/completions", {"messages": ["hi"]}, "messages[0]"),
        ("chat/completions", {"messages": [{"content": "x"}]}, "messages[0].role"),
        ("chat/completions", {"messages": [{"role": "king", "content": "x"}]}, "messages[0].role"),
        ("chat/completions", {"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ("chat/completions", {"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0].type"),
        ("chat/completions", {"max_tokens": 0}, "max_tokens"),
        ("chat/completions", {"max_tokens": -3}, "max_tokens"),
        ("chat/completions", {"max_tokens": "5"}, "max_tokens"),
        ("chat/completions", {"max_tokens": 1.5}, "max_tokens"),
        ("chat/completions", {"max_tokens": True}, "max_tokens"),
        ("chat/completions", {"max_completion_tokens": 10**30}, "max_completion_tokens"),
        ("chat/completions", {"n": 0}, "n"),
        ("chat/completions", {"n": 1000}, "n"),
        ("chat/completions", {"stream": "yes"}, "stream"),
        ("chat/completions", {"stream_options": []}, "stream_options"),
        ("chat/completions", {"stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
        ("chat/completions", {"stop": 5}, "stop"),
        ("chat/completions", {"stop": [""]}, "stop"),
        ("chat/completions", {"seed": "x"}, "seed"),
        ("chat/completions", {"temperature": "hot"}, "temperature"),
        ("chat/completions", {"temperature": 3}, "temperature"),
        ("chat/completions", {"tools": {}}, "tools"),
        ("chat/completions", {"tools": [{}]}, "tools[0].function"),
        ("chat/completions", {"tools": [{"function": {"name": 3}}]}, "tools[0].function.name"),
        ("chat/completions", {"tools": [TOOL], "tool_choice": "maybe"}, "tool_choice"),
        ("chat/completions", {"tools": [TOOL], "tool_choice": {"function": {"name": "u"}}}, "tool_choice"),
        ("chat/completions", {"tool_choice": "required"}, "tool_choice"),
        ("chat/completions", {"tools": [{"function": {"name": "t", "parameters": {"type": "x"}}}]}, "tools"),
        ("chat/completions", {"tools": [{"function": {"name": "t", "parameters": deep(40)}}]}, "tools"),
        ("chat/completions", {"tools": [{"function": {"name": "t", "parameters": deep(300)}}]}, "tools"),
        ("chat/completions", {"response_format": {"type": "xml"}}, "response_format.type"),
        ("chat/completions", {"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ("chat/completions", {"max_tokens": 9000}, "messages"),
        ("chat/completions", {"messages": [{"role": "user", "content": "a " * 9000}]}, "messages"),
        ("completions", {"prompt": None}, "prompt"),
        ("completions", {"prompt": []}, "prompt"),
        ("completions", {"prompt": [1, "x"]}, "prompt"),
        ("completions", {"prompt": ["x"] * 100, "n": 2}, "n"),
        ("responses", {"input": None}, "input"),
        ("responses", {"input": [{"type": "video"}]}, "input[0].type"),
        ("responses", {"previous_response_id": "resp_1"}, "previous_response_id"),
        ("responses", {"metadata": {"a": 5}}, "metadata.a"),
        ("responses", {"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ("messages", {"max_tokens": None}, "max_tokens"),
        ("messages", {"messages": [{"role": "user"}]}, "messages[0].content"),
        ("messages", {"tools": [{"name": "t"}]}, "tools[0].input_schema"),
        ("messages", {"tool_choice": {"type": "never"}}, "tool_choice.type"),
        ("messages", {"system": 5}, "system"),
        ("embeddings", {"input": ""}, "input"),
        ("embeddings", {"input": {}}, "input"),
        ("embeddings", {"dimensions": 0}, "dimensions"),
        ("embeddings", {"dimensions": 10**6}, "dimensions"),
        ("embeddings", {"encoding_format": "hex"}, "encoding_format"),
    ],
)
def test_the_field_is_named(sim: Running, path: str, fields: dict[str, Any], param: str) -> None:
    good = {"model": "sim", "messages": HELLO, "prompt": "x", "input": "x", "max_tokens": 5}
    answer = sim.post(f"/v1/{path}", {**good, **fields})
    assert answer.status_code == 400
    refused(answer, param)


def test_an_unknown_model(sim: Running) -> None:
    for path in MODEL_PATHS:
        body = {"model": "other", "messages": HELLO, "prompt": "x", "input": "x", "max_tokens": 5}
        answer = sim.post(path, body)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "model_not_found"


def test_a_prompt_beyond_the_context(sim: Running) -> None:
    answer = sim.chat("word " * 9000)
    assert answer.json()["error"]["code"] == "context_length_exceeded"
    assert "maximum context length is 8192 tokens" in answer.json()["error"]["message"]


def test_unknown_paths_and_methods(sim: Running) -> None:
    refused(sim.http.get("/v2/models"))
    answer = sim.http.get("/v1/chat/completions")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    refused(answer)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large(sim: Running, chunked: bool) -> None:
    body = b'{"prompt": "' + b"x" * (4 * 1024 * 1024) + b'"}'
    answer = sim.http.post("/v1/completions", content=iter([body[:100], body[100:]]) if chunked else body)
    assert answer.status_code == 413
    refused(answer)
    assert sim.http.get("/health").is_success


def test_a_header_that_is_not_ascii(sim: Running) -> None:
    answer = sim.http.post("/v1/completions", content=b"{}", headers=[(b"x-request-id", b"\xff\xfe")])
    refused(answer)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["sim", "user", "text", "function", "json_schema", "object", "auto", "required", ""])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "type", "text", "function", "name", "parameters", "schema", "format", "id", "input"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)
FIELDS = [
    "model",
    "messages",
    "prompt",
    "input",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "n",
    "stop",
    "stop_sequences",
    "seed",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "response_format",
    "text",
    "metadata",
    "system",
    "instructions",
    "dimensions",
    "encoding_format",
    "temperature",
    "top_p",
    "ignore_eos",
    "min_tokens",
]


@pytest.mark.parametrize("path", MODEL_PATHS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wrong=st.dictionaries(st.sampled_from(FIELDS), anything, min_size=1, max_size=3))
def test_never_worse_than_4xx(sim: Running, path: str, wrong: dict[str, Any]) -> None:
    good = {"model": "sim", "messages": HELLO, "prompt": "x", "input": "x", "max_tokens": 5}
    answer = sim.post(path, json.dumps({**good, **wrong}).encode("utf-8", "surrogatepass"))
    assert answer.status_code == 200 or 400 <= answer.status_code < 500, answer.text
    if answer.status_code != 200:
        assert answer.json()["error"]["message"]
