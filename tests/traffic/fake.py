"""A small gateway in this process, with keys and limits of its own, that breaks each promise on demand."""

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from maas.domain.errors import Unavailable
from maas.readiness.findings import Finding
from maas.readiness.traffic.site import Endpoint, Key, Limit, Tier, Unit
from maas.readiness.traffic.validating import validate

TIERS = (
    Tier("free", (Limit(Unit.requests, 5, 120),)),
    Tier("tokens", (Limit(Unit.tokens, 100, 120),)),
    Tier("premium", (Limit(Unit.requests, 100, 120),)),
)
_ANSWER = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30},
}
_CHUNK = {"choices": [{"index": 0, "delta": {"content": "Hello."}}]}
_END = {"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}}
Wire = tuple[int, Mapping[str, str], list[bytes]]


class Fake:
    """The platform and its gateway. faults: see the tests."""

    described = "a fake"
    revokes_within = 1.0

    def __init__(self, *faults: str, tiers: Sequence[Tier] = TIERS) -> None:
        self.faults, self.url, self.asked = frozenset(faults), "", Counter[str]()
        self.keys: dict[str, Key] = {}
        self.revoked: dict[str, Key] = {}
        self.left_before = ["key old"] if "leftovers" in faults else []
        self._tiers, self._ids = tiers, count()
        self._used: Counter[tuple[str, str]] = Counter()

    async def endpoints(self) -> Sequence[Endpoint]:
        host = "models.example.com" if "lets capitals in" in self.faults else ""
        return [] if "nowhere" in self.faults else [Endpoint(self.url, host)]

    async def tiers(self) -> Sequence[Tier]:
        return self._tiers

    async def make_key(self, tier: str, purpose: str) -> Key:
        if "no keys" in self.faults:
            raise Unavailable("creating secrets was denied")
        key = Key(f"key-{next(self._ids)}", tier, f"user-{purpose}", f"value-{next(self._ids)}")
        self.keys[key.value] = key
        return key

    async def withdraw(self, key: Key) -> None:
        self.revoked[key.value] = self.keys.pop(key.value)

    async def withdraw_all(self) -> Sequence[str]:
        if "keeps keys" not in self.faults:
            self.keys.clear()
        return [key.id for key in self.keys.values()]

    async def remove_leftovers(self) -> Sequence[str]:
        removed, self.left_before = self.left_before, []
        return removed

    async def used_tokens(self, key: Key) -> int | None:
        if "no ledger" in self.faults:
            return None
        return 0 if "forgets usage" in self.faults else self._used["tokens", key.user]

    def credentials(self, value: str) -> Mapping[str, str]:
        return {"X-Key": value}

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Wire:
        self.asked[f"{method} {path}"] += 1
        key = self._key(headers.get("x-key", ""))
        if "lets capitals in" in self.faults and headers["host"].isupper():
            key = Key("", "premium", "nobody", "")
        if key is None and self.faults & {"sends to https", "sends elsewhere"}:
            scheme = "https" if "sends to https" in self.faults else "http"
            return 301, {"Location": f"{scheme}://{headers['host']}{path}"}, []
        if key is None:
            return self._json(401, {"error": {"message": "no valid key"}})
        if "broken" in self.faults and method == "POST":
            return self._json(503, {"error": {"message": "no healthy upstream"}})
        if path == "/v1/models":
            names = [] if "no models" in self.faults else [{"id": "small"}]
            return self._json(200, {"object": "list", "data": names})
        return self._completion(key, body)

    def _completion(self, key: Key, body: Any) -> Wire:
        if body.get("model") != "small" and "any model" not in self.faults:
            return self._json(404, {"error": {"message": "no such model"}})
        if self._is_over(key):
            retry = {} if "no retry-after" in self.faults else {"Retry-After": "7"}
            return self._json(429, {"error": {"message": "over the limit"}}, retry)
        self._used["requests", self._who(key)] += 1
        self._used["tokens", self._who(key)] += 30
        return self._streamed() if body.get("stream") else self._answered()

    def _answered(self) -> Wire:
        if "empty" in self.faults:
            return self._json(200, {**_ANSWER, "choices": [{"message": {"content": ""}}]})
        if "no usage" in self.faults:
            return self._json(200, {"choices": _ANSWER["choices"]})
        if "garbage" in self.faults:
            return 200, {}, [b"\xff\xfe<html>"]
        return self._json(200, _ANSWER)

    def _streamed(self) -> Wire:
        chunks = [_CHUNK] if "no stream usage" in self.faults else [_CHUNK, _END]
        events = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
        if "cut" in self.faults:
            return 200, {"Content-Length": "100000"}, events[:1]
        return 200, {}, events if "not done" in self.faults else [*events, b"data: [DONE]\n\n"]

    def _key(self, value: str) -> Key | None:
        known = self.keys.get(value) or (self.revoked.get(value) if "never revokes" in self.faults else None)
        if known or "lets all in" in self.faults:
            return known or Key("", "premium", "nobody", "")
        return Key("", "premium", "wrong", "") if value and "any key" in self.faults else None

    def _is_over(self, key: Key) -> bool:
        if "never limits" in self.faults:
            return False
        limits = next((tier.limits for tier in self._tiers if tier.name == key.tier), ())
        more = 1 if "lets one more" in self.faults else 0
        return any(self._used[str(each.unit), self._who(key)] >= each.amount + more for each in limits)

    def _who(self, key: Key) -> str:
        return "everybody" if "one counter" in self.faults else key.user

    def _json(self, status: int, document: Any, headers: Mapping[str, str] | None = None) -> Wire:
        return status, {"Content-Type": "application/json", **(headers or {})}, [json.dumps(document).encode()]


@asynccontextmanager
async def serving(fake: Fake, secure: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _serve(fake, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=secure)
    async with server:
        fake.url = f"{'https' if secure else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield fake.url


async def _serve(fake: Fake, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    answered = fake.answer(method, path, headers, json.loads(body) if body else {})
    if "hangs" in fake.faults and method == "POST" and answered[0] == 200:
        await asyncio.sleep(3600)
    status, given, pieces = answered
    lines = [f"HTTP/1.1 {status} X", "Connection: close", *(f"{name}: {value}" for name, value in given.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    for piece in pieces:
        writer.write(piece)
        await writer.drain()


def validated(fake: Fake, only: Collection[str] = (), **options: Any) -> dict[str, list[Finding]]:
    """By code."""
    found: dict[str, list[Finding]] = {}
    for finding in asyncio.run(_validated(fake, only, options)):
        found.setdefault(finding.code, []).append(finding)
    return found


async def _validated(fake: Fake, only: Collection[str], options: dict[str, Any]) -> Sequence[Finding]:
    async with serving(fake, options.pop("secure", None)):
        return await validate(fake, only=only, **options)
