"""What admission is told about a request, whatever the body holds."""

import http.client
import json
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway_config.running import CHAT, KEY, PATIENCE, Running, admit, error_of
from tests.gateway_config.server import Answer

MIB = 1024 * 1024


def told(up: Running) -> dict[str, str]:
    return {name: value for name, value in up.admission.last.headers if name.startswith("x-maas-")}


def places(body: dict[str, Any], *names: str) -> dict[str, str]:
    """Where the gateway has to find the values of these fields."""
    sent, found = json.dumps(body), {}
    for name in names:
        value = json.dumps(body[name])
        first = sent.index(value, sent.index(json.dumps(name))) + 1
        found[f"x-maas-{name.replace('_', '-')}-at"] = f"{first}-{first + len(value) - 1}"
    return found


def test_the_fields_that_matter(up: Running) -> None:
    body = {
        "model": "chatty",
        "stream": True,
        "max_tokens": 5,
        "max_completion_tokens": 6,
        "max_output_tokens": 7,
        "n_predict": 8,
        "background": False,
        "previous_response_id": "resp_1",
        "conversation": {"id": "conv_1"},
        "n": 2,
        "best_of": 3,
        "stream_options": {"include_usage": True},
    }
    up.post(body)

    assert told(up) == {
        "x-maas-json": "1",
        "x-maas-body-bytes": str(len(json.dumps(body))),
        "x-maas-model": "chatty",
        "x-maas-stream": "true",
        "x-maas-max-tokens": "5",
        "x-maas-max-completion-tokens": "6",
        "x-maas-max-output-tokens": "7",
        "x-maas-n-predict": "8",
        "x-maas-background": "false",
        "x-maas-previous-response-id": "1",
        "x-maas-conversation": "1",
        "x-maas-n": "2",
        "x-maas-best-of": "3",
        "x-maas-include-usage": "true",
        "x-maas-stream-options": '{"include_usage": true}',
        **places(body, "model", "stream_options"),
    }


def test_what_a_body_does_not_say_is_absent(up: Running) -> None:
    up.post({"messages": [], "max_tokens": None})

    assert told(up).keys() == {"x-maas-json", "x-maas-body-bytes"}


def test_the_length_of_a_body_that_comes_in_chunks(up: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", up.gateway.http_port, timeout=PATIENCE)
    headers = {**KEY, "content-type": "application/json"}
    connection.request("POST", CHAT, iter([b'{"model"', b': "chatty"', b"}"]), headers, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()

    assert told(up)["x-maas-body-bytes"] == str(len('{"model": "chatty"}'))


def test_the_length_of_a_body_over_http2(up: Running) -> None:
    body = b'{"model": "chatty"}'
    with socket.create_connection(("127.0.0.1", up.gateway.http_port), PATIENCE) as connection:
        connection.sendall(_http2_request(body[:5], body[5:]))
        received = b""
        while b'"usage"' not in received:
            received += connection.recv(65536)

    assert told(up)["x-maas-body-bytes"] == str(len(body))
    assert told(up)["x-maas-model"] == "chatty"


@pytest.mark.parametrize("path", ["/v1/completions", "/chatty/v1/completions", "/llm/chatty/v1/completions?a=b"])
def test_completions_are_asked_with_their_body_for_admission_counts_prompts(up: Running, path: str) -> None:
    body = {"model": "chatty", "prompt": ["one", "two"]}
    assert up.post(body, path=path).status_code == 200

    assert json.loads(up.admission.last.body) == body
    assert json.loads(up.model.last.body) == body


def test_other_questions_have_no_body(up: Running) -> None:
    up.post({"model": "chatty"})

    assert up.admission.last.body == b""


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "multipart/form-data",
        "application/vnd.api+json",
        "application/jsonx",
        "application/json; charset=utf-16",
        "application/json, application/json",
    ],
)
def test_a_body_of_another_type_is_not_read(up: Running, content_type: str) -> None:
    up.post({"model": "chatty"}, **{"content-type": content_type})

    assert told(up) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"model": "chatty"',
        b'{"model": "chatty"} {"model": "other"}',
        b'{"model": "chatty", "max_tokens": NaN}',
        b'{"model": "chatty", "max_tokens": 01}',
        b'{"model": "chatty",}',
        b"{'model': 'chatty'}",
        b'{"model": "chatty", "x": [\'a\']}',
        b'{"model": "chatty", /* "max_tokens": 9 */ "n": 1}',
        b'{"model": "chatty", "x": [1 // 2]}',
        b'{"model": "chatty", "x": "\\x"}',
        b'{"model": "chatty", "x": "\\u00g0"}',
        b'{"model": "chatty"}\0',
        b"{" + b'"x":1,' * 1100 + b'"model": "chatty"}',
        b'\xef\xbb\xbf{"model": "chatty"}',
        '{"model": "chatty"}'.encode("utf-16"),
        b'{"model": "chatty", "a": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_what_is_not_one_unambiguous_json_object_says_nothing(up: Running, body: bytes) -> None:
    up.admission.handler = lambda asked: admit(asked) if asked["x-maas-json"] else Answer(400)

    assert up.post(body).status_code == 400
    assert told(up) == {}


