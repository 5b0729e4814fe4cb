"""A large body is read only once its key is known, and holds nobody up."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from maas.embedded.envoy import names
from tests.gateway_config.running import CHAT, KEY, PATIENCE, Running

MIB = 2**20
KNOCK, ASK = f"/knock{CHAT}", f"/authz{CHAT}"
BRACKETS = b'{"model":"x","x":[' + b"[]," * 10_000_000 + b"[]]}"


def head(length: str, key: bool = False, path: str = CHAT) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: h", "Content-Type: application/json", length]
    lines += [f"Authorization: {KEY['authorization']}"] if key else []
    return "\r\n".join([*lines, "", ""]).encode()


def asked(up: Running) -> list[str]:
    return [question.path for question in up.admission.asked]


@pytest.mark.parametrize(("more", "paths"), [(0, [ASK]), (1, [KNOCK, ASK])])
def test_only_before_a_large_body_is_admission_asked_twice(up: Running, more: int, paths: list[str]) -> None:
    frame = b'{"model": "chatty", "x": ""}'
    assert up.post(frame[:-2] + b"x" * (names.SMALL_BODY - len(frame) + more) + frame[-2:]).status_code == 200
    assert asked(up) == paths


def test_a_body_that_comes_in_chunks_may_be_large(up: Running) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", up.gateway.http_port, timeout=PATIENCE)) as client:
        fields = {**KEY, "content-type": "application/json"}
        client.request("POST", CHAT, iter([b"{}"]), fields, encode_chunked=True)
        assert client.getresponse().status == 200
    assert asked(up) == [KNOCK, ASK]


@pytest.mark.parametrize("path", [CHAT, "/v1/completions", "/v1/embeddings", "/nowhere"])
@pytest.mark.parametrize("length", ["Content-Length: 30000000", "Transfer-Encoding: chunked"])
def test_without_a_key_the_body_is_not_waited_for(up: Running, path: str, length: str) -> None:
    assert up.raw(head(length, path=path)).startswith(b"HTTP/1.1 401 ")
    assert asked(up) == [f"/knock{path}"]


@pytest.mark.parametrize("path", [CHAT, "/v1/completions"])
def test_nor_is_that_of_another_method(up: Running, path: str) -> None:
    request = head("Content-Length: 30000000", path=path).replace(b"POST", b"PUT")
    assert up.raw(request).startswith(b"HTTP/1.1 401 ")


def test_a_crowd_without_keys_takes_no_memory(up: Running) -> None:
    """50 that send 30 of 31 MB each took 1.6 GB when bodies were read first."""
    up.post({"model": "chatty"})
    before, part = _resident(up), b"a" * 30 * MIB
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(50) as pool:

        def send() -> None:
            with contextlib.suppress(OSError):
                connection = socket.create_connection(("127.0.0.1", up.gateway.http_port), PATIENCE)
                stack.enter_context(connection)
                connection.sendall(head(f"Content-Length: {31 * MIB}") + part)

        senders = [pool.submit(send) for _ in range(50)]
        most = before
        while not all(sender.done() for sender in senders):
            most = max(most, _resident(up))
            time.sleep(0.01)
    assert most - before < 150 * MIB


@pytest.mark.alone
@pytest.mark.parametrize("key", [True, False])
def test_no_body_holds_others_up(up: Running, key: bool) -> None:
    """15 s, when the whole of it was parsed."""
    with _watching(up) as delays, socket.create_connection(("127.0.0.1", up.gateway.http_port), PATIENCE) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(head(f"Content-Length: {len(BRACKETS)}", key) + BRACKETS)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 " if key else b"HTTP/1.1 401 ")
    assert max(delays) < 1.0


@contextlib.contextmanager
def _watching(up: Running) -> Iterator[list[float]]:
    """How long other requests take meanwhile."""
    delays: list[float] = []
    over = threading.Event()

    def look() -> None:
        with up.client() as client:
            while not over.wait(0.005):
                began = time.monotonic()
                client.get("/health")
                delays.append(time.monotonic() - began)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield delays
    finally:
        over.set()
        watcher.join()


def _resident(up: Running) -> int:
    return int(Path(f"/proc/{up.process.pid}/statm").read_text().split()[1]) * 4096
