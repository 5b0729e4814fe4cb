"""The key endpoints, with the paths and the fields of generation 3 so that its clients can call them."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from maas.api.control import Control
from maas.api.errors import documented
from maas.api.fields import LONGEST_EXPIRY_DAYS, Actor, ControlOf
from maas.api.key_documents import (
    BulkRevoke,
    BulkRevoked,
    CreatedKeyDocument,
    Filters,
    ImportedKey,
    ImportedKeyDocument,
    KeyConfig,
    KeyDocument,
    KeyList,
    NewKey,
    Rotate,
    Search,
    document,
    fields,
)
from maas.domain import durations
from maas.domain.errors import InvalidInput, NotFound
from maas.domain.keys import Key

router = APIRouter(prefix="/v1/api-keys", tags=["keys"], responses=documented(400, 503))
Id = Annotated[str, Path(max_length=128)]


def _now(request: Request) -> float:
    clock: Callable[[], float] = request.app.state.clock
    return clock()


Now = Annotated[float, Depends(_now)]


@router.post("", status_code=201, responses=documented(409))
async def create(new: NewKey, control: ControlOf, actor: Actor, now: Now) -> CreatedKeyDocument:
    """Make a key. Its value is in the answer and can never be seen again."""
    key, value, _ = await _create(control, new, actor, None)
    return CreatedKeyDocument.model_validate({**fields(key, now), "key": value})


@router.post("/import", status_code=201, responses=documented(409))
async def import_key(new: ImportedKey, control: ControlOf, actor: Actor, now: Now) -> ImportedKeyDocument:
    """Take a value that clients use already. The answer warns when it is easy to guess."""
    key, _, warnings = await _create(control, new, actor, new.key.get_secret_value())
    return ImportedKeyDocument.model_validate({**fields(key, now), "warnings": warnings})


@router.post("/search")
async def search(control: ControlOf, now: Now, wanted: Search | None = None) -> KeyList:
    """Find keys. Without a body: all, the newest first."""
    wanted = wanted or Search()
    every = control.keys()
    found = wanted.sort.sorted([key for key in every if wanted.filters.matches(key, now)])
    start = wanted.pagination.offset
    end = start + wanted.pagination.limit
    return KeyList(data=[document(key, now) for key in found[start:end]], has_more=len(found) > end)


@router.post("/bulk-revoke")
async def bulk_revoke(which: BulkRevoke, control: ControlOf, actor: Actor, now: Now) -> BulkRevoked:
    """Revoke all active keys of a user, of a tier, or of a user in a tier."""
    selects = Filters(username=which.username, subscription=which.subscription, status=("active",))
    every = control.keys()
    ids = [key.id for key in every if selects.matches(key, now)]
    count = len(ids if which.dry_run else await control.revoke_keys(ids, actor))
    said = f"{count} {'key' if count == 1 else 'keys'} {'would be ' if which.dry_run else ''}revoked"
    return BulkRevoked(revoked_count=count, message=said, dry_run=which.dry_run)


@router.get("/config")
async def config() -> KeyConfig:
    """What may be asked for when a key is made. No ephemeral keys are offered."""
    return KeyConfig(max_expiration_days=LONGEST_EXPIRY_DAYS, ephemeral_max_expiration=None)


@router.get("/{id}", responses=documented(404))
async def get(id: Id, control: ControlOf, now: Now) -> KeyDocument:
    return document(control.key(id), now)


@router.delete("/{id}", responses=documented(404))
async def revoke(id: Id, control: ControlOf, actor: Actor, now: Now) -> KeyDocument:
    """Revoke a key: its next request fails. 404 when it is revoked already."""
    control.key(id)
    revoked = await control.revoke_keys([id], actor)
    if not revoked:
        raise NotFound(f"the key {id!r} is revoked already")
    return document(revoked[0], now)


@router.post("/{id}/rotate", status_code=201, responses=documented(404, 409))
async def rotate(id: Id, control: ControlOf, actor: Actor, now: Now, how: Rotate | None = None) -> CreatedKeyDocument:
    """Make a successor with the same owner, tier, models and expiry. The old key ends after the grace period."""
    key, value = await control.rotate_key(id, durations.parse((how or Rotate()).grace), actor)
    return CreatedKeyDocument.model_validate({**fields(key, now), "key": value})


async def _create(control: Control, new: NewKey, actor: str, value: str | None) -> tuple[Key, str, list[str]]:
    if new.username is None and actor == "local":
        raise InvalidInput("username: is missing; write who will own the key")
    expires_in = durations.parse(new.expires_in) if new.expires_in else None
    if expires_in == 0:
        raise InvalidInput("expiresIn: must be longer than nothing; write for example 30d")
    return await control.create_key(
        new.username or actor, new.chosen_tier, new.name, new.description, expires_in, new.models, actor, value
    )
