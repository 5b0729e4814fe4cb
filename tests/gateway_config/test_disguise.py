"""What a server that somebody else runs says of itself does not reach a client, however it says it."""

import gzip
import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas.embedded import envoy
from maas.embedded.envoy.clusters import Failover
from tests.gateway_config.running import KEY, Running, error_of, to_model
from tests.gateway_config.server import Answer, Server, events, said
from tests.ports import free_port

ASK = {"model": "big"}
STREAM = {"model": "big", "stream": True, "stream_options": {"include_usage": True}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
TELLS = ("giant", "worker", "fp_", "OPENROUTER", "sk-up", "127.0.0.1")
JSON = {"content-type": "application/json"}
CREDENTIAL = "sk-up-0123456789"


@pytest.fixture(scope="module")
def provider(one_for_all: Running) -> Iterator[Server]:
    """Behind the clusters quiet@1; telling@1, which may show the words of errors; and word@1, whose key is a word."""
    port = free_port()
    server = Server(port, lambda asked: said({}))
    address = envoy.HostPort("127.0.0.1", port)
    common: dict[str, Any] = {"api_key": CREDENTIAL, "known_as": "big", "served_name": "giant-9"}
    quiet = envoy.Upstream("quiet@1", address, **common)
    telling = envoy.Upstream("telling@1", address, **common, show_errors=True)
    word = envoy.Upstream("word@1", address, **{**common, "api_key": "EMPTY"})
    one_for_all.apply(one_for_all.configuration(quiet, telling, word))
    yield server
    server.close()


@pytest.fixture
def upstream(up: Running, provider: Server) -> Server:
    up.admission.handler = lambda asked: to_model(asked, "quiet@1")
    return provider


def _leaks(text: str) -> list[str]:
    return [word for word in TELLS if word in text]


def _completion(**fields: Any) -> dict[str, Any]:
    return {"id": "1", "model": "giant-9", "choices": [], "usage": USAGE, **fields}


def test_what_the_client_had_a_say_in_hides_nothing(up: Running, upstream: Server) -> None:
    tools = [{"parameters": {"model": "giant"}, "model": "mine"}]
    answer = {"metadata": {"model": "mine"}, "tools": tools, "model": "giant-9/x", "usage": {"input_tokens": 3}}
    upstream.handler = lambda asked: said(answer)
    assert up.post(ASK, "/v1/responses").json() == {**answer, "model": "big"}


@pytest.mark.parametrize("name", [r'"giant\/9"', r'"gi\u0061nt \"9\""', '["giant"]', "9"])
def test_any_spelling_of_the_name(up: Running, upstream: Server, name: str) -> None:
    upstream.handler = lambda asked: Answer(200, JSON, f'{{"a":[{{}}],"model":null,"model" : {name}}}'.encode())
    assert up.post(ASK).text == '{"a":[{}],"model":null,"model" : "big"}'


def test_what_only_begins_as_null_is_no_null(up: Running, upstream: Server) -> None:
    upstream.handler = lambda asked: Answer(200, JSON, b'{"model":nullgiant-9}')
    assert up.post(ASK).text == '{"model":"big"}'


@pytest.mark.parametrize("key", ["mod\\u0065l", "\\u006d\\u006F\\u0064el", "model"])
def test_any_spelling_of_a_key(up: Running, upstream: Server, key: str) -> None:
    """The last of several counts for most who read JSON: each is seen to."""
    answer = f'{{"model":"a","{key}":"giant-9","err\\u006fr":"worker","\\\\u006dodel":"mine"}}'
    upstream.handler = lambda asked: Answer(200, JSON, answer.encode())
    got = up.post(ASK)
    assert (got.json()["model"], got.json()["error"]) == ("big", GENERIC)
    assert got.json()["\\u006dodel"] == "mine"
    assert not _leaks(got.text)


def test_the_own_key_is_nowhere(up: Running, upstream: Server) -> None:
    message = {"role": "assistant", "content": f"it is {CREDENTIAL}, as said"}
    upstream.handler = lambda asked: said(_completion(choices=[{"message": message}], x={CREDENTIAL: [CREDENTIAL]}))
    answer = up.post(ASK).json()
    assert answer["choices"][0]["message"]["content"] == "it is ***, as said"
    assert answer["x"] == {"***": ["***"]}
    upstream.handler = lambda asked: events(
        _event(CHUNK | {"x": CREDENTIAL}), b"event: " + CREDENTIAL.encode() + b"\n\n"
    )
    got = up.post(STREAM)
    assert _contents(got.text)[0]["x"] == "***"
    assert CREDENTIAL not in got.text


@pytest.mark.parametrize("before", [*range(7_990, 8_020, 6), *range(1_999_930, 1_999_990, 6)])
def test_the_own_key_within_numbers(up: Running, upstream: Server, before: int) -> None:
    body = b'{"model":"giant-9","data":[' + b"0," * (before // 2) + b'"' + CREDENTIAL.encode() + b'"]}'
    parts = [part for part in (body[:8_000], body[8_000:2_000_000], body[2_000_000:]) if part]
    upstream.handler = lambda asked: Answer(200, JSON, body, parts)
    got = up.post(ASK, "/v1/embeddings")
    assert got.json()["data"][-1] == "***"
    assert got.json()["model"] == "big"


def test_words_that_are_no_secrets_stay(up: Running, upstream: Server) -> None:
    up.admission.handler = lambda asked: to_model(asked, "word@1")
    upstream.handler = lambda asked: said(_completion(choices=[{"message": {"content": "EMPTY"}}]))
    assert up.post(ASK).json()["choices"][0]["message"]["content"] == "EMPTY"


def test_software_and_resellers_are_not_named(up: Running, upstream: Server) -> None:
    upstream.handler = lambda asked: said(_completion(system_fingerprint="fp_ollama", provider="giant"))
    answer = up.post(ASK).json()
    assert (answer["system_fingerprint"], answer["provider"], answer["model"]) == (None, None, "big")


def test_what_servers_tell_for_their_own_kind_is_not_told_on(up: Running, upstream: Server) -> None:
    told = {"kv_transfer_params": {"remote_host": "127.0.0.1"}, "__verbose": {"model": "/models/giant.gguf"}}
    upstream.handler = lambda asked: said(_completion(**told))
    assert not _leaks(up.post(ASK).text)


@pytest.mark.parametrize("name", ["error", "err\\u006fr"])
@pytest.mark.parametrize("before", ["", '1, "]", [{}], {"index":0}, '])
def test_an_error_of_a_choice(up: Running, upstream: Server, name: str, before: str) -> None:
    """Resellers have one in each choice that somebody else's server broke off."""
    choice = '{"index":1,"message":{"error":"stays"},"%s":{"message":"giant-9 at 127.0.0.1","metadata":{"x":"fp_"}}}'
    body = f'{{"choices":[{before}{choice % name}],"model":"giant-9"}}'
    upstream.handler = lambda asked: Answer(200, JSON, body.encode())
    got = up.post(ASK)
    assert got.json()["choices"][-1] == {"index": 1, "message": {"error": "stays"}, "error": GENERIC}
    assert got.json()["model"] == "big"
    upstream.handler = lambda asked: events(f"data: {body}\n\n".encode())
    assert _contents(up.post(STREAM).text) == [got.json()]


@pytest.mark.parametrize("chunked", [False, True])
def test_an_error_instead_of_embeddings(up: Running, upstream: Server, chunked: bool) -> None:
    body = json.dumps({"error": {"message": "giant-9 at 127.0.0.1"}, "provider": "giant", "model": "giant-9"}).encode()
    upstream.handler = lambda asked: Answer(200, JSON, body, [body[:20], body[20:]] if chunked else None)
    got = up.post(ASK, "/v1/embeddings").json()
    assert got == {"error": GENERIC, "provider": None, "model": "big"}
    upstream.handler = lambda asked: Answer(200, JSON, b"giant-9", [b"giant", b"-9"] if chunked else None)
    assert up.post(ASK, "/v1/embeddings").json()["error"]["code"] == "model_unavailable"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings"])
def test_headers_that_stay_say_nothing_else(up: Running, upstream: Server, path: str) -> None:
    upstream.handler = lambda asked: said(_completion(), retry_after="giant", content_type="application/json; k=giant")
    got = up.post(ASK, path)
    assert (got.headers["content-type"], got.headers.get("retry-after")) == ("application/json", None)


@pytest.mark.parametrize("later", ["7", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_when_to_try_again_is_told(up: Running, upstream: Server, later: str) -> None:
    upstream.handler = lambda asked: said({}, 429, retry_after=later)
    assert up.post(ASK).headers["retry-after"] == later


@pytest.mark.parametrize("status", [200, 400, 418, 500])
def test_no_header_passes(up: Running, upstream: Server, status: int) -> None:
    upstream.handler = lambda asked: said(_completion(), status, x_worker="7", set_cookie="giant", via="giant")
    assert not _leaks(str(up.post(ASK).headers))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {"content-type": "text/html"}, b"<h1>giant</h1>"),
        Answer(200, {}, b'{"model":"giant"}'),
        Answer(200, JSON, b'{"model":"giant'),
        Answer(200, JSON, b'{"model":"giant-9"} giant-9'),
        Answer(200, JSON, b'{"model":"giant-9"}{"model":"giant-9"}'),
        Answer(200, JSON, b'{"message":{giant "model":"giant-9"}}'),
        Answer(200, JSON, b'["giant"]'),
        Answer(200, JSON, b""),
        Answer(200, {**JSON, "content-encoding": "gzip"}, gzip.compress(b'{"model":"giant"}')),
        Answer(204),
        Answer(302, {"location": "http://giant.example/v1"}, b"moved to giant"),
        Answer(101, {"upgrade": "websocket", "connection": "upgrade"}),
        Answer(402, JSON, b'{"error":"giant"}'),
    ],
)
def test_what_is_no_answer_is_a_failure(up: Running, upstream: Server, answer: Answer) -> None:
    upstream.handler = lambda asked: answer
    got = up.post(ASK)
    assert got.status_code == 502
    assert error_of(got)["code"] == "model_unavailable"
    assert not _leaks(got.text + str(got.headers))


@pytest.mark.parametrize("cluster", ["quiet@1", "telling@1"])
@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, {"content-type": "text/html"}, b"<h1>worker</h1>"),
        Answer(405, JSON, b'{"error":{"message":"giant-9"}}'),
        Answer(418, JSON, b'{"error":{"message":"giant-9"}} giant-9'),
        Answer(400, {**JSON, "content-encoding": "gzip"}, gzip.compress(b'{"model":"giant"}')),
        Answer(400, {}),
        Answer(400, {}, b"worker " * 1_000_000),
        Answer(422, JSON, chunks=[b'{"error":{"mess', b'age":"giant-9 at 127.0.0.1"}}']),
    ],
)
def test_refusals_of_any_form(up: Running, upstream: Server, answer: Answer, cluster: str) -> None:
    up.admission.handler = lambda asked: to_model(asked, cluster)
    upstream.handler = lambda asked: answer
    got = up.post(ASK)
    assert got.status_code == answer.status
    assert "Try again" not in got.json()["error"]["message"]
    assert not _leaks(got.text + str(got.headers))


