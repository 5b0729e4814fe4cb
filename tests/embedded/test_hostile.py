"""Attackers and careless clients: nothing gets past the ledger, nothing breaks, and no answer tells too much.

Requests are written to sockets by hand: a client library would mend most of them.
"""

import contextlib
import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from maas.domain import settlement
from maas.domain.admission import Dialect, Request
from maas.embedded.supervisor import client as supervisor
from tests.running import PATIENCE, Running, eventually, running, stopped

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
ASK: dict[str, object] = {"model": "simulator", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3}
MIB = 2**20
MOST = 10**9
NOT_FOR_CLIENTS = re.compile(rb"Traceback|site-packages|\.py\b|\.sock|/tmp/|127\.0\.0\.1|x-maas-|%\w+%", re.IGNORECASE)
FUZZ = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    """After all that was done to it: nothing had to be restarted, and the model saw nothing that the ledger did not."""
    with running("time-to-first-token: 5ms, inter-token-latency: 2ms") as platform:
        yield platform
        status = supervisor.status(platform.home)
        assert status is not None
        assert {process.name: process.restarts for process in status.processes if process.restarts} == {}
        starts = [line["request_id"] for line in platform.requests_seen() if line["event"] == "start"]
        assert len(starts) == len(set(starts))
        eventually(lambda: set(starts) <= {record["request_id"] for record in platform.records()})


@pytest.fixture(scope="module")
def key(up: Running) -> str:
    return up.key("attacker", "open")


