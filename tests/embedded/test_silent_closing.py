"""External servers that close connections: announced, or without a word, as llama.cpp's does after each stream."""

import io
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.embedded.changing import change
from tests.running import Running

_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
_FRAME: dict[str, Any] = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}


class Server(socketserver.ThreadingTCPServer):
    """After a stream, it drops the connection as soon as it hears of the next request: the worst of all moments.

    One that was asked to close announces it, and does so at once, as llama.cpp's does. served: requests by connection.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.served: list[int] = []
        self.dropped = 0


class _Handler(socketserver.StreamRequestHandler):
    server: Server
    rfile: io.BufferedReader

    def handle(self) -> None:
        """Of the platform's checks, nothing but that somebody is here."""
        if self.rfile.peek(3).startswith(b"GET"):
            self.wfile.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            return
        at = len(self.server.served)
        self.server.served.append(0)
        streamed = False
        while (request := self._request()) is not None:
            if streamed:
                self.server.dropped += 1
                return
            streamed, closes = request
            self.server.served[at] += 1  # before the answer: who has it may count at once
            self._answer(streamed, closes)
            if closes:
                return

    def _request(self) -> tuple[bool, bool] | None:
        """Whether it wants a stream, and whether the connection shall be closed."""
        if not self.rfile.readline():
            return None
        headers = {}
        while line := self.rfile.readline().strip().decode():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = json.loads(self.rfile.read(int(headers["content-length"])))
        return bool(body.get("stream")), headers.get("connection") == "close"

    def _answer(self, streamed: bool, closes: bool) -> None:
        choice = {"index": 0, "finish_reason": "stop"}
        if streamed:
            frame = {**_FRAME, "choices": [{**choice, "delta": {"content": "x"}}], "usage": _USAGE}
            body = b"data: " + json.dumps(frame).encode() + b"\n\ndata: [DONE]\n\n"
            kind, length, body = (
                "text/event-stream",
                "transfer-encoding: chunked",
                b"%x\r\n%s\r\n0\r\n\r\n"
                % (
                    len(body),
                    body,
                ),
            )
        else:
            message = {"role": "assistant", "content": "x"}
            body = json.dumps({**_FRAME, "choices": [{**choice, "message": message}], "usage": _USAGE}).encode()
            kind, length = "application/json", f"content-length: {len(body)}"
        closing = "connection: close\r\n" if closes else ""
        self.wfile.write(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{length}\r\n{closing}\r\n".encode() + body)


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("endpoints", [1, 2])
def test_no_request_meets_the_closing(up: Running, endpoints: int) -> None:
    """Streams and whole answers by turns; whole answers share connections."""
    key = up.key(f"silent-{endpoints}", "open")
    with serving() as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        spec = {"url": url} if endpoints == 1 else {"endpoints": [{"url": url}, {"url": "http://127.0.0.1:9"}]}
        change(up, lambda d: d["models"].update(silent={"runtime": "external", **spec}))
        answers = [up.chat(key, model="silent", stream=stream) for stream in (True, False, False, True, True, False)]
        assert [answer.status_code for answer in answers] == [200] * 6
        assert server.dropped == 0
        assert sum(server.served) == 6
        assert max(server.served) > 1, "connections are used again"
        change(up, lambda d: d["models"].pop("silent"))
