"""The platform on this machine: its keys are made over the socket that only the owner may open.

Temporary keys expire by themselves after minutes, so that what a killed run leaves is harmless; the next run revokes
it all the same.
"""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx

from maas.domain.errors import NotRunning, Unavailable
from maas.domain.platform import Gateway, Platform
from maas.domain.platform import Tier as PlatformTier
from maas.embedded import addresses, tls
from maas.embedded import platform as embedded
from maas.embedded.home import Home
from maas.readiness.traffic import runs
from maas.readiness.traffic.site import KEY_LIFE, PREFIX, Endpoint, Key, Limit, Tier, Unit

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_PAGE = 100
_UNITS = {"requests": Unit.requests, "tokens": Unit.tokens}


class EmbeddedSite:
    revokes_within = 1.0  # it takes effect before the command returns

    def __init__(self, home: Home, url: str = "") -> None:
        self.described = f"the platform on this machine ({home.root})"
        self._home, self._url = home, url
        self._run = secrets.token_hex(4)

    async def endpoints(self) -> Sequence[Endpoint]:
        platform = embedded.applied(self._home)
        if self._url:
            return (Endpoint(self._url.rstrip("/").removesuffix("/v1"), trust=self._home.ca_certificate),)
        return _endpoints(self._home, platform.gateway)

    async def tiers(self) -> Sequence[Tier]:
        platform: Platform = embedded.applied(self._home)
        return tuple(map(_tier, platform.tiers.values()))

    async def make_key(self, tier: str, purpose: str) -> Key:
        user = f"{PREFIX}{self._run}-{purpose}"
        body = {
            "name": f"{PREFIX}{runs.mark()}",
            "description": "made by maas validate for one run",
            "username": user,
            "tier": tier,
            "expiresIn": f"{KEY_LIFE:g}s",
        }
        made = await self._api("POST", "/v1/api-keys", body)
        return Key(made["id"], tier, user, made["key"])

    async def withdraw(self, key: Key) -> None:
        await self._api("DELETE", f"/v1/api-keys/{quote(key.id, safe='')}")

    async def withdraw_all(self) -> Sequence[str]:
        mine = f"{PREFIX}{self._run}-"
        await self._revoke([key for key in await self._active() if key["username"].startswith(mine)])
        return [key["id"] for key in await self._active() if key["username"].startswith(mine)]

    async def remove_leftovers(self) -> Sequence[str]:
        made = [key for key in await self._active() if key["username"].startswith(PREFIX)]
        left = [key for key in made if runs.is_over(key["name"].removeprefix(PREFIX))]
        await self._revoke(left)
        return [f"key {key['id']}" for key in left]

    async def used_tokens(self, key: Key) -> int | None:
        rows = (await self._api("GET", "/v1/usage?by=user"))["data"]
        return next((int(row["total_tokens"]) for row in rows if row["name"] == key.user), 0)

    def credentials(self, value: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {value}"}

    async def _active(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            pagination = {"limit": _PAGE, "offset": len(found)}
            body = {"filters": {"status": ["active"]}, "pagination": pagination}
            page = await self._api("POST", "/v1/api-keys/search", body)
            found += page["data"]
            if not page["has_more"]:
                return found

    async def _revoke(self, keys: Sequence[Mapping[str, Any]]) -> None:
        for key in keys:
            await self._api("DELETE", f"/v1/api-keys/{quote(key['id'], safe='')}")

    async def _api(self, method: str, path: str, body: object = None) -> Any:
        async with self._client() as http:
            answer = await http.request(method, path, json=body)
        if answer.is_error:
            raise Unavailable(f"the control plane answered {answer.status_code} to {method} {path.partition('?')[0]}")
        return answer.json()

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.AsyncHTTPTransport(uds=str(self._home.api_socket))
        headers = {"X-MaaS-Username": "maas-validate"}
        try:
            async with httpx.AsyncClient(
                transport=transport, base_url="http://maas", timeout=_TIMEOUT, headers=headers
            ) as http:
                yield http
        except httpx.ConnectError:
            raise NotRunning("the platform is not running; start it with: maas up") from None
        except httpx.TransportError as error:
            said = str(error) or type(error).__name__
            raise Unavailable(f"the control plane broke off ({said}); `maas logs` says more") from None


def _endpoints(home: Home, gateway: Gateway) -> list[Endpoint]:
    """https always; http where models are served over it, which is never beyond this machine."""
    host = addresses.local_host(gateway)
    named = addresses.certified_host(gateway) or ("" if not gateway.certificate else "localhost")
    trust = tls.to_trust(home, gateway)
    secure = Endpoint(f"https://{host}:{gateway.https_port}", named, trust)
    plain = Endpoint(f"http://{addresses.in_url(addresses.inside(gateway))}:{gateway.http_port}")
    return [secure] if gateway.remote else [plain, secure]


def _tier(tier: PlatformTier) -> Tier:
    limits = [
        Limit(_UNITS[limit.unit], limit.amount, float(limit.seconds)) for limit in tier.limits if limit.unit in _UNITS
    ]
    return Tier(tier.name, tuple(limits), tier.models)
