"""Streams: passed on as they come, metered as they pass, with usage that is forced and kept to ourselves."""

import json
import threading
from typing import Any

import httpx
import pytest

from tests.gateway_config.running import CHAT, KEY, Running
from tests.gateway_config.server import events

ASK = {"model": "chatty", "stream": True}
TOKEN = b'data: {"choices": [{"index": 0, "delta": {"content": "hi"}}], "usage": null}\n\n'
FRAME = b'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}\n\n'
DONE = b"data: [DONE]\n\n"


def sse(content: Any, name: str | None = None) -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(content).encode() + b"\n\n"


def metered(up: Running, *chunks: bytes, path: str = CHAT, ask: Any = ASK) -> tuple[float | None, float | None]:
    up.model.handler = lambda asked: events(*chunks)
    line = up.log_line(up.post(ask, path=path).headers["x-request-id"])
    return line["prompt"], line["completion"]


def test_an_event_does_not_wait_for_the_next(up: Running) -> None:
    up.model.handler = lambda asked: events(TOKEN, TOKEN, DONE)
    up.model.steps = threading.Semaphore(0)
    with up.client() as client, client.stream("POST", CHAT, json=ASK, headers=KEY) as answer:
        assert answer.status_code == 200
        parts = answer.iter_raw()
        for expected in (TOKEN, TOKEN, DONE):
            up.model.steps.release()
            assert next(parts) == expected


@pytest.mark.parametrize(
    ("path", "chunks"),
    [
        (CHAT, (TOKEN, FRAME, DONE)),
        (CHAT, (TOKEN + FRAME + DONE,)),
        (CHAT, (TOKEN, FRAME[:40], FRAME[40:60], FRAME[60:], DONE)),
        (CHAT, (TOKEN.replace(b"\n", b"\r\n"), FRAME.replace(b"\n", b"\r\n"), DONE)),
        (CHAT, (sse({"usage": {"prompt_tokens": 7, "completion_tokens": 1}}), FRAME, DONE)),
        (
            "/v1/responses",
            (
                sse({"type": "response.created", "response": {"usage": None}}, "response.created"),
                sse(
                    {"type": "response.completed", "response": {"usage": {"input_tokens": 7, "output_tokens": 2}}},
                    "response.completed",
                ),
            ),
        ),
        (
            "/v1/messages",
            (
                sse({"type": "message_start", "message": {"usage": {"input_tokens": 7, "output_tokens": 1}}}),
                sse({"type": "message_delta", "usage": {"output_tokens": 2}}),
                sse({"type": "message_stop"}),
            ),
        ),
    ],
)
def test_usage_is_read_in_every_dialect(up: Running, path: str, chunks: tuple[bytes, ...]) -> None:
    assert metered(up, *chunks, path=path) == (7, 2)


def test_usage_is_read_after_an_event_of_a_megabyte(up: Running) -> None:
    large = sse({"choices": [{"delta": {"content": "x" * 1_000_000}}]})
    assert metered(up, large, FRAME, DONE) == (7, 2)


def test_without_usage_the_log_says_nothing(up: Running) -> None:
    assert metered(up, TOKEN, DONE) == (None, None)


def test_text_of_the_model_is_not_taken_for_usage(up: Running) -> None:
    trick = 'data: {"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}\n\n'
    chunk = sse({"choices": [{"delta": {"content": trick}}]})
    up.model.handler = lambda asked: events(FRAME, chunk, DONE)
    answer = up.post(ASK)

    assert answer.content == chunk + DONE
    line = up.log_line(answer.headers["x-request-id"])
    assert (line["prompt"], line["completion"]) == (7, 2)


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "chatty", "stream": true, "z": {"b": 1, "a": 2}, "seed": 12345678901234567890}',
        b'{"stream":true,"model":"chatty"} \r\n',
        b'{"model": "chatty", "stream": true, "stream_options": null}',
    ],
)
def test_usage_is_asked_for_and_the_rest_of_the_body_stays_as_it_was(up: Running, body: bytes) -> None:
    assert up.post(body).status_code == 200

    sent = up.model.last
    assert json.loads(sent.body) == {**json.loads(body), "stream_options": {"include_usage": True}}
    assert sent.body.startswith(body.rstrip()[:-1].replace(b"null", b""))
    assert sent["content-length"] == str(len(sent.body))


def test_the_client_s_other_stream_options_stay(up: Running) -> None:
    up.post({**ASK, "stream_options": {"include_usage": False, "include_obfuscation": False}})

    assert json.loads(up.model.last.body)["stream_options"] == {"include_usage": True, "include_obfuscation": False}


def test_who_asked_for_usage_gets_it(up: Running) -> None:
    body = {**ASK, "stream_options": {"include_usage": True}}
    up.model.handler = lambda asked: events(TOKEN, FRAME, DONE)

    assert up.post(body).content == TOKEN + FRAME + DONE
    assert json.loads(up.model.last.body) == body


NO_CHOICE = sse({"choices": [], "prompt_filter_results": []})
CRLF = [part.replace(b"\n", b"\r\n") for part in (TOKEN, FRAME, DONE)]


@pytest.mark.parametrize(
    ("chunks", "seen"),
    [
        ((TOKEN, FRAME, DONE), TOKEN + DONE),
        ((TOKEN + FRAME + DONE,), TOKEN + DONE),
        ((TOKEN + FRAME[:30], FRAME[30:] + DONE), TOKEN + DONE),
        ((*(bytes([byte]) for byte in TOKEN + FRAME + DONE),), TOKEN + DONE),
        ((*CRLF,), CRLF[0] + CRLF[2]),
        ((CRLF[0] + CRLF[1][:-2], CRLF[1][-2:] + CRLF[2]), CRLF[0] + CRLF[2]),
        ((FRAME.replace(b" ", b""), DONE), DONE),
        ((TOKEN, NO_CHOICE, DONE), TOKEN + NO_CHOICE + DONE),
    ],
)
def test_who_did_not_ask_for_usage_does_not_see_it(up: Running, chunks: tuple[bytes, ...], seen: bytes) -> None:
    up.model.handler = lambda asked: events(*chunks)

    assert up.post(ASK).content == seen


def test_a_client_that_hangs_up_is_in_the_log_with_what_it_got(up: Running) -> None:
    up.model.handler = lambda asked: events(*[TOKEN] * 1000, pause=0.01)
    with up.client() as client, client.stream("POST", CHAT, json=ASK, headers=KEY) as answer:
        next(answer.iter_raw())

    line = up.log_line(answer.headers["x-request-id"])
    assert line["flags"] == "DC"
    assert line["sent"] >= len(TOKEN)
    assert line["completion"] is None


def test_a_model_that_breaks_off_is_in_the_log(up: Running) -> None:
    up.model.handler = lambda asked: events(TOKEN, None)
    with up.client() as client, client.stream("POST", CHAT, json=ASK, headers=KEY) as answer:
        parts = answer.iter_raw()
        assert next(parts) == TOKEN
        with pytest.raises(httpx.RemoteProtocolError):
            next(parts)

    assert up.log_line(answer.headers["x-request-id"])["flags"] == "UPE"