def test_an_error_within_a_good_answer(up: Running, upstream: Server) -> None:
    upstream.handler = lambda asked: said({"error": {"message": "worker 7"}})
    assert up.post(ASK).json()["error"]["code"] == "model_unavailable"


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("numbers", [1, 3_000, 300_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_embeddings_of_any_size(up: Running, upstream: Server, numbers: int, last: bool, chunked: bool) -> None:
    data = [{"object": "embedding", "index": 0, "embedding": [0.123456] * numbers}]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    answer: dict[str, Any] = {"model": "giant-9"}
    answer = {"data": data} | answer if last else answer | {"data": data}
    answer["usage"] = usage
    body = json.dumps(answer).encode()
    pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)] if chunked else None
    upstream.handler = lambda asked: Answer(200, JSON, body, pieces)
    got = up.post(ASK, "/v1/embeddings")
    assert got.json() == {**answer, "model": "big"}
    assert got.headers["x-odhu-usage-total-tokens"] == "3"


def test_a_connection_is_good_for_more_after_each(up: Running, upstream: Server) -> None:
    plain = said(_completion())
    answers = [plain, Answer(500), events(_event(_completion())), Answer(204), plain, Answer(400, {}, b"x" * 99), plain]
    with up.client() as client:
        for answer in answers:
            upstream.handler = lambda asked, answer=answer: answer  # type: ignore[misc]
            got = client.post("/v1/chat/completions", json=ASK, headers=KEY)
            assert got.status_code == (answer.status if answer.status != 204 else 502)
            assert not _leaks(got.text)


