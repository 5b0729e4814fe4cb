"""What a client sees of the gateway of an installation, played: Envoy, Authorino and Limitador are containers.

    with front_door(cluster) as door: …requests to https://127.0.0.1:{door.port}, asked for simulator.maas.local…

Keys are those that the real API server holds, hosts and paths those of the HTTPRoutes, the certificate the one that was
issued for the gateway. Limits are those of the default maas.yaml.
"""

import asyncio
import base64
import contextlib
import ssl
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from maas.cluster.resources import key_secrets
from tests.kubernetes.cluster import Cluster
from tests.traffic.fake import Fake, Wire, _serve

_REQUESTS = {"free": 5, "premium": 20, "enterprise": 50}
_TOKENS = {"free": 200, "premium": 1000, "enterprise": 5000}
_USAGE = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
_SECRETS = f"/api/v1/namespaces/{key_secrets.NAMESPACE}/secrets"
_CERTIFICATE = "/api/v1/namespaces/llm/secrets/maas-gateway-tls"


class Door(Fake):
    port = 0

    def __init__(self, api: httpx.Client, *faults: str) -> None:
        super().__init__(*faults)
        self._api = api
        self._spent: Counter[tuple[str, str]] = Counter()

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Wire:
        self.asked[f"{method} {path}"] += 1
        model, path = _meant(headers.get("host", "").partition(":")[0], path)
        known = self._key(headers.get("authorization", ""))
        if known is None:
            return self._json(401, {"error": {"message": "API key required"}})
        tier, user = known
        if tier not in _REQUESTS:
            return self._json(403, {"error": {"message": "not your tier"}})
        if path == "/v1/models":
            return self._json(200, {"object": "list", "data": [{"id": model, "object": "model"}]})
        if body.get("model") != model or "broken" in self.faults:
            return self._json(404, {"error": {"message": "no such model"}})
        spent = self._spent["requests", user], self._spent["tokens", user]
        if spent[0] >= _REQUESTS[tier] or spent[1] >= _TOKENS[tier]:
            return 429, {}, [b"Too Many Requests\n"]
        self._spent["requests", user] += 1
        self._spent["tokens", user] += _USAGE["total_tokens"]
        return self._streamed() if body.get("stream") else self._said(model)

    def _said(self, model: str) -> Wire:
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model, "usage": _USAGE}
        return self._json(200, {**answer, "choices": [choice]})

    def _key(self, sent: str) -> tuple[str, str] | None:  # type: ignore[override]
        found = self._api.get(_SECRETS, params={"labelSelector": key_secrets.LIVE}).raise_for_status().json()["items"]
        kept = (key_secrets.read(secret) for secret in found)
        value = sent.partition(" ")[2]
        return next(((each.key.tier, each.key.user) for each in kept if value and each.value == value), None)


def _meant(host: str, path: str) -> tuple[str, str]:
    """The model and the path that it gets: of MODEL.DOMAIN/v1/… or maas.DOMAIN/MODEL/v1/…"""
    first = host.partition(".")[0]
    if first != "maas":
        return first, path
    model, _, rest = path.removeprefix("/").partition("/")
    return model, f"/{rest}"


@contextlib.contextmanager
def front_door(
    cluster: Cluster, *faults: str, address: str = "127.0.0.1", port: int = 0, secure: bool = True
) -> Iterator[Door]:
    """secure: it speaks https, as the gateway does where no router is before it."""
    with cluster.client() as api:
        door = Door(api, *faults)
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(_listening(door, api if secure else None, address, port))
        door.port = server.sockets[0].getsockname()[1]
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        try:
            yield door
        finally:
            loop.call_soon_threadsafe(server.close)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


async def _listening(door: Door, api: httpx.Client | None, address: str, port: int) -> asyncio.Server:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await _serve(door, reader, writer)
        writer.close()

    if api is None:
        return await asyncio.start_server(serve, address, port)
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.sni_callback = lambda socket, name, context: _with_certificate(socket, api)
    return await asyncio.start_server(serve, address, port, ssl=secure)


def _with_certificate(socket: ssl.SSLObject, api: httpx.Client) -> None:
    """The one that the gateway has been given by then."""
    secret = api.get(_CERTIFICATE).raise_for_status().json()["data"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        for part in ("tls.crt", "tls.key"):
            (Path(folder) / part).write_bytes(base64.b64decode(secret[part]))
        context.load_cert_chain(Path(folder) / "tls.crt", Path(folder) / "tls.key")
    socket.context = context


def kubectl(folder: Path, door: Door) -> None:
    """A kubectl that forwards nothing, but says where the door is."""
    script = f"#!/bin/sh\necho 'Forwarding from 127.0.0.1:{door.port} -> 443'\nexec sleep 600\n"
    (folder / "kubectl").write_text(script)
    (folder / "kubectl").chmod(0o755)
