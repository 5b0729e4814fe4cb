"""The part of a kubelet that gives logs: the API server asks it as it asks a real one, for any node of a test cluster.

KWOK has such a server too, but cannot tell the run before the last restart from the present one, which is where the
reason of a crash stands; so this one answers from the logs of a scenario.
"""

import contextlib
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from maas.cluster.facts.model import Log
from maas.cluster.objects import Object
from tests.kubernetes.cluster import Cluster

_ADDRESS = "127.0.0.1"


@contextlib.contextmanager
def kubelet(cluster: Cluster, logs: Sequence[Log]) -> Iterator[int]:
    """Its port. A container without a log has an empty one; no run before, and asking for that is an error."""
    server = ThreadingHTTPServer((_ADDRESS, 0), _handler(logs))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*cluster.authority.server())
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def reached_at(object: Object, port: int) -> Object:
    """A Node whose kubelet is this one; any other object as it is."""
    if object["kind"] != "Node":
        return object
    addresses = [
        {"type": "InternalIP", "address": _ADDRESS},
        {"type": "Hostname", "address": object["metadata"]["name"]},
    ]
    endpoint = {"kubeletEndpoint": {"Port": port}}
    return {**object, "status": {**object.get("status", {}), "addresses": addresses, "daemonEndpoints": endpoint}}


def _handler(logs: Sequence[Log]) -> type[BaseHTTPRequestHandler]:
    by_run = {(log.namespace, log.pod, log.container, log.previous): log.lines for log in logs}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            parts = where.path.strip("/").split("/")
            if len(parts) != 4 or parts[0] != "containerLogs":
                return self._send(404, b"")
            query = parse_qs(where.query)
            previous = query.get("previous", ["false"])[0] == "true"
            lines = by_run.get((parts[1], parts[2], parts[3], previous))
            if lines is None and previous:
                return self._send(400, b"previous terminated container not found")
            return self._send(200, _text(lines or (), query))

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler


def _text(lines: Sequence[str], query: Mapping[str, list[str]]) -> bytes:
    """As a kubelet would cut it: the last lines, then the first bytes of them."""
    count = int(query.get("tailLines", [str(len(lines))])[0])
    chosen = lines[max(0, len(lines) - count) :]
    body = "".join(f"{line}\n" for line in chosen).encode()
    return body[: int(query.get("limitBytes", [str(len(body))])[0])]
