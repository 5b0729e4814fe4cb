"""The keys that `maas install` needs: the first one, to be kept, or one that lives as long as a single request."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from maas.domain.errors import Unavailable
from maas.domain.platform import Platform
from maas.embedded.home import Home

_PREFERRED_TIER = "premium"  # the default free tier's 200 tokens a minute are soon spent by who is trying things out
_CHECK_USER = "maas-install"
_PATH = "/v1/api-keys"
_TIMEOUT = 30.0


def tier_for(platform: Platform, model: str) -> str:
    """The tier of a first key: one that may call the model."""
    fit = [name for name, tier in platform.tiers.items() if tier.models is None or model in tier.models]
    if not fit:
        raise Unavailable(f"no tier may call {model}")
    return _PREFERRED_TIER if _PREFERRED_TIER in fit else fit[0]


class Keys:
    def __init__(self, home: Home) -> None:
        transport = httpx.HTTPTransport(uds=str(home.api_socket))
        self._api = httpx.Client(transport=transport, base_url="http://maas", timeout=_TIMEOUT)

    def any_active(self) -> bool:
        active = {"filters": {"status": ["active"]}, "pagination": {"limit": 1}}
        return bool(self._post(f"{_PATH}/search", active)["data"])

    @contextmanager
    def first(self, tier: str) -> Iterator[str]:
        """The value of a new key, which is withdrawn if what is done with it fails: nobody would ever see it."""
        made = self._post(_PATH, {"name": "first key", "username": os.environ.get("USER") or "admin", "tier": tier})
        try:
            yield str(made["key"])
        except BaseException:
            self._revoke(made)
            raise

    @contextmanager
    def passing(self, tier: str) -> Iterator[str]:
        body = {"name": "proof of an installation", "username": _CHECK_USER, "tier": tier, "expiresIn": "5m"}
        made = self._post(_PATH, body)
        try:
            yield str(made["key"])
        finally:
            self._revoke(made)

    def _revoke(self, made: dict[str, object]) -> None:
        _answered(self._api.delete(f"{_PATH}/{made['id']}"))

    def _post(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        try:
            return _answered(self._api.post(path, json=body))
        except httpx.TransportError as error:
            raise Unavailable(f"the management API does not answer: {error}") from error


def _answered(answer: httpx.Response) -> dict[str, object]:
    if not answer.is_success:
        raise Unavailable(f"the management API refused ({answer.status_code}): {answer.text[:300]}")
    document: dict[str, object] = answer.json()
    return document
