"""The commands over a real unix socket, and what they say when nobody answers well there."""

import gc
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

import pytest

from maas.cli import client
from maas.domain.errors import NotRunning, Unavailable
from maas.embedded.home import Home


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    answer: ClassVar[bytes] = b""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.wfile.write(_Server.answer)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("MAAS_HOME", str(tmp_path))
    home = Home(tmp_path)
    home.prepare()
    return home


@pytest.fixture
def server(home: Home) -> Iterator[type[_Server]]:
    with _Server(str(home.api_socket), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield _Server
        server.shutdown()
        thread.join()


def test_the_socket_of_the_home_is_asked(server: type[_Server]) -> None:
    server.answer = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"data": 1}'
    assert client.get("v1", "tiers") == {"data": 1}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{", "broke off"),
        (b"nonsense\r\n\r\n", "broke off"),
        (b"HTTP/1.1 500 X\r\nContent-Length: 3\r\n\r\nxyz", "answered 500"),
        (b"HTTP/1.1 500 X\r\nContent-Length: 2\r\n\r\n[]", "answered 500"),
    ],
)
def test_a_control_plane_in_trouble_is_unavailable(server: type[_Server], answer: bytes, said: str) -> None:
    server.answer = answer
    with pytest.raises(Unavailable, match=said):
        client.get("v1", "tiers")


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # httpcore leaves the socket that could not connect open
def test_without_a_platform_the_way_to_start_it_is_told(home: Home) -> None:
    with pytest.raises(NotRunning, match="start it with: maas up"):
        client.get("v1", "tiers")
    gc.collect()