def written(
    body: object = b"",
    key: str | None = None,
    *,
    path: str | bytes = CHAT,
    method: str = "POST",
    headers: Sequence[str | bytes] = (),
    host: str = "h",
    close: bool = True,
) -> bytes:
    """A request as it goes over the wire."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [b"%s %s HTTP/1.1" % (method.encode(), _bytes(path)), b"Host: " + host.encode()]
    lines += [b"Authorization: Bearer " + key.encode()] if key else []
    lines += [b"Content-Type: application/json", b"Content-Length: %d" % len(content)]
    lines += [b"Connection: close"] if close else []
    return b"\r\n".join([*lines, *map(_bytes, headers)]) + b"\r\n\r\n" + content


def exchanged(up: Running, data: bytes, *, to_the_end: bool = False) -> tuple[int, bytes]:
    """Status and what came back, which must be fit for anybody's eyes. Status 0: no answer.

    to_the_end: of the connection, which Envoy leaves open for a second after it refused what it could not read.
    """
    received = b""
    with socket.create_connection(("127.0.0.1", up.http_port), PATIENCE) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
        with contextlib.suppress(ConnectionError):
            while (to_the_end or not _whole(received)) and (part := connection.recv(65536)):
                received += part
    found = re.match(rb"HTTP/1\.1 (\d{3})", received)
    leaked = NOT_FOR_CLIENTS.search(received)
    assert leaked is None or leaked.group() in data, received
    return int(found.group(1)) if found else 0, received


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _whole(received: bytes) -> bool:
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return length is not None and len(body) >= int(length.group(1))


def _record(up: Running, answer: bytes) -> dict[str, Any]:
    """The one record of the request that was answered so."""
    wanted = _id(answer)
    return eventually(lambda: next((r for r in up.records() if r["request_id"] == wanted), None)) or {}


def _id(answer: bytes) -> str:
    found = re.search(rb"x-request-id: (\S+)", answer)
    assert found, answer
    return found.group(1).decode()


# --- credentials and headers


@pytest.mark.parametrize("second", ["the same", "another", "nonsense"])
@pytest.mark.parametrize("name", ["Authorization: Bearer ", "x-api-key: "])
def test_two_credentials_of_one_kind_are_none(up: Running, key: str, name: str, second: str) -> None:
    others = {"the same": key, "another": up.key("another", "open"), "nonsense": "sk-maas-nonsense"}
    for pair in ([key, others[second]], [others[second], key]):
        status, _ = exchanged(up, written(ASK, headers=[name + value for value in pair]))
        assert status == 401


def test_authorization_counts_before_x_api_key(up: Running, key: str) -> None:
    narrow = up.key("narrow", "narrow")
    assert exchanged(up, written(ASK, narrow, headers=[f"x-api-key: {key}"]))[0] == 403
    assert exchanged(up, written(ASK, "wrong", headers=[f"x-api-key: {key}"]))[0] == 401


FORGED = [
    "x-maas-route: model",
    "x-maas-cluster: control",
    "X-MAAS-Json: 1",
    "x-maas-key: 00",
    "x-maas-model: other",
    "x-maas-force-usage: 0",
    "x_maas_route: discovery",
    "x-envoy-original-path: /v1/models",
    "x-envoy-retry-on: 5xx",
    "x-envoy-max-retries: 9",
    "x-envoy-upstream-rq-timeout-ms: 1",
    "x-forwarded-for: 127.0.0.1",
    "x-forwarded-host: other.maas.local",
    "x-request-id: mine",
    "x-original-url: /v1/models",
    "x-http-method-override: GET",
]


def test_forged_headers_open_nothing_and_change_nothing(up: Running, key: str) -> None:
    assert exchanged(up, written(ASK, headers=FORGED))[0] == 401
    ids = set()
    for _ in range(2):
        status, answer = exchanged(up, written(ASK, key, headers=FORGED))
        assert status == 200
        assert _record(up, answer)["model"] == "simulator"
        ids.add(_id(answer))
    assert len(ids) == 2
    assert "mine" not in ids


def test_headers_named_as_hop_by_hop_take_only_themselves_away(up: Running, key: str) -> None:
    named = "Connection: close, authorization, x-request-id, content-type, x-maas-json, x-maas-route"
    assert exchanged(up, written(ASK, key, headers=[named], close=False))[0] == 401


def test_too_many_headers_for_those_of_the_platform(up: Running, key: str) -> None:
    status, answer = exchanged(up, written(ASK, key, headers=[f"x-h{n}: 1" for n in range(93)]))
    assert (status, b"too_many_headers" in answer) == (431, True)


BAD_VALUES = st.binary(max_size=40).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))


@FUZZ
@given(st.lists(st.tuples(st.sampled_from(["Authorization", "x-api-key", "Host", "X-Maas-N", "x"]), BAD_VALUES)))
@example([("Authorization", b"Bearer \xff")])
@example([("x-api-key", b"\xff\xfe")])
@example([("Authorization", b"Bearer " + b"x" * 50_000)])
def test_no_header_is_an_error_of_ours(up: Running, fields: list[tuple[str, bytes]]) -> None:
    status, _ = exchanged(up, written(ASK, headers=[name.encode() + b": " + value for name, value in fields]))
    assert 400 <= status < 500


# --- paths, methods and framing


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("//v1/../v1/models", 200),
        ("/v1/../authz/v1/models", 200),
        ("/authz/v1/models", 200),
        ("/authz/authz/v1/models", 404),
        ("/metrics", 404),
        ("/v1/%2e%2e/metrics", 404),
        ("/v1%2fmodels", 400),
        ("/v1%5cmodels", 400),
        ("/v1/models%00", 400),
        ("/v1/models;a=b", 404),
        ("/v1/models%3Fa", 404),
        ("/v1/models/%ff", 404),
        ("/v1/models/%ed%a0%80", 404),
        ("/v1/models#x", 400),
        ("/" + "a" * 50_000, 404),
        ("/v1/models?" + "a" * 70_000, 431),
        (b"/v1/models?\xff", 400),
        ("*", 400),
        ("/simulator/v1/../admin/config", 404),
        ("http://h/v1/models", 200),
    ],
)
def test_path_tricks(up: Running, key: str, path: str | bytes, status: int) -> None:
    """200 is a list of models; those of a model that is called "authz" are none."""
    assert exchanged(up, written(key=key, path=path, method="GET"))[0] == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "FOO", "get"])
def test_models_are_listed_by_get_only(up: Running, key: str, method: str) -> None:
    assert exchanged(up, written(key=key, path="/v1/models", method=method))[0] in (400, 405)


@pytest.mark.parametrize("path", ["/other/v1/chat/completions", "/llm/other/v1/../v1/chat/completions"])
def test_where_two_models_are_named_neither_is_called(up: Running, key: str, path: str) -> None:
    status, answer = exchanged(up, written(ASK, key, path=path))
    assert (status, b"unclear" in answer) == (400, True)
    assert exchanged(up, written(ASK, key, host="other.maas.local:99"))[0] == 400
    assert exchanged(up, written(ASK, key, path=f"{CHAT}?model=other"))[0] == 200


CONTENT = json.dumps(ASK).encode()
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(CONTENT), CONTENT)


@pytest.mark.parametrize(
    ("fields", "body", "statuses"),
    [
        (["Content-Length: 5", "Transfer-Encoding: chunked"], CHUNKED, {400}),
        (["Transfer-Encoding: xchunked"], CHUNKED, {501}),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], CHUNKED, {501}),
        (["Content-Length: 3", f"Content-Length: {len(CONTENT)}"], CONTENT, {400}),
        (["Content-Length: -1"], CONTENT, {400}),
        (["Content-Length: 99999999999999999999"], CONTENT, {400}),
        (["Content-Length: 10"], CONTENT, {400}),
        (["Content-Length : 10"], CONTENT, {400}),
        (["Transfer-Encoding: chunked"], b"-1\r\n", {400}),
        (["Transfer-Encoding: chunked"], b"ffffffffffffffffff\r\n", {400}),
        (["Transfer-Encoding: chunked"], CHUNKED[:-2] + b"x-request-id: mine\r\nx-maas-route: model\r\n\r\n", {200}),
        ([f"Content-Length: {len(CONTENT)}", "Upgrade: websocket", "Connection: Upgrade"], CONTENT, {403}),
        ([f"Content-Length: {len(CONTENT)}", "Expect: 100-continue"], CONTENT, {100}),
        ([f"Content-Length: {len(CONTENT)}", "Content-Encoding: gzip"], b"\x1f\x8b" + CONTENT[2:], {400}),
    ],
)
def test_framing_tricks(up: Running, key: str, fields: list[str], body: bytes, statuses: set[int]) -> None:
    head = [f"POST {CHAT} HTTP/1.1", "Host: h", f"Authorization: Bearer {key}", "Content-Type: application/json"]
    close = [] if any("Upgrade" in field for field in fields) else ["Connection: close"]
    asked = "\r\n".join([*head, *fields, *close]).encode() + b"\r\n\r\n" + body
    status, answer = exchanged(up, asked, to_the_end=True)
    assert status in statuses
    assert answer.count(b'"usage"') <= 1, "a second request came out of the first one's body"


# --- bodies


NUMBERS: list[object] = [-1, 0, 1, 2, 2.5, 1e18, 2**63, 2**64, 10**30, MOST]
OTHERS: list[object] = ["abc", "5", " 5 ", "nan", "inf", "true", "", True, False, None, [], [1], {}]
OPTIONS: list[object] = [{"include_usage": False}, {"include_usage": None}, {"include_usage": "x"}]
AWKWARD = st.sampled_from(NUMBERS + OTHERS + OPTIONS)
FIELDS = ["max_tokens", "max_completion_tokens", "n", "best_of", "stream", "stream_options", "seed", "model"]


@FUZZ
@given(st.dictionaries(st.sampled_from(FIELDS), AWKWARD, max_size=3))
@example({"stream": 1})
@example({"stream": True, "stream_options": None})
@example({"stream": True, "stream_options": {"include_usage": False}})
@example({"n": MOST})
def test_odd_values_are_refused_or_charged_as_the_model_counted(up: Running, key: str, odd: dict[str, Any]) -> None:
    status, answer = exchanged(up, written({**ASK, **odd}, key))
    assert status == 200 or 400 <= status < 500
    if status == 200:
        record = _record(up, answer)
        seen = up.ended(_id(answer))
        assert (record["prompt_tokens"], record["completion_tokens"], bool(record["stream"])) == (
            seen["prompt_tokens"],
            seen["completion_tokens"],
            seen["stream"],
        )


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"other","model":"simulator","messages":[{"role":"user","content":"a"}]}',
        b'{"model":"other","mod\\u0065l":"simulator","messages":[{"role":"user","content":"a"}]}',
        b'{"model":"simulator","stream":false,"str\\u0065am":true,"messages":[{"role":"user","content":"a"}]}',
        b'{"model":"simulator","max_tokens":1,"max_tokens":400,"messages":[{"role":"user","content":"a"}]}',
        b'{"model":"simulator","messages":[{"role":"user","content":"\xff"}]}',
        b'\xef\xbb\xbf{"model":"simulator","messages":[{"role":"user","content":"a"}]}',
        b'{"model":"simulator","messages":[{"role":"user","content":"a"}]}\0 }',
        b"{'model':'simulator','messages':[{'role':'user','content':'a'}]}",
        json.dumps(ASK).encode("utf-16"),
        b'{"model":"simulator","messages":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"model":"simulator\\n","messages":[]}',
        '{"model":"s\u0131mulator","messages":[]}'.encode(),
        b'{"Model":"simulator","messages":[{"role":"user","content":"a"}]}',
    ],
)
def test_what_two_parsers_could_read_in_two_ways_is_not_served(up: Running, key: str, body: bytes) -> None:
    assert exchanged(up, written(body, key))[0] == 400


def test_a_body_of_100_mb(up: Running, key: str) -> None:
    assert exchanged(up, written(b"x" * 100 * MIB, key))[0] == 413


def test_a_large_body_is_refused_before_it_is_sent_unless_its_key_is_good(up: Running, key: str) -> None:
    """And a refusal is noted down, like any other."""
    large = [f"Content-Length: {30 * MIB}", "Content-Type: application/json"]
    for sent in (None, "sk-maas-nonsense"):
        fields = large + ([f"Authorization: Bearer {sent}"] if sent else [])
        status, answer = exchanged(up, "\r\n".join([f"POST {CHAT} HTTP/1.1", "Host: h", *fields, "", ""]).encode())
        assert (status, b"invalid_api_key" in answer) == (401, sent is not None)
    status, answer = exchanged(up, written({**ASK, "x": [[]] * 100_000}, key))
    assert status == 200
    assert _record(up, answer)["model"] == "simulator"


@pytest.mark.parametrize("path", ["/simulator" + CHAT, "/llm/simulator" + CHAT])
@pytest.mark.parametrize("more", [{}, {"model": None}, {"stream": True}])
def test_a_model_named_by_the_path_only_is_told_its_name(
    up: Running, key: str, path: str, more: dict[str, object]
) -> None:
    asked = {name: value for name, value in ASK.items() if name != "model"}
    status, answer = exchanged(up, written({**asked, **more}, key, path=path))
    assert status == 200
    assert _record(up, answer)["model"] == "simulator"


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [("background", True, b"background"), ("background", 1, b"background"), ("stream", "true", b"true or false")],
)
def test_what_could_not_be_metered_is_not_served(up: Running, key: str, field: str, value: object, why: bytes) -> None:
    body = {"model": "simulator", "input": "one two", "max_output_tokens": 3, field: value}
    status, answer = exchanged(up, written(body, key, path="/v1/responses"))
    assert (status, why in answer) == (400, True)


@pytest.mark.parametrize("field", ["previous_response_id", "conversation"])
def test_a_prompt_that_the_server_remembers_has_no_bound(up: Running, field: str) -> None:
    key = up.key(f"remembered-{field}", "tokens")
    exchanged(
        up,
        written({"model": "simulator", "input": "one", "max_output_tokens": 3, field: "x"}, key, path="/v1/responses"),
    )
    admitted = eventually(lambda: [line for line in _decisions(up) if line.get("user") == f"remembered-{field}"])
    assert [hold[-1] for hold in admitted[0]["holds"]] == [True]


def test_a_body_that_would_take_long_to_count_is_not_counted(up: Running, key: str) -> None:
    prompts = [""] * (MIB // 3)
    status, answer = exchanged(up, written({"model": "simulator", "prompt": prompts}, key, path=COMPLETIONS))
    assert (status, b"1 MiB" in answer) == (400, True)


# --- spending

PROMPT = {"prompt": ["a b", "c", "d e f", "g"]}
DIALECTS: dict[str, tuple[str, Mapping[str, object]]] = {
    "chat": (CHAT, ASK | {"max_tokens": 40}),
    "completions": (COMPLETIONS, PROMPT | {"max_tokens": 40}),
    "tokens": (COMPLETIONS, {"prompt": [[1, 2, 3], [4, 5]], "max_tokens": 40}),
    "responses": ("/v1/responses", {"input": "one two", "max_output_tokens": 40}),
    "messages": ("/v1/messages", ASK | {"max_tokens": 40}),
    "embeddings": ("/v1/embeddings", {"input": ["a b", "c d e"]}),
}
WAYS: dict[str, Mapping[str, object]] = {
    "whole": {},
    "three answers": {"n": 3},
    "streamed": {"stream": True},
    "three streamed": {"stream": True, "n": 3},
    "without usage": {"stream": True, "stream_options": {"include_usage": False}},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_is_free(up: Running, key: str, dialect: str, way: str) -> None:
    """Whole answers cost what the model counted; those that are cut off early, late or before they begin no less."""
    path, content = DIALECTS[dialect]
    asked = written({"model": "simulator", "ignore_eos": True, **content, **WAYS[way]}, key, path=path)
    before = {record["request_id"] for record in up.records()}
    _, answer = exchanged(up, asked)
    for read in (0, 300, 3000):
        _cut_off(up, asked, read)
    seen = eventually(lambda: _all_ended(up, besides=before))
    records = eventually(lambda: _records_of(up, seen))
    for request_id, line in seen.items():
        record = records[request_id]
        paid, spent = record["total"], line["prompt_tokens"] + line["completion_tokens"]
        assert paid == spent if request_id == _id(answer) else paid >= spent, (record, line)


def test_many_prompts_are_many_answers(up: Running) -> None:
    """Each of 20 requests at once would spend 8 × 21 tokens: no more than one of them may pass the limit of 200."""
    key = up.key("prompts", "tokens")
    asked = written(
        {"model": "simulator", "prompt": ["w"] * 8, "max_tokens": 20, "ignore_eos": True}, key, path=COMPLETIONS
    )
    with ThreadPoolExecutor(20) as pool:
        statuses = [status for status, _ in pool.map(lambda _: exchanged(up, asked), range(20))]
    assert set(statuses) == {200, 429}
    assert eventually(lambda: up.usage().get("prompts"))["total_tokens"] < 200 + 8 * 21


def test_no_bound_is_no_bound(up: Running) -> None:
    """llama.cpp takes -1 for as much as there is; what is held for it must not be nothing."""
    key = up.key("unbounded", "tokens")
    assert exchanged(up, written({**ASK, "max_tokens": -1}, key))[0] == 400, "by the simulator"
    admitted = eventually(lambda: [line for line in _decisions(up) if line.get("user") == "unbounded"])
    assert [hold[-1] for hold in admitted[0]["holds"]] == [True]


# --- hanging up


def test_hanging_up_on_absurd_numbers_does_not_stop_the_ledger(up: Running) -> None:
    key = up.key("absurd", "open")
    absurd = {"model": "simulator", "prompt": ["a"] * 100, "max_tokens": 40, "ignore_eos": True, "best_of": MOST}
    before = len(up.requests_seen())
    with socket.create_connection(("127.0.0.1", up.http_port), PATIENCE) as connection:
        connection.sendall(written(absurd, key, path=COMPLETIONS))
        eventually(lambda: len(up.requests_seen()) > before)
    _cut_off(up, written({**ASK, "n": MOST, "max_tokens": MOST}, key), 0)
    _, answer = exchanged(up, written(ASK, key))
    assert _record(up, answer)["outcome"] == "complete"
    prompts = 1000  # of three requests; both that were cut off may have got as far as the model
    assert 40 * 100 <= up.usage()["absurd"]["total_tokens"] < 2 * settlement.UNSEEN_AT_MOST + prompts


def test_what_nobody_saw_fits_into_a_column() -> None:
    asked = Request("id", Dialect.COMPLETIONS, "model", False, MOST, max_tokens=MOST, answers=MOST * MOST)
    assert settlement.lost(asked).completion_tokens == settlement.UNSEEN_AT_MOST


def test_hanging_up_before_admission_has_read_the_question(up: Running, key: str) -> None:
    """Its reservation must not outlive it, and no model got it: it costs nothing."""
    early = up.key("early", "tokens")
    pid = up.pid("control")
    with _stream_under_way(up, key):
        os.kill(pid, signal.SIGSTOP)
        eventually(lambda: stopped(pid))
        try:
            before = up.home.access_log.read_text().count("downstream_remote_disconnect")
            for _ in range(5):
                _cut_off(up, written(ASK, early), 0, after=0.05)
            eventually(lambda: up.home.access_log.read_text().count("downstream_remote_disconnect") >= before + 5)
        finally:
            os.kill(pid, signal.SIGCONT)
        eventually(lambda: exchanged(up, written(ASK, early))[0] == 200)
        eventually(lambda: {r["request_id"] for r in up.records() if r["user"] == "early"} >= up.admitted("early"))
    assert sum(r["prompt_tokens"] > 0 for r in up.records() if r["user"] == "early") == 1


# --- crowds, and what is left behind


def test_a_crowd_is_answered(up: Running) -> None:
    """300 at once from one user whose limit lets few pass, and 500 idle connections: others are served meanwhile."""
    crowd, other = up.key("crowd", "tokens"), up.key("not-the-crowd", "open")
    with contextlib.ExitStack() as stack:
        for _ in range(500):
            stack.enter_context(socket.create_connection(("127.0.0.1", up.http_port))).sendall(b"POST / HTTP/1.1\r\nHo")
        pool = stack.enter_context(ThreadPoolExecutor(300))
        asked = written({**ASK, "max_tokens": None}, crowd)
        answers = [pool.submit(exchanged, up, asked) for _ in range(300)]
        assert exchanged(up, written(ASK, other))[0] == 200
        assert {answer.result()[0] for answer in answers} <= {200, 429}


def test_long_paths_are_not_kept(up: Running, key: str) -> None:
    exchanged(up, written(ASK, key, path=f"{CHAT}?{'q' * 30_000}"))
    exchanged(up, written(ASK, key, path=f"/{'q' * 30_000}"))
    assert max(len(json.dumps(line)) for line in _decisions(up)) < 2000
    assert max(map(len, up.home.access_log.read_text().splitlines())) < 2000


def test_keys_and_prompts_are_nowhere(up: Running) -> None:
    """In no file, no command line and no environment."""
    secret, prompt = up.key("secretive", "open"), "a-prompt-for-nobody-else"
    words = [{"role": "user", "content": prompt}]
    assert exchanged(up, written({**ASK, "messages": words}, secret, path=f"{CHAT}?api_key={secret}"))[0] == 200
    assert exchanged(up, written({"messages": words}, secret))[0] == 400
    assert eventually(lambda: up.usage().get("secretive"))
    status = supervisor.status(up.home)
    assert status is not None
    processes = [Path(f"/proc/{p.pid}/{name}") for p in status.processes for name in ("environ", "cmdline")]
    files = [path for path in up.home.root.rglob("*") if path.is_file()]
    holding = [
        path
        for path in files + processes
        if secret.encode() in (content := path.read_bytes()) or prompt.encode() in content
    ]
    assert holding == []


def test_the_home_is_its_owners(up: Running) -> None:
    paths = [up.home.root, *up.home.root.rglob("*")]
    assert [path for path in paths if path.is_dir() and path.stat().st_mode & 0o077] == []
    assert [path for path in paths if path.is_socket() and path.stat().st_mode & 0o077] == []


def _cut_off(up: Running, data: bytes, read: int, after: float = 0.0) -> None:
    """Send all of it, read so many bytes of what comes back, and hang up after so many seconds."""
    with socket.create_connection(("127.0.0.1", up.http_port), PATIENCE) as connection:
        connection.sendall(data)
        while read > 0 and (part := connection.recv(read)):
            read -= len(part)
        time.sleep(after)


@contextlib.contextmanager
def _stream_under_way(up: Running, key: str) -> Iterator[None]:
    """Which keeps the control plane reading the access log."""
    with socket.create_connection(("127.0.0.1", up.http_port), PATIENCE) as connection:
        connection.sendall(written({**ASK, "stream": True, "max_tokens": 4000, "ignore_eos": True}, key))
        assert connection.recv(100)
        yield


def _decisions(up: Running) -> list[dict[str, Any]]:
    return [json.loads(line) for path in up.home.journal.glob("decisions-*") for line in path.read_text().splitlines()]


def _all_ended(up: Running, besides: set[str]) -> dict[str, dict[str, Any]] | None:
    """The model's last word on all requests but these, once it works on none of them any more."""
    lines = [line for line in up.requests_seen() if line["request_id"] not in besides]
    ended = {line["request_id"]: line for line in lines if line["event"] == "end"}
    return ended if ended and len(ended) * 2 == len(lines) else None


def _records_of(up: Running, ids: Mapping[str, object]) -> dict[str, dict[str, Any]] | None:
    found = {r["request_id"]: {**r, "total": r["prompt_tokens"] + r["completion_tokens"]} for r in up.records()}
    return found if ids.keys() <= found.keys() else None
