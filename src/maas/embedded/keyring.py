"""Keys: made, changed and revoked in the database first, and then at once in what admission looks at."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from maas.domain import keys
from maas.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from maas.domain.keys import Key
from maas.domain.platform import Platform
from maas.embedded.admission import View
from maas.embedded.atomic import replace as replace_file
from maas.store import Store


class Keyring:
    def __init__(self, view: View, store: Store, pepper: bytes, clock: Callable[[], float]) -> None:
        self._view, self._store, self._pepper, self._clock = view, store, pepper, clock
        self._hashes = {key.id: key.hash for key in view.keys.values()}
        self._changing = asyncio.Lock()  # or a key could be rotated while it is being revoked, and live on

    def all(self) -> list[Key]:
        return sorted(self._view.keys.values(), key=lambda key: (key.created_at, key.id))

    def by_id(self, id: str) -> Key:
        if (hash := self._hashes.get(id)) is None:
            raise NotFound(f"there is no key {id!r}; `maas keys list` shows them")
        return self._view.keys[hash]

    async def create(
        self,
        user: str,
        tier: str,
        name: str,
        description: str,
        expires_in: float | None,
        models: frozenset[str] | None,
        actor: str,
        value: str | None = None,
    ) -> tuple[Key, str, list[str]]:
        """The key, its value and warnings; a given value is imported."""
        self._check(tier, models)
        now, warnings = self._clock(), []
        if value is None:
            value = keys.value_from(secrets.token_bytes(32))
        elif weakness := keys.weakness(value):
            warnings.append(f"this key {weakness}: whoever guesses it can use it. Rotate it soon.")
        key = Key(
            id=_new_id(),
            hash=keys.hash_of(value, self._pepper),
            prefix=keys.shown_prefix(value),
            user=user,
            tier=tier,
            name=name,
            created_at=now,
            expires_at=None if expires_in is None else now + expires_in,
            models=models,
            description=description,
        )
        if key.hash in self._view.keys:
            raise Conflict("this key exists already")
        await asyncio.to_thread(self._store.keys.insert, key, actor=actor, at=now)
        self._add(key)
        return key, value, warnings

    async def revoke(self, ids: Sequence[str], actor: str) -> list[Key]:
        """Those that this call revoked."""
        async with self._changing:
            now = self._clock()
            revoked = await asyncio.to_thread(self._store.keys.revoke, set(ids), actor=actor, at=now)
            return [self._change(self.by_id(id), revoked_at=now) for id in sorted(revoked)]

    async def rotate(self, id: str, grace: float, actor: str) -> tuple[Key, str]:
        async with self._changing:
            return await self._rotate(id, grace, actor)

    async def _rotate(self, id: str, grace: float, actor: str) -> tuple[Key, str]:
        old, now = self.by_id(id), self._clock()
        if old.status(now) != "active":
            raise Conflict(f"the key {id} is {old.status(now)}; create a new one instead")
        value = keys.value_from(secrets.token_bytes(32))
        successor = replace(
            old,
            id=_new_id(),
            hash=keys.hash_of(value, self._pepper),
            prefix=keys.shown_prefix(value),
            created_at=now,
            last_used_at=None,
        )
        ends = now + grace if old.expires_at is None else min(old.expires_at, now + grace)
        await asyncio.to_thread(self._store.keys.rotate, id, successor, expires_at=ends, actor=actor, at=now)
        self._add(successor)
        self._change(old, expires_at=ends)
        return successor, value

    def used(self, last_used: Mapping[str, float]) -> None:
        """For lists: when keys were last used, by id."""
        for id, at in last_used.items():
            self._change(self.by_id(id), last_used_at=at)

    def _add(self, key: Key) -> None:
        self._view.keys[key.hash] = key
        self._hashes[key.id] = key.hash

    def _check(self, tier: str, models: frozenset[str] | None) -> None:
        platform: Platform = self._view.platform
        if tier not in platform.tiers:
            raise InvalidInput(f"there is no tier {tier!r}; there are {', '.join(sorted(platform.tiers))}")
        if unknown := sorted((models or frozenset()) - platform.models.keys()):
            known = ", ".join(sorted(platform.models)) or "none yet"
            raise InvalidInput(f"there is no model {unknown[0]!r}; there are {known}")

    def _change(self, key: Key, **changes: float) -> Key:
        current = self._view.keys.get(key.hash, key)
        changed = self._view.keys[key.hash] = replace(current, **changes)  # type: ignore[arg-type]
        return changed


def load_pepper(path: Path, *, keys_exist: bool) -> bytes:
    """The secret that hashes of keys are made with; made once. Raises Unavailable if it was lost."""
    if path.exists():
        return path.read_bytes()
    if keys_exist:
        raise Unavailable(f"{path} is missing: without it no API key can be recognised. Restore it from a backup.")
    replace_file(path, secrets.token_bytes(32))
    return path.read_bytes()


def _new_id() -> str:
    return f"key_{secrets.token_hex(8)}"
