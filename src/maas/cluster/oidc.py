"""The `auth-provider: oidc` of old kubeconfigs: an ID token, and a refresh token to get the next one with.

New tokens are used and written nowhere: a reader of clusters does not edit kubeconfigs. An issuer that makes refresh
tokens void at their use will then ask for a new login at kubectl's next one.
"""

import base64
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from maas.cluster.credentials import NOBODY, Identity, basic, bearer
from maas.cluster.failures import LoginFailed
from maas.cluster.kubeconfig import Login
from maas.cluster.objects import number, text
from maas.cluster.reading_files import whole
from maas.cluster.trust import context

_BEFORE_EXPIRY = 10.0
_PATIENCE = 20.0


@dataclass(frozen=True)
class Oidc:
    login: Login
    base: Identity = NOBODY
    interactive: bool = field(default=False, init=False)
    renewable: bool = field(default=False, init=False)

    def _config(self, name: str) -> str:
        return self.login.user.text("auth-provider", "config", name)

    @property
    def _issuer(self) -> str:
        return self._config("idp-issuer-url").rstrip("/")

    async def identity(self) -> Identity:
        token = self._config("id-token")
        if not token or _expiry(token) <= time.time():
            token = await self._refreshed()
        return Identity(bearer(token), self.base.certificate, self.base.key, _expiry(token))

    async def _refreshed(self) -> str:
        if not self._config("refresh-token"):
            raise LoginFailed(
                f"The ID token of context {self.login.context!r} has expired, with no refresh token: log in again"
            )
        try:
            async with httpx.AsyncClient(verify=self._trust(), timeout=_PATIENCE) as client:
                return await self._exchanged(client)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise LoginFailed(
                f"The ID token of context {self.login.context!r} could not be renewed at {self._issuer}: "
                f"{type(error).__name__}. Log in again"
            ) from None

    async def _exchanged(self, client: httpx.AsyncClient) -> str:
        found = await client.get(f"{self._issuer}/.well-known/openid-configuration")
        endpoint = text(found.raise_for_status().json(), "token_endpoint")
        secret = self._config("client-secret")
        form: Mapping[str, str] = {
            "grant_type": "refresh_token",
            "refresh_token": self._config("refresh-token"),
            "client_id": self._config("client-id"),
        }
        headers = {"Authorization": basic(self._config("client-id"), secret)} if secret else {}
        answer = await client.post(endpoint, data=dict(form), headers=headers)
        token = text(answer.raise_for_status().json(), "id_token")
        if not token:
            raise ValueError("no id_token")
        return token

    def _trust(self) -> ssl.SSLContext:
        user = self.login.user
        inline = self._config("idp-certificate-authority-data")
        if inline:
            return context(base64.b64decode(inline))
        named = self._config("idp-certificate-authority")
        return context(whole(user.folder / named) if named else b"")


def _expiry(token: str) -> float:
    """Of a JWT; one that says nothing is tried until the server refuses it."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return time.time() + _BEFORE_EXPIRY
    expires = number(claims, "exp")
    return float("inf") if expires is None else expires - _BEFORE_EXPIRY
