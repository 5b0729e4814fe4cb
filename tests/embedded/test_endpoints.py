"""Several servers for one model, with keys of their own: shares, failover, other names, and nothing that leaks."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.embedded.changing import change
from tests.embedded.sdk import HELLO, openai_client, record_of
from tests.running import Running, eventually, running

SOURCES = Path(__file__).parents[2] / "src"
SECRET = "sk-upstream-0123456789"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


@contextmanager
def simulator(model: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "maas.models.simulator", "--port", "0", "--model", model]
    command += ["--inter-token-latency", "5ms"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            yield process.stderr.readline().rpartition(" ")[2].strip(), process
        finally:
            process.kill()


@dataclass
class Provider:
    """A hosted provider that tells too much: its name, its model's real name, its key in errors, headers of its own."""

    answer: int = 200
    loaded: bool = True
    hangs_up: str = ""  # after it has read a request: "reset", "closed", or "half" of its answer sent
    seen: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    url: str = ""

    def body(self, asked: dict[str, Any]) -> bytes:
        if self.answer != 200:
            told = f"the model giant-9 at {self.url} refused {SECRET} in worker 7"
            return json.dumps({"error": {"message": told, "type": "x", "code": "y"}, "model": "giant-9"}).encode()
        message = {"role": "assistant", "content": 'a "model": "giant-9" in quotes'}
        whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "giant-9-2026-01-01", "usage": USAGE}
        return json.dumps({**whole, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()

    def events(self) -> list[bytes]:
        frame = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "giant-9-2026-01-01"}
        deltas = [{"index": 0, "delta": {"content": word}, "finish_reason": None} for word in ("a", "b", "c")]
        frames = [{**frame, "choices": [delta]} for delta in deltas] + [{**frame, "choices": [], "usage": USAGE}]
        text = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in frames) + b"data: [DONE]\n\n"
        return [text[at : at + 37] for at in range(0, len(text), 37)]  # pieces that end anywhere


@contextmanager
def providing(provider: Provider) -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            provider.seen.append(({key.lower(): value for key, value in self.headers.items()}, asked))
            if provider.hangs_up:
                self.hang_up()
                return
            stream = bool(asked.get("stream")) and provider.answer == 200
            self.send_response(provider.answer if provider.loaded else 503)
            self.send_header("server", "giant-9-frontend")
            self.send_header("x-worker", "7")
            self.send_header("set-cookie", f"session={SECRET}")
            self.send_header("content-type", "text/event-stream" if stream else "application/json")
            if stream:
                self.send_header("connection", "close")
                self.end_headers()
                for piece in provider.events():
                    self.wfile.write(piece)
                    self.wfile.flush()
                self.close_connection = True
                return
            body = provider.body(asked)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def hang_up(self) -> None:
            if provider.hangs_up == "half":
                self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-le")
            elif provider.hangs_up == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True

        def do_GET(self) -> None:
            """Of /health, in a server that accepts connections before it can answer."""
            self.send_response(200 if provider.loaded else 503)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    with running() as platform:
        yield platform


@pytest.fixture
def hosted(up: Running, tmp_path: Path) -> Iterator[Provider]:
    """The model `big`, which its server calls giant-9 and wants a key for."""
    key_file = tmp_path / "key"
    key_file.write_text(SECRET + "\n")
    with providing(Provider()) as provider:
        big = {"runtime": "external", "url": provider.url, "api_key_file": str(key_file), "served_name": "giant-9"}
        change(up, lambda d: d["models"].update(big={**big, "aliases": ["large", "best"]}))
        yield provider
        change(up, lambda d: d["models"].pop("big"))


