"""Where charts and manifests come from: a Helm repository, an OCI registry and a site of files, here on this machine.

with source(charts) as site:
    site.url, site.repository, site.registry, site.asked, site.faults
"""

import contextlib
import hashlib
import json
import re
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.kubernetes.authority import Authority

_CONTENT, _CONFIG = "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/vnd.cncf.helm.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_NAMED = re.compile(r"(.+)-(v?\d+\.\d+\.\d+)\.tgz")


@dataclass
class Site:
    """faults: each for one request, in turn: "503", or the number of bytes after which the connection breaks."""

    url: str = ""
    content: dict[str, tuple[bytes, str]] = field(default_factory=dict)  # by path, with its media type
    faults: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)  # paths, and the range that was asked for

    @property
    def repository(self) -> str:
        return f"{self.url}/charts"

    @property
    def registry(self) -> str:
        return f"oci://{self.url.partition('://')[2]}/charts"


@contextlib.contextmanager
def source(
    packed: Sequence[Path] = (), files: Mapping[str, bytes] | None = None, authority: Authority | None = None
) -> Iterator[Site]:
    """packed: charts. authority: it speaks TLS, as registries have to."""
    site = Site(content={path: (body, "application/octet-stream") for path, body in (files or {}).items()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    if authority:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*authority.server())
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    site.url = f"{'https' if authority else 'http'}://127.0.0.1:{server.server_port}"
    _offer(site, packed)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _offer(site: Site, packed: Sequence[Path]) -> None:
    entries: dict[str, list[dict[str, object]]] = {}
    for path in packed:
        named = _NAMED.fullmatch(path.name)
        assert named is not None
        (name, version), body = named.groups(), path.read_bytes()
        site.content[f"/charts/{path.name}"] = (body, "application/gzip")
        entry = {"apiVersion": "v2", "name": name, "version": version, "urls": [f"{site.repository}/{path.name}"]}
        entries.setdefault(name, []).append(entry)
        _offer_as_image(site, name, version, body)
    index = {"apiVersion": "v1", "entries": entries}
    site.content["/charts/index.yaml"] = (json.dumps(index).encode(), "application/yaml")


def _offer_as_image(site: Site, name: str, version: str, body: bytes) -> None:
    config = json.dumps({"apiVersion": "v2", "name": name, "version": version}).encode()
    layers = [{"mediaType": _CONTENT, "digest": _digest(body), "size": len(body)}]
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "digest": _digest(config), "size": len(config)},
            "layers": layers,
        }
    ).encode()
    base = f"/v2/charts/{name}"
    for tag in (version, _digest(manifest)):
        site.content[f"{base}/manifests/{tag}"] = (manifest, _MANIFEST)
    for blob in (body, config):
        site.content[f"{base}/blobs/{_digest(blob)}"] = (blob, "application/octet-stream")


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            asked = self.headers.get("range") or ""
            site.asked.append((self.path, asked))
            fault = site.faults.pop(0) if site.faults else ""
            if self.path not in site.content or fault == "503":
                self.send_response(503 if fault else 404)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            body, media = site.content[self.path]
            start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
            self.send_response(206 if asked else 200)
            self.send_header("content-type", media)
            self.send_header("content-length", str(len(body) - start))
            self.send_header("etag", f'"{_digest(body)}"')
            self.send_header("docker-content-digest", _digest(body))
            self.end_headers()
            if with_body:
                self.wfile.write(body[start : start + int(fault)] if fault else body[start:])
                self.close_connection = bool(fault) or self.close_connection

        def log_message(self, *_: object) -> None:
            pass

    return Handler
