"""The keys that `maas install` needs: the first one, to be kept, or one that lives as long as a single request."""

from collections.abc import Iterator
from contextlib import contextmanager

from maas.cli import client
from maas.domain.errors import Unavailable
from maas.domain.platform import Platform

_PREFERRED_TIER = "premium"  # the default free tier's 200 tokens a minute are soon spent by who is trying things out
_CHECK_USER = "maas-install"
_PATH = ("v1", "api-keys")


def tier_for(platform: Platform, model: str) -> str:
    """The tier of a first key: one that may call the model."""
    fit = [name for name, tier in platform.tiers.items() if tier.models is None or model in tier.models]
    if not fit:
        raise Unavailable(f"no tier may call {model}")
    return _PREFERRED_TIER if _PREFERRED_TIER in fit else fit[0]


def any_active() -> bool:
    active = {"filters": {"status": ["active"]}, "pagination": {"limit": 1}}
    return bool(client.post(*_PATH, "search", body=active)["data"])


@contextmanager
def first(tier: str) -> Iterator[str]:
    """The value of a new key, which is withdrawn if what is done with it fails: nobody would ever see it."""
    made = client.post(*_PATH, body={"name": "first key", "tier": tier})
    try:
        yield made["key"]
    except BaseException:
        client.delete(*_PATH, made["id"])
        raise


@contextmanager
def passing(tier: str) -> Iterator[str]:
    body = {"name": "proof of an installation", "username": _CHECK_USER, "tier": tier, "expiresIn": "5m"}
    made = client.post(*_PATH, body=body)
    try:
        yield made["key"]
    finally:
        client.delete(*_PATH, made["id"])