@pytest.mark.parametrize("called", ["big", "large", "best"])
def test_the_server_gets_its_own_name_and_key(up: Running, hosted: Provider, called: str) -> None:
    answer = up.chat(up.key("named", "open"), model=called)
    assert answer.status_code == 200
    headers, asked = hosted.seen[-1]
    assert (headers["authorization"], asked["model"]) == (f"Bearer {SECRET}", "giant-9")
    assert asked["messages"] == [{"role": "user", "content": "Hello"}]
    assert answer.json()["model"] == "big"
    assert answer.json()["choices"][0]["message"]["content"] == 'a "model": "giant-9" in quotes', "texts stay"
    record = record_of(up, answer.headers["x-request-id"])
    assert (record["model"], record["prompt_tokens"], record["completion_tokens"]) == ("big", 3, 2)


def test_an_alias_is_no_model_of_its_own(up: Running, hosted: Provider) -> None:
    key = up.key("alias", "open")
    with openai_client(up, key) as client:
        assert "large" not in [model.id for model in client.models.list()]
    only = up.key("narrowed", "open", models=["big"])
    assert up.chat(only, model="large").status_code == 200
    assert up.chat(up.key("narrow", "narrow"), model="large").status_code == 403


def _leaks(text: str) -> list[str]:
    return [secret for secret in (SECRET, "giant-9", "127.0.0.1", "worker", "frontend") if secret in text]


def test_a_stream_tells_nothing(up: Running, hosted: Provider) -> None:
    key = up.key("streamed", "open")
    with openai_client(up, key) as client:
        with client.chat.completions.create(model="large", messages=HELLO, stream=True) as stream:
            chunks = list(stream)
        headers = stream.response.headers
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["a", "b", "c"]
    assert {chunk.model for chunk in chunks} == {"big"}
    assert not _leaks(str(headers))
    record = record_of(up, headers["x-request-id"])
    assert (record["source"], record["prompt_tokens"], record["completion_tokens"]) == ("reported", 3, 2)


@pytest.mark.parametrize(
    ("upstream", "status"),
    [(400, 400), (404, 404), (422, 422), (401, 502), (403, 502), (429, 429), (500, 500), (503, 503)],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_tell_nothing(up: Running, hosted: Provider, upstream: int, status: int, stream: bool) -> None:
    hosted.answer = upstream
    answer = up.chat(up.key("errors", "open"), model="big", stream=stream)
    assert answer.status_code == status
    assert not _leaks(answer.text + str(answer.headers))
    error = answer.json()["error"]
    assert error["message"]
    assert error["code"] == ("refused_by_model" if upstream in (400, 404, 422) else "model_unavailable")


@pytest.mark.parametrize(("upstream", "status"), [(400, 400), (401, 502), (429, 429), (500, 500)])
def test_errors_have_the_shape_of_their_dialect(up: Running, hosted: Provider, upstream: int, status: int) -> None:
    hosted.answer = upstream
    body = {"model": "big", "max_tokens": 3, "messages": HELLO}
    headers = {"x-api-key": up.key("dialect", "open")}
    answer = httpx.post(f"{up.url}/v1/messages", json=body, headers=headers, timeout=20.0)
    assert answer.status_code == status
    assert (answer.json()["type"], bool(answer.json()["error"]["message"])) == ("error", True)
    assert not _leaks(answer.text + str(answer.headers))
    assert "type" not in up.chat(up.key("openai", "open"), model="big").json()


@pytest.mark.parametrize("path", ["/v1/messages", "/nowhere/v1/messages"])
def test_a_server_that_is_away_is_told_of_in_anthropic_s_shape(up: Running, path: str) -> None:
    change(up, lambda d: d["models"].update(nowhere={"runtime": "external", "url": "http://127.0.0.1:9"}))
    body = {"model": "nowhere", "max_tokens": 3, "messages": HELLO}
    headers = {"x-api-key": up.key("away", "open")}
    answer = httpx.post(up.url + path, json=body, headers=headers, timeout=20.0)
    assert (answer.status_code, answer.json()["type"]) == (503, "error")
    assert answer.json()["error"]["code"] == "model_unavailable"
    assert "type" not in up.chat(up.key("away", "open"), model="nowhere").json()
    change(up, lambda d: d["models"].pop("nowhere"))


def test_an_administrator_may_show_the_words_of_errors(up: Running, hosted: Provider) -> None:
    hosted.answer = 400
    change(up, lambda d: d["models"]["big"].update(show_errors=True))
    answer = up.chat(up.key("shown", "open"), model="big")
    assert answer.status_code == 400
    assert "refused" in answer.json()["error"]["message"]
    assert not [secret for secret in (SECRET, "giant-9", "127.0.0.1") if secret in answer.text], "but for these"


def test_the_key_is_in_no_place_that_is_shown(up: Running, hosted: Provider) -> None:
    assert SECRET not in json.dumps(up.api.get("/v1/models").json()) + up.api.get("/v1/platform").text
    assert SECRET not in "".join(path.read_text(errors="replace") for path in up.home.logs.iterdir())
    for path in up.home.envoy.iterdir():
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "two words", "käy"])
def test_a_file_without_a_key_is_refused(up: Running, tmp_path: Path, content: str) -> None:
    file = tmp_path / "key"
    file.write_text(content)
    body = {"name": "bad", "runtime": "external", "url": "http://127.0.0.1:9", "api_key_file": str(file)}
    answer = up.api.post("/v1/models", json=body)
    assert answer.status_code == 400
    assert str(file) in answer.text and (not content or content not in answer.text)


