"""One validation of one platform: what was found out already, and what has to be cleaned up whatever happens."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from maas.cluster.objects import items, text
from maas.readiness.traffic.answers import CHAT, MODELS, Answer, CannotAsk, Streamed
from maas.readiness.traffic.calling import TIMEOUT, Caller, distrust
from maas.readiness.traffic.site import Endpoint, Key, Site, Tier, Unit

_TAKEN_UP_WITHIN = 15.0  # seconds until a new key must work
_PAUSE = 0.1
MOST_REQUESTS = 200  # that may be spent to reach a limit
_NOT_HERE = frozenset({0, 404})
_MOST_ENDPOINTS = 20


class Visit:
    def __init__(
        self, site: Site, *, model: str = "", answer_within: float = TIMEOUT, most_requests: int = MOST_REQUESTS
    ) -> None:
        self.site = site
        self.answers: dict[Endpoint, Answer] = {}  # to a request without a key for the list of models
        self.distrusted: dict[Endpoint, str] = {}
        self.tiers: Sequence[Tier] = ()
        self.most_requests = most_requests
        self._timeout = answer_within
        self._model = model
        self._callers: dict[Endpoint, Caller] = {}
        self._keys: dict[tuple[str, str], Key] = {}

    async def open(self) -> None:
        """Find out where the platform answers. Raises MaasError."""
        for endpoint in list(await self.site.endpoints())[:_MOST_ENDPOINTS]:
            if endpoint.is_secure and (why := await distrust(endpoint)):
                self.distrusted[endpoint] = why
            caller = Caller(endpoint, verify=endpoint not in self.distrusted, timeout=self._timeout)
            self._callers[endpoint] = caller
            self.answers[endpoint] = await caller.get(MODELS)
        self.tiers = await self.site.tiers()

    async def close(self) -> None:
        for caller in self._callers.values():
            await caller.close()

    @property
    def endpoints(self) -> list[Endpoint]:
        """Those that answered."""
        return [endpoint for endpoint, answer in self.answers.items() if answer.status]

    @property
    def caller(self) -> Caller:
        """Of the best endpoint. Raises CannotAsk."""
        serving = [each for each, answer in self.answers.items() if answer.status not in _NOT_HERE]
        if not (serving or self.endpoints):
            raise CannotAsk("the gateway does not answer: MAAS-500")
        return self._callers[(serving or self.endpoints)[0]]

    def caller_of(self, endpoint: Endpoint) -> Caller:
        return self._callers[endpoint]

    async def key(self, tier: Tier, purpose: str) -> Key:
        """A key that works already; the same one for the same purpose. Raises CannotAsk, MaasError."""
        if (known := self._keys.get((tier.name, purpose))) is None:
            known = await self.site.make_key(tier.name, purpose)
            self._keys[tier.name, purpose] = known
            await self._taken_up(known)
        return known

    async def good_key(self) -> Key:
        return await self.key(self.roomiest, "good")

    @property
    def roomiest(self) -> Tier:
        """The tier whose limits are least in the way. Raises CannotAsk."""
        fit = [tier for tier in self.tiers if tier.models is None or tier.models]
        if not fit:
            raise CannotAsk("no tier is known that a key could be made for")
        return max(fit, key=lambda tier: (tier.models is None, _room(tier)))

    async def model(self) -> str:
        """The model to ask. Raises CannotAsk."""
        if not self._model:
            self._model = (await self.models())[0]
        return self._model

    async def models(self) -> list[str]:
        """Those that /v1/models names. Raises CannotAsk."""
        listed = await self.get(MODELS, await self.good_key())
        named = [name for each in items(listed.json, "data") if (name := text(each, "id"))]
        if not named:
            raise CannotAsk(f"/v1/models names no model that could be asked: {listed.said}")
        return named

    async def get(self, path: str, key: Key | None) -> Answer:
        return await self.caller.get(path, self._headers(key))

    async def chat(self, key: Key | None, *, say: str = "Say hello.", max_tokens: int = 16, **more: Any) -> Answer:
        return await self.caller.post(CHAT, self._headers(key), await self._question(say, max_tokens, more))

    async def chat_streamed(self, key: Key) -> Streamed:
        more = {"stream": True, "stream_options": {"include_usage": True}}
        return await self.caller.stream(CHAT, self._headers(key), await self._question("Say hello.", 16, more))

    def _headers(self, key: Key | None) -> Mapping[str, str]:
        return self.site.credentials(key.value) if key else {}

    async def _question(self, say: str, max_tokens: int, more: Mapping[str, Any]) -> dict[str, Any]:
        model = more.get("model") or await self.model()
        messages = [{"role": "user", "content": say}]
        return {"messages": messages, "max_tokens": max_tokens, **more, "model": model}

    async def _taken_up(self, key: Key) -> None:
        deadline = time.monotonic() + _TAKEN_UP_WITHIN
        while time.monotonic() < deadline:
            if (await self.get(MODELS, key)).status != 401:
                return
            await asyncio.sleep(_PAUSE)


def _room(tier: Tier) -> float:
    requests = [limit.amount for limit in tier.limits if limit.unit is Unit.requests]
    tokens = [limit.amount / 50 for limit in tier.limits if limit.unit is Unit.tokens]
    return min([*requests, *tokens], default=float("inf"))
