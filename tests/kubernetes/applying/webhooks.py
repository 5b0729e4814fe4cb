"""A real admission webhook: asked by the real API server, and away until it is started."""

import contextlib
import json
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.kubernetes.cluster import Cluster

_HOST = "127.0.0.1"


def configuration(cluster: Cluster, name: str, port: int, namespace: str) -> dict[str, Any]:
    """Asks about ConfigMaps of one namespace, at that port of this machine."""
    authority = b64encode(cluster.ca.read_bytes()).decode()
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": name,
                "clientConfig": {"url": f"https://{_HOST}:{port}/judge", "caBundle": authority},
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "resources": ["configmaps"],
                        "operations": ["CREATE", "UPDATE"],
                    }
                ],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 5,
            }
        ],
    }


@contextlib.contextmanager
def webhook(cluster: Cluster, port: int, refusal: str = "") -> Iterator[None]:
    """Refuses everything with these words, or lets everything pass."""
    server = ThreadingHTTPServer((_HOST, port), _judge(refusal))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*cluster.authority.server())
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _judge(refusal: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            verdict = {"uid": review["request"]["uid"], "allowed": not refusal, "status": {"message": refusal}}
            body = json.dumps({**review, "response": verdict, "request": None}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