def test_a_pipe_is_refused_and_not_waited_for(up: Running, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key")
    body = {"name": "bad", "runtime": "external", "url": "http://127.0.0.1:9", "api_key_file": str(tmp_path / "key")}
    answer = up.api.post("/v1/models", json=body)
    assert answer.status_code == 400
    assert "is no regular file" in answer.text


def _shown(up: Running, hosted: Provider) -> str:
    """The key that the server is shown now."""
    assert up.chat(up.key("rotating", "open"), model="big").status_code == 200
    return hosted.seen[-1][0]["authorization"]


def _health(up: Running, part: str) -> str:
    return str(up.api.get("/health").json()["parts"][part])


def test_a_key_that_is_rotated(up: Running, hosted: Provider, tmp_path: Path) -> None:
    """Nobody has to tell the platform. While the file is away, the key that it held is used on, and told of."""
    assert _shown(up, hosted) == f"Bearer {SECRET}"
    with providing(Provider()) as other:
        beside = tmp_path / "beside"
        beside.write_text("first")
        second = {"runtime": "external", "url": other.url, "api_key_file": str(beside)}
        change(up, lambda d: d["models"].update(second=second))
        (tmp_path / "key").unlink()
        eventually(lambda: str(tmp_path / "key") in _health(up, "credentials"))
        assert SECRET not in _health(up, "credentials")
        beside.write_text("other-key")

        def rotated() -> bool:
            assert up.chat(up.key("beside", "open"), model="second").status_code == 200
            return other.seen[-1][0]["authorization"] == "Bearer other-key"

        eventually(rotated)
        assert _shown(up, hosted) == f"Bearer {SECRET}", "the gateway was described anew without its file"
        (tmp_path / "key").write_text("sk-after")
        eventually(lambda: _shown(up, hosted) == "Bearer sk-after")
        eventually(lambda: _health(up, "credentials") == "ok")
        change(up, lambda d: d["models"].pop("second"))


def test_requests_are_shared_by_weight(up: Running) -> None:
    key = up.key("shared", "open")
    with providing(Provider()) as one, providing(Provider()) as other:
        endpoints = [{"url": one.url, "weight": 3}, {"url": other.url}]
        change(up, lambda d: d["models"].update(pair={"runtime": "external", "endpoints": endpoints}))
        assert all(up.chat(key, model="pair").status_code == 200 for _ in range(80))
        assert len(one.seen) + len(other.seen) == 80
        assert 45 <= len(one.seen) <= 74, "60 are to be expected; less than once in 10 000 runs it is another number"
        change(up, lambda d: d["models"].pop("pair"))


def test_a_server_that_is_killed_under_load(up: Running) -> None:
    """No request fails but those that it was answering; and when it comes back, it gets its share again."""
    key = up.key("killed", "open")
    results: Counter[int] = Counter()
    with simulator("pair") as (one, first), simulator("pair") as (other, _):
        change(
            up, lambda d: d["models"].update(pair={"runtime": "external", "endpoints": [{"url": one}, {"url": other}]})
        )
        assert up.chat(key, model="pair", max_tokens=3).status_code == 200
        in_flight = 0
        stop = threading.Event()

        def load() -> None:
            while not stop.is_set():
                results[up.chat(key, model="pair", max_tokens=5).status_code] += 1

        with ThreadPoolExecutor(4) as pool:
            running_load = [pool.submit(load) for _ in range(4)]
            eventually(lambda: results[200] >= 40)
            in_flight = 4
            first.send_signal(signal.SIGKILL)
            killed_at = results[200]
            eventually(lambda: results[200] >= killed_at + 100)
            stop.set()
            for done in running_load:
                done.result()
        failed = sum(count for status, count in results.items() if status != 200)
        assert failed <= in_flight, results
        assert set(results) <= {200, 503}
    change(up, lambda d: d["models"].pop("pair"))


def test_a_server_that_is_loading_is_passed_over(up: Running) -> None:
    """It accepts connections already, as llama.cpp's and vLLM do, and says 503 to whoever asks."""
    key = up.key("loading", "open")
    with providing(Provider(loaded=False)) as loading, providing(Provider()) as other:
        endpoints = [{"url": loading.url, "weight": 3}, {"url": other.url}]
        change(up, lambda d: d["models"].update(pair={"runtime": "external", "endpoints": endpoints}))
        assert {up.chat(key, model="pair").status_code for _ in range(20)} == {200}
        assert not loading.seen
        loading.loaded = True
        eventually(lambda: up.chat(key, model="pair").status_code == 200 and loading.seen)
        loading.loaded = False
        before = len(other.seen)
        eventually(lambda: up.chat(key, model="pair").status_code == 200 and len(other.seen) > before + 10)
        change(up, lambda d: d["models"].pop("pair"))


@pytest.mark.parametrize("hangs_up", ["reset", "closed", "half"])
def test_a_request_that_a_server_has_read_goes_to_no_other(up: Running, hangs_up: str) -> None:
    """It may have been answered already, and paid for."""
    key = up.key(f"once-{hangs_up}", "open")
    with providing(Provider(hangs_up=hangs_up)) as one, providing(Provider(hangs_up=hangs_up)) as other:
        endpoints = [{"url": one.url}, {"url": other.url}]
        change(up, lambda d: d["models"].update(pair={"runtime": "external", "endpoints": endpoints}))
        answers = [up.chat(key, model="pair", user=str(number)) for number in range(20)]
        assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {
            (503, "model_unavailable")
        }
        read = Counter(asked["user"] for _, asked in one.seen + other.seen)
        assert read["0"] == 1, "the first one met a server, since both were believed well"
        assert set(read.values()) == {1}
        one.hangs_up = other.hangs_up = ""
        eventually(lambda: up.chat(key, model="pair").status_code == 200)
        change(up, lambda d: d["models"].pop("pair"))


def test_when_all_are_down_it_says_so_at_once(up: Running) -> None:
    key = up.key("down", "open")
    dead = [{"url": "http://127.0.0.1:9"}, {"url": "http://127.0.0.1:19"}]
    change(up, lambda d: d["models"].update(pair={"runtime": "external", "endpoints": dead}))
    began = time.monotonic()
    answer = up.chat(key, model="pair")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert time.monotonic() - began < 5
    assert up.chat(key).status_code == 200, "the others serve on"
    change(up, lambda d: d["models"].pop("pair"))