@pytest.mark.parametrize(
    "value",
    [
        "a\r\nx-maas-route: model",
        "a\n",
        "a\0b",
        "é",
        "x" * 257,
        "x" * MIB,
    ],
)
@pytest.mark.parametrize("field", ["model", "max_tokens"])
def test_what_no_header_can_hold_is_refused_before_the_question(up: Running, field: str, value: Any) -> None:
    answer = up.post({"model": "chatty", field: value})

    assert answer.status_code == 400
    assert error_of(answer)["code"] == "invalid_field"
    assert [asked.path for asked in up.admission.asked] in ([], [f"/knock{CHAT}"])


@pytest.mark.parametrize("value", [b"1e400", b"1" * 300, b'"\\ud800"', b'"chatty\xff"', b'"chatt\\u0079"'])
def test_what_is_a_number_or_a_name_to_some_only_is_refused_before_the_question(up: Running, value: bytes) -> None:
    answer = up.post(b'{"max_tokens": %s}' % value)

    assert (answer.status_code, error_of(answer)["code"]) == (400, "invalid_field")
    assert not up.admission.asked


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"model": "chatty", "model": "other"}', "duplicate"),
        (b'{"model": "chatty", "max_tokens": 1, "x": 2, "max_tokens": 9}', "duplicate"),
        (b'{"model": "chatty", "max_tokens": 1, "max\\u005ftokens": 9}', "name"),
        (b'{"model": "chatty", "Model": "other"}', "name"),
        (b'{"model": "chatty", "\xe2\x84\xaa": 1}', "name"),
        (b'{"model": "chatty", "%s": 1}' % (b"x" * 300), "name"),
        (b'{"stream_options": {"include_usage": true, "include_usage": false}}', "duplicate"),
    ],
)
def test_what_two_servers_could_read_in_two_ways_is_told_to_admission(up: Running, body: bytes, why: str) -> None:
    up.post(body)

    assert told(up) == {"x-maas-json": why}


@pytest.mark.parametrize("content_type", ["Application/JSON", 'application/json; Charset="UTF-8"', "application/json;"])
def test_a_type_may_be_written_in_any_way(up: Running, content_type: str) -> None:
    up.post({"model": "chatty"}, **{"content-type": content_type})

    assert told(up)["x-maas-model"] == "chatty"


def test_a_slash_may_be_escaped_for_php_writes_it_so(up: Running) -> None:
    up.post(b'{"model": "some\\/model"}')

    assert told(up)["x-maas-model"] == "some/model"


@pytest.mark.parametrize(("field", "value"), [("model", 5), ("model", ["x" * 300]), ("stream", "true"), ("n", {})])
def test_a_value_of_another_type_is_told_as_one_that_cannot_be_used(up: Running, field: str, value: Any) -> None:
    up.post({field: value})

    assert told(up)[f"x-maas-{field}"] == "?"


@pytest.mark.parametrize("value", [1.5, 10**30, -1, "5", [1, 2], {"a": 1}, True, "a b; c='d', e:f"])
def test_odd_values_reach_admission_as_they_are(up: Running, value: Any) -> None:
    assert up.post({"model": "chatty", "max_tokens": value}).status_code == 200
    assert "x-maas-max-tokens" in told(up)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["model", "stream", "max_tokens", "n", "stream_options", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=6,
        ),
    )
)
def test_no_body_is_an_error_of_ours(up: Running, body: dict[str, Any]) -> None:
    up.admission.asked.clear()
    assert up.post(json.dumps(body).encode("utf-8", "surrogatepass")).status_code in (200, 400)
    allowed = {"host", "content-length", "authorization"}
    for asked in up.admission.asked:
        assert all(name in allowed or name.startswith("x-") for name in asked.names)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_are_an_error_of_ours(up: Running, body: bytes) -> None:
    assert up.post(body).status_code in (200, 400)


@pytest.mark.parametrize("path", [CHAT, "/v1/completions"])
def test_a_body_within_the_limit_passes(up: Running, path: str) -> None:
    assert up.post(b'{"model": "chatty", "x": "%s"}' % (b"a" * 31 * MIB), path=path).status_code == 200
    assert len(up.model.last.body) > 31 * MIB


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused_in_words(up: Running, chunked: bool) -> None:
    size = 100 * MIB
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    head = f"POST {CHAT} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n{length}\r\n".encode()
    head += b"Authorization: Bearer sk-maas-test\r\n\r\n"
    part = b"100000\r\n" + b"a" * MIB + b"\r\n" if chunked else b"a" * MIB
    received = b""
    with socket.create_connection(("127.0.0.1", up.gateway.http_port), PATIENCE) as connection:
        connection.sendall(head)
        try:
            for _ in range(size // MIB):
                connection.sendall(part)
        except ConnectionError:
            pass  # it does not listen any more, but has said why
        while part := _received(connection):
            received += part

    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"may have 32 MiB" in received
    assert [asked.path for asked in up.admission.asked] == [f"/knock{CHAT}"]


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def test_admission_is_asked_once(up: Running) -> None:
    up.post({"model": "chatty"})

    assert (len(up.admission.asked), len(up.model.asked)) == (1, 1)


def _http2_request(*parts: bytes) -> bytes:
    """Enough of HTTP/2, with prior knowledge, for one request: its headers written out, its body in frames."""

    def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    def header(name: str, value: str) -> bytes:
        return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()

    named = {":method": "POST", ":scheme": "http", ":path": CHAT, ":authority": "h", "content-type": "application/json"}
    block = b"".join(header(name, value) for name, value in (named | KEY).items())
    data = [frame(0, int(part is parts[-1]), 1, part) for part in parts]
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 4, 1, block) + b"".join(data)
