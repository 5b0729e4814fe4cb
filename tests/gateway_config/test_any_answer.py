"""Whatever a model answers, the gateway lives, and the client gets it as it was, less what it is not to see."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway_config.running import USAGE, Running
from tests.gateway_config.server import Answer, events

STREAM = {"model": "chatty", "stream": True}
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

words = st.sampled_from(["usage", "response", "message", "choices", "prompt_tokens", "output_tokens", 'a"b', "\\", ""])
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=10,
)
texts = values.map(json.dumps) | st.text() | words


@QUICK
@given(values, st.sampled_from(["/v1/chat/completions", "/v1/messages", "/v1/embeddings"]))
def test_plain_answers(up: Running, content: Any, path: str) -> None:
    body = json.dumps(content).encode()
    up.model.handler = lambda asked: Answer(headers={"content-type": "application/json"}, body=body)

    answer = up.post({"model": "chatty"}, path=path)

    assert (answer.status_code, answer.content) == (200, body)


@QUICK
@given(st.binary(max_size=100))
def test_plain_answers_that_are_not_even_json(up: Running, body: bytes) -> None:
    up.model.handler = lambda asked: Answer(headers={"content-type": "application/json"}, body=body)

    assert up.post({"model": "chatty"}).content == body


@QUICK
@given(st.lists(texts.map(lambda text: f"data: {text}\n\n".encode()), max_size=5))
def test_streams(up: Running, parts: list[bytes]) -> None:
    up.model.handler = lambda asked: events(*parts)

    answer = up.post({**STREAM, "stream_options": {"include_usage": True}})

    assert (answer.status_code, answer.content) == (200, b"".join(parts))


@QUICK
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
def test_streams_that_are_not_even_events(up: Running, parts: list[bytes]) -> None:
    up.model.handler = lambda asked: events(*parts)

    assert up.post({**STREAM, "stream_options": {"include_usage": True}}).content == b"".join(parts)


FRAME = {"choices": [], "usage": USAGE}
TOKENS = st.text().map(lambda text: {"choices": [{"delta": {"content": text}}], "usage": None})


@QUICK
@given(
    st.lists(TOKENS | st.just(FRAME), min_size=1, max_size=5),
    st.sampled_from(["\n\n", "\r\n\r\n"]),
    st.lists(st.integers(1, 60), min_size=1, max_size=20),
)
def test_frames_are_found_wherever_the_stream_is_cut(
    up: Running, contents: list[Any], end: str, lengths: list[int]
) -> None:
    whole = [f"data: {json.dumps(content, ensure_ascii=False)}{end}".encode() for content in contents]
    up.model.handler = lambda asked: events(*_cut(b"".join(whole), lengths))

    answer = up.post(STREAM)

    assert answer.content == b"".join(e for e, content in zip(whole, contents, strict=True) if content != FRAME)
    reported = 2 if FRAME in contents else None
    assert up.log_line(answer.headers["x-request-id"])["completion"] == reported


def _cut(text: bytes, lengths: list[int]) -> list[bytes]:
    parts: list[bytes] = []
    while text:
        length = lengths[len(parts) % len(lengths)]
        parts.append(text[:length])
        text = text[length:]
    return parts
