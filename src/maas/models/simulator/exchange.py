"""One HTTP request and its answer, over granian's RSGI."""

import asyncio
import os
from typing import Any

import orjson
from granian.rsgi import HTTPProtocol, ProtocolClosed, ProtocolError, Scope  # type: ignore[attr-defined]

from .client import Client
from .errors import ApiError
from .generation import Send

_MEGABYTE = 1024 * 1024


class Exchange:
    def __init__(self, scope: Scope, proto: HTTPProtocol) -> None:
        self._scope = scope
        self._proto = proto
        self.method = scope.method
        self.path = scope.path
        self.request_id = self.header("x-request-id") or f"req-{os.urandom(12).hex()}"
        self.client = Client(asyncio.get_running_loop(), proto.client_disconnect)

    def header(self, name: str) -> str | None:
        value: str | None = self._scope.headers.get(name)
        return value

    async def body(self, megabytes: int) -> bytes:
        """Never holds more than the limit, whatever the client says about the length."""
        limit = megabytes * _MEGABYTE
        too_large = ApiError(413, f"The request body is larger than {megabytes} MB.")
        length = self.header("content-length") or ""
        if length.isdecimal() and int(length) > limit:
            raise too_large
        if length:
            return await self._proto()
        chunks = bytearray()
        async for chunk in self._proto:
            chunks += chunk
            if len(chunks) > limit:
                raise too_large
        return bytes(chunks)

    def json(self, status: int, data: Any, *headers: tuple[str, str]) -> None:
        self.bytes(status, "application/json", orjson.dumps(data), *headers)

    def bytes(self, status: int, content_type: str, data: bytes, *headers: tuple[str, str]) -> None:
        self._proto.response_bytes(status, [*self._headers(content_type), *headers], data)

    def error(self, error: ApiError) -> None:
        self.json(error.status, error.body(), *error.headers)

    def stream(self) -> Send:
        """Sends the head of a stream of events at once."""
        headers = [*self._headers("text/event-stream; charset=utf-8"), ("cache-control", "no-cache")]
        transport = self._proto.response_stream(200, headers)

        async def send(data: bytes) -> None:
            try:
                await transport.send_bytes(data)
            except (ProtocolClosed, ProtocolError) as error:
                raise ConnectionResetError from error

        return send

    def _headers(self, content_type: str) -> list[tuple[str, str]]:
        return [("content-type", content_type), ("x-request-id", self.request_id)]