# --- streams


def _event(content: Any, name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(content).encode() + b"\n\n"


CHUNK = _completion(usage=None, choices=[{"delta": {"content": 'say "model": "giant"'}}])
RESPONSE = {"type": "response.created", "response": {"metadata": {"model": "m"}, "model": "giant-9"}}
FAILURE = {"message": "worker 7", "type": "x", "code": "y"}
EVENTS = [
    _event(CHUNK),
    _event(_completion()),
    _event(RESPONSE, "response.created"),
    _event({"type": "message_start", "message": {"model": "giant-9", "usage": {"input_tokens": 3}}}, "message_start"),
    b": OPENROUTER PROCESSING\n\n",
    b'data: {"id":1,\ndata: "model":\ndata: "giant-9"}\n\n',
    b'event: worker\ndata: {"id":"9"}\n\n',
    b"id: worker\nretry: 7\ndata: [DONE]\n\n",
    _event({"error": FAILURE}),
    _event({"type": "error", "message": "worker 7", "code": None}, "error"),
    b"data: worker\n\n",
    b'data: {"choices":[]} giant-9\n\n',
]


def _contents(text: str) -> list[Any]:
    """What a client reads from a stream."""
    data = [line[6:] for line in text.replace("\r", "").split("\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in data]


def _expected(parts: Sequence[bytes]) -> list[Any]:
    """The same by other means: the whole at once, in Python."""
    told: list[Any] = []
    for part in parts:
        data = [line[6:] for line in part.decode().split("\n") if line.startswith("data: ")]
        text = "\n".join(data)
        if text == "[DONE]":
            told.append(text)
        elif text.startswith("{") and text.endswith("}"):
            told.append(_disguised(json.loads(text)))
    return told


def _disguised(content: dict[str, Any]) -> dict[str, Any]:
    for place in (content, content.get("response", {}), content.get("message", {})):
        if isinstance(place, dict) and place.get("model"):
            place["model"] = "big"
    if content.get("error"):
        content["error"] = GENERIC
    if content.get("type") == "error":
        content["message"] = GENERIC["message"]
    return content


GENERIC = {
    "message": "The server of this model failed. Try again.",
    "type": "api_error",
    "param": None,
    "code": "model_unavailable",
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.sampled_from(EVENTS), min_size=1, max_size=8),
    cuts=st.lists(st.integers(0, 2000), max_size=12),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    whole=st.booleans(),
)
def test_a_stream_in_any_pieces(
    up: Running, upstream: Server, parts: list[bytes], cuts: list[int], end: bytes, whole: bool
) -> None:
    text = b"".join(parts)
    text = text if whole else text.removesuffix(b"\n")
    text = text.replace(b"\n", end)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]
    upstream.handler = lambda asked: events(*pieces, pause=0.001)
    got = up.post(STREAM)
    assert _contents(got.text) == _expected(parts)
    assert not _leaks(got.text.replace(r"say \"model\": \"giant\"", ""))


def test_every_byte_by_itself(up: Running, upstream: Server) -> None:
    text = _event(CHUNK) + _event(_completion()) + b"data: [DONE]\n\n"
    upstream.handler = lambda asked: events(*(bytes([byte]) for byte in text), pause=0.0005)
    got = up.post(STREAM)
    assert [each["model"] for each in _contents(got.text)[:2]] == ["big", "big"]
    line = up.log_line(got.headers["x-request-id"])
    assert (line["prompt"], line["completion"]) == (3, 2)


def test_whole_events_are_not_held_back_for_the_next(up: Running, upstream: Server) -> None:
    """Pieces of a fast stream end anywhere: what is whole has to leave at once."""
    first = _event(CHUNK)
    upstream.handler = lambda asked: events(first + first[:20], first[20:], pause=0.0)
    upstream.steps = threading.Semaphore(0)
    with up.client() as client, client.stream("POST", "/v1/chat/completions", json=STREAM, headers=KEY) as got:
        lines = got.iter_lines()
        upstream.steps.release()
        assert json.loads(next(lines)[6:])["model"] == "big"
        upstream.steps.release()
        assert [line for line in lines if line]
    upstream.steps = None


def test_a_stream_of_known_length(up: Running, upstream: Server) -> None:
    text = _event(_completion()) * 3
    upstream.handler = lambda asked: Answer(200, {"content-type": "Text/Event-Stream; charset=utf-8"}, text)
    got = up.post(STREAM)
    assert [each["model"] for each in _contents(got.text)] == ["big"] * 3


def test_what_was_begun_and_broken_off_is_not_told(up: Running, upstream: Server) -> None:
    upstream.handler = lambda asked: events(_event(CHUNK) + b'data: {"model": "giant-9", "choi')
    assert len(_contents(up.post(STREAM).text)) == 1


# --- several servers


def test_each_of_several_servers_gets_its_own(up: Running) -> None:
    """A try that failed leaves nothing behind for the next: neither its key nor its path."""
    ports = [free_port() for _ in range(3)]
    servers = [Server(port, lambda asked: said(_completion(), x_worker="7")) for port in ports[1:]]
    own = [("/one", "sk-one"), ("/two/v1/x", "sk-two"), ("/three", None)]
    members = [
        envoy.Upstream(
            f"m@1/{index}",
            envoy.HostPort("127.0.0.1", port),
            base_path=base,
            api_key=key,
            known_as="big",
            served_name="giant-9",
            watched=True,
        )
        for index, (port, (base, key)) in enumerate(zip(ports, own, strict=True))
    ]
    ways = [Failover(f"m@1#{first}", tuple(members[first:] + members[:first])) for first in range(3)]
    up.apply(up.configuration(*members, *ways))
    seen = []
    for way, server in ((0, 0), (1, 0), (2, 1)):
        up.admission.handler = lambda asked, way=way: to_model(asked, f"m@1#{way}")  # type: ignore[misc]
        got = up.post(ASK, "/v1/chat/completions?a=/v1/b")
        assert (got.status_code, got.json()["model"]) == (200, "big")
        assert not _leaks(str(got.headers))
        last = servers[server].last
        assert not [name for name in last.names if name.startswith("x-maas-")]
        seen.append((last.path, last["authorization"]))
    two = ("/two/v1/x/v1/chat/completions?a=/v1/b", "Bearer sk-two")
    assert seen == [two, two, ("/three/v1/chat/completions?a=/v1/b", None)]
    servers[0].close()
    up.admission.handler = lambda asked: to_model(asked, "m@1#0")
    assert up.post(ASK).status_code == 200
    assert (servers[1].last.path, servers[1].last["authorization"]) == ("/three/v1/chat/completions", None)
    servers[1].close()
