"""A hub of our own: what huggingface.co answers when it is asked for a file, and what goes wrong with it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from maas.models.weights import download
from maas.models.weights.places import OnHub

MEANT = OnHub("org/repo", "Q8_0")


@dataclass
class Hub:
    """
    drops: after how many bytes each further answer breaks off; then none does.
    ends: such an answer ends in good order (chunked), instead of with a broken connection.
    api, files: the status of answers; ranged: whether the server can send parts.
    surplus: so many bytes more than it announced; content_range: what it says of its parts ("" for the truth).
    """

    files: dict[str, bytes]
    repository: str = "org/repo"
    url: str = ""
    drops: list[int] = field(default_factory=list)
    ends: bool = False
    ranged: bool = True
    surplus: int = 0
    content_range: str | None = ""
    api_status: int = 200
    statuses: list[int] = field(default_factory=list)
    sha256: str | None = None
    holding: threading.Event | None = None
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def listing(self) -> bytes:
        def entry(name: str, content: bytes) -> dict[str, object]:
            sha256 = self.sha256 or hashlib.sha256(content).hexdigest()
            return {"rfilename": name, "size": len(content), "lfs": {"sha256": sha256, "size": len(content)}}

        return json.dumps({"siblings": [entry(*file) for file in self.files.items()]}).encode()

    def asked_for(self, path: str) -> list[str]:
        """The ranges that were asked for."""
        return [headers.get("range", "") for seen, headers in self.seen if seen.endswith(path)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_GET(self) -> None:
        hub, path = self.hub, self.path.partition("?")[0]
        hub.seen.append((path, {name.lower(): value for name, value in self.headers.items()}))
        if path == f"/api/models/{hub.repository}":
            self._send(hub.api_status, hub.listing())
        elif path.startswith(f"/{hub.repository}/resolve/main/"):
            self._send_file(hub.files[unquote(path.split("/resolve/main/")[1])])
        else:
            self._send(404, b"")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, content: bytes) -> None:
        hub = self.hub
        if hub.statuses and (status := hub.statuses.pop(0)) != 200:
            self._send(status, b"no")
            return
        wanted = self.headers.get("range") if hub.ranged else None
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        if wanted and hub.content_range is not None:
            truth = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.send_header("content-range", hub.content_range or truth)
        body, drop = content[start:] + bytes(hub.surplus), hub.drops.pop(0) if hub.drops else None
        if drop is not None and hub.ends:
            self.send_header("connection", "close")
        else:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:drop])
        self.wfile.flush()
        if hub.holding:
            hub.holding.wait(30)
        self.close_connection = drop is not None

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        if hub.holding:
            hub.holding.set()
        server.shutdown()
        thread.join()
        server.server_close()


def pull(folder: Path, meant: OnHub = MEANT) -> tuple[Path, list[float]]:
    """And the pauses that it would have made."""
    pauses: list[float] = []
    return download.pull(meant, folder, pause=pauses.append), pauses


def left_over(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part"))
