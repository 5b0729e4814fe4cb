"""A real Envoy with the project's configuration, between a stub of admission and a stub of a model."""

import asyncio
import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from maas.domain.platform import Gateway
from maas.embedded import envoy, tls
from maas.embedded.envoy import admin
from maas.embedded.envoy.clusters import Failover
from maas.embedded.home import Home
from tests.gateway_config.server import Answer, Asked, Server, said
from tests.ports import free_port
from tests.running import eventually

PATIENCE = 10.0
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made once: httpx would make one for each client
KEY = {"authorization": "Bearer sk-maas-test"}
CHAT = "/v1/chat/completions"
MODEL = "chatty@1"
USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


@dataclass
class Running:
    home: Home
    gateway: Gateway
    process: subprocess.Popen[bytes]
    admission: Server
    model: Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.gateway.http_port}"

    @property
    def tls_url(self) -> str:
        return f"https://localhost:{self.gateway.https_port}"

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.home.ca_certificate))

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False, verify=NO_TLS, **options)

    def post(self, body: Any, path: str = CHAT, **headers: str) -> httpx.Response:
        """body: JSON, or bytes as they are to be sent."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        with self.client() as client:
            return client.post(path, content=content, headers={**KEY, "content-type": "application/json", **headers})

    def raw(self, request: bytes) -> bytes:
        """The answer to a request that no client library would send."""
        with socket.create_connection(("127.0.0.1", self.gateway.http_port), PATIENCE) as connection:
            connection.sendall(request)
            answer = b""
            while not _whole(answer) and (part := connection.recv(65536)):
                answer += part
        return answer

    def log_line(self, request_id: str) -> dict[str, Any]:
        """The access log's line for this request, once it is there."""

        def find() -> dict[str, Any] | None:
            lines = self.home.access_log.read_text().splitlines()
            return next((line for line in map(json.loads, reversed(lines)) if line["id"] == request_id), None)

        return eventually(find)

    def configuration(self, *upstreams: envoy.Upstream | Failover, **gateway: Any) -> envoy.Configuration:
        own = envoy.Upstream(MODEL, self.home.model_socket("m"))
        pair = tls.ensure(self.home, self.gateway, time.time())
        return envoy.configuration(self.home, replace(self.gateway, **gateway), [own, *upstreams], pair)

    def apply(self, config: envoy.Configuration) -> None:
        asyncio.run(envoy.apply(self.home, config))

    def admin(self, path: str) -> str:
        return asyncio.run(admin.get(self.home, path)).decode()


@contextlib.contextmanager
def running(*, decide: bool = True, **settings: Any) -> Iterator[Running]:
    """decide=False: whoever asks for it runs an admission of its own. settings: of the Gateway."""
    root = Path(tempfile.mkdtemp(dir="/tmp", prefix="maas-gw-"))
    home = Home(root)
    home.prepare()
    gateway = Gateway(http_port=free_port(), https_port=free_port(), metrics_port=free_port())
    gateway = replace(gateway, **settings)
    admission = Server(home.admission_socket if decide else home.run / "unused.sock", admit)
    model = Server(home.model_socket("m"), reply)
    own = envoy.Upstream(MODEL, home.model_socket("m"))
    config = envoy.configuration(home, gateway, [own], tls.ensure(home, gateway, time.time()))
    envoy.write(config)
    process = subprocess.Popen(envoy.argv(home, envoy.find_binary()), stdin=subprocess.DEVNULL)
    try:
        asyncio.run(envoy.in_force(home, config))
        yield Running(home, gateway, process, admission, model)
    finally:
        process.kill()
        process.wait()
        admission.close()
        model.close()
        shutil.rmtree(root)


def admit(asked: Asked) -> Answer:
    """What the real admission answers, as far as the gateway can tell."""
    if not asked.path.startswith(("/authz", "/knock")):
        return said({"control": asked.path}, 200 if asked.path in ("/health", "/v1/models", "/metrics") else 404)
    if asked["authorization"] is None and asked["x-api-key"] is None:
        refusal = {"error": {"message": "No key.", "type": "authentication_error", "param": None, "code": "no_key"}}
        headers = {"www_authenticate": "Bearer", "retry_after": "3", "x_ratelimit_limit_requests": "5"}
        return said(refusal, 401, x_secret="not for clients", **headers)
    if asked.path.startswith("/knock"):
        return Answer(headers={"x-maas-known": "1"})
    if "/models" in asked.path:
        return Answer(headers={"x-maas-route": "discovery"})
    return to_model(asked)


def to_model(asked: Asked, cluster: str = MODEL) -> Answer:
    headers = {"x-maas-route": "model", "x-maas-cluster": cluster, "x-ratelimit-remaining-requests": "4"}
    if asked["x-maas-stream"] == "true" and asked["x-maas-include-usage"] != "true":
        headers |= {"x-maas-force-usage": "1", "x-maas-strip-usage": "1"}
    return Answer(headers=headers)


def reply(asked: Asked) -> Answer:
    return said({"choices": [{"message": {"content": "hi"}}], "usage": USAGE})


def error_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/json"
    error: dict[str, Any] = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"]
    return error


def _whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(end and length) and len(body) >= int(length)
