"""Keys on a cluster: made, changed and revoked as Secrets that Authorino watches.

It hears of a change within moments, and not before the API server has taken it: a command that returned may be a few
hundred milliseconds ahead. There is no way to ask it.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from maas.cluster import kinds
from maas.cluster.api import Api, path_of
from maas.cluster.changes import Change, Verb
from maas.cluster.failures import Conflicting, Missing
from maas.cluster.objects import Object, items, text
from maas.cluster.resources import key_secrets
from maas.cluster.resources.key_secrets import NAMESPACE, Kept
from maas.domain import keys
from maas.domain.errors import Conflict, InvalidInput, MaasError, NotFound, Unavailable
from maas.domain.keys import Key
from maas.domain.platform import Platform

_PAGE = 500
_AT_ONCE = 16


class Keyring:
    def __init__(self, api: Api, clock: Callable[[], float] = time.time) -> None:
        self._api, self._clock = api, clock
        self._kept: dict[str, Kept] = {}

    async def load(self) -> None:
        """Raises MaasError."""
        found = await asyncio.gather(self._list(key_secrets.LIVE), self._list(key_secrets.ENDED))
        self._kept = {kept.key.id: kept for kept in key_secrets.every([each for part in found for each in part])}

    def all(self) -> list[Key]:
        return [kept.key for kept in self._kept.values()]

    def by_id(self, id: str) -> Key:
        return self._held(id).key

    async def create(
        self,
        platform: Platform,
        user: str,
        tier: str,
        name: str,
        description: str,
        expires_in: float | None,
        models: frozenset[str] | None,
        actor: str,
        value: str | None = None,
    ) -> tuple[Key, str, list[str]]:
        """As Control.create_key."""
        _check(platform, tier, models)
        now, warnings = self._clock(), []
        if value is None:
            value = keys.value_from(secrets.token_bytes(32))
        else:
            self._require_unused(value)
            if weakness := keys.weakness(value):
                warnings.append(f"this key {weakness}: whoever guesses it can use it. Rotate it soon.")
        ends = None if expires_in is None else now + expires_in
        key = Key(
            _new_id(),
            keys.hash_of(value, b""),
            keys.shown_prefix(value),
            *(user, tier, name, now),
            expires_at=ends,
            models=models,
            description=description,
        )
        await self._make(Kept(key, key_secrets.secret_name(key.id), value), actor)
        return key, value, warnings

    async def revoke(self, ids: Sequence[str]) -> list[Key]:
        """Those that this call revoked. Where one fails, the others are revoked all the same."""
        now, places = self._clock(), asyncio.Semaphore(_AT_ONCE)

        async def in_turn(kept: Kept) -> Kept | MaasError:
            async with places:
                try:
                    return await self._revoke(kept, now)
                except MaasError as error:
                    return error

        live = [kept for id in dict.fromkeys(ids) if (kept := self._kept.get(id)) and kept.key.revoked_at is None]
        ended = await asyncio.gather(*map(in_turn, live))
        done = [each.key for each in ended if isinstance(each, Kept)]
        if failed := next((each for each in ended if isinstance(each, MaasError)), None):
            raise Unavailable(f"{len(done)} of {len(live)} keys are revoked; try again for the rest: {failed}")
        return done

    async def rotate(self, id: str, grace: float, actor: str) -> tuple[Key, str]:
        old, now = self._held(id), self._clock()
        if (status := old.key.status(now)) != "active":
            raise Conflict(f"the key {id} is {status}; create a new one instead")
        value = keys.value_from(secrets.token_bytes(32))
        key = replace(
            old.key,
            id=_new_id(),
            hash=keys.hash_of(value, b""),
            prefix=keys.shown_prefix(value),
            created_at=now,
        )
        await self._make(Kept(key, key_secrets.secret_name(key.id), value), actor)
        await self._end(old, now, grace, actor)
        return key, value

    async def _end(self, old: Kept, now: float, grace: float, actor: str) -> None:
        """The new Secret comes first: between the two, the key works."""
        if grace <= 0:
            await self._revoke(old, now)
            return
        ends = now + grace if old.key.expires_at is None else min(old.key.expires_at, now + grace)
        await self._make(key_secrets.ending(old, ends), actor)
        for secret in old.secrets:
            await self._delete(secret)

    async def _make(self, kept: Kept, actor: str) -> None:
        path = path_of(kinds.SECRET, "v1", NAMESPACE)
        try:
            await self._api.post(path, key_secrets.secret(kept, actor), again=False)
        except Missing:
            raise NotFound(
                f"there is no namespace {NAMESPACE}, where keys are kept; `maas install` sets the platform up"
            ) from None
        except Conflicting:
            raise Conflict(f"Secret {NAMESPACE}/{kept.secret} is there already; try again") from None
        self._kept[kept.key.id] = replace(kept, others=())

    async def _revoke(self, kept: Kept, at: float) -> Kept:
        for body in (key_secrets.without_value(kept, at), key_secrets.unwatched(kept.key.id)):
            for secret in kept.secrets:
                change = Change(Verb.patch, kinds.SECRET, secret, NAMESPACE, body)
                await self._api.carry_out(change, dry_run=False, now=at)
        digest = key_secrets.digest(kept.key.id, kept.value or "")
        ended = replace(kept, key=replace(kept.key, revoked_at=at), value=None, digest=digest)
        self._kept[kept.key.id] = ended
        return ended

    async def _delete(self, secret: str) -> None:
        change = Change(Verb.delete, kinds.SECRET, secret, NAMESPACE)
        try:
            await self._api.carry_out(change, dry_run=False, now=self._clock())
        except Missing:
            return

    async def _list(self, labels: str) -> list[Object]:
        found: list[Object] = []
        asked: Mapping[str, Any] = {"labelSelector": labels, "limit": _PAGE}
        while True:
            page = await self._api.get(f"{path_of(kinds.SECRET, 'v1', NAMESPACE)}?{urlencode(asked)}")
            found += items(page, "items")
            if not (following := text(page, "metadata", "continue")):
                return found
            asked = {**asked, "continue": following}

    def _held(self, id: str) -> Kept:
        if (kept := self._kept.get(id)) is None:
            raise NotFound(f"there is no key {id!r}; `maas keys list` shows them")
        return kept

    def _require_unused(self, value: str) -> None:
        """Of two Secrets with one value, Authorino knows one; and what was revoked is to stay so."""
        if any(kept.holds(value) for kept in self._kept.values()):
            raise Conflict("this key exists already")


def _check(platform: Platform, tier: str, models: frozenset[str] | None) -> None:
    if tier not in platform.tiers:
        raise InvalidInput(f"there is no tier {tier!r}; there are {', '.join(sorted(platform.tiers)) or 'none'}")
    if unknown := sorted((models or frozenset()) - platform.models.keys()):
        known = ", ".join(sorted(platform.models)) or "none yet"
        raise InvalidInput(f"there is no model {unknown[0]!r}; there are {known}")


def _new_id() -> str:
    return f"key_{secrets.token_hex(8)}"
