"""The platform's description, and its parts: tiers, models, what is left of a quota."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from maas.api.errors import documented
from maas.api.fields import Actor, ControlOf
from maas.api.platform_documents import (
    Applied,
    Apply,
    Deleted,
    ModelDocument,
    ModelList,
    NewModel,
    PlatformText,
    Quota,
    TierDocument,
    TierList,
    change_document,
    model_document,
    quota_line,
    tier_document,
)
from maas.domain.errors import NotFound
from maas.domain.reports import ModelState

_UNKNOWN = ModelState("unknown")

router = APIRouter(tags=["platform"], responses=documented(400, 503))
Name = Annotated[str, Path(max_length=128)]


@router.get("/v1/platform")
async def platform_text(control: ControlOf) -> PlatformText:
    return PlatformText(text=control.platform_text())


@router.post("/v1/platform/apply", responses=documented(409))
async def apply(wanted: Apply, control: ControlOf, actor: Actor) -> Applied:
    """Make the platform what the text describes, and tell what that changes; with dryRun, only tell."""
    changes = await control.apply(wanted.text, wanted.dry_run, actor)
    return Applied(changes=list(map(change_document, changes)), dry_run=wanted.dry_run)


@router.get("/v1/tiers")
async def tiers(control: ControlOf) -> TierList:
    return TierList(data=list(map(tier_document, control.platform().tiers.values())))


@router.get("/v1/tiers/{name}", responses=documented(404))
async def tier(name: Name, control: ControlOf) -> TierDocument:
    known = control.platform().tiers
    if name not in known:
        raise NotFound(f"there is no tier {name!r}; there are {', '.join(known) or 'none'}")
    return tier_document(known[name])


@router.get("/v1/quota", responses=documented(404))
async def quota(
    control: ControlOf, user: Annotated[str, Query(max_length=128)], tier: Annotated[str, Query(max_length=128)]
) -> Quota:
    """What a user has left in a tier."""
    return Quota(user=user, tier=tier, limits=list(map(quota_line, await control.quota(user, tier))))


@router.get("/v1/models")
async def models(control: ControlOf) -> ModelList:
    """All models, with their state. What a key may call, it is told by the gateway's /v1/models."""
    statuses = await control.models_status()
    known = control.platform().models.values()
    return ModelList(data=[model_document(model, statuses.get(model.name, _UNKNOWN)) for model in known])


@router.post("/v1/models", status_code=201, responses=documented(409))
async def add_model(new: NewModel, control: ControlOf, actor: Actor) -> ModelDocument:
    """Add a model, to maas.yaml too, which keeps its comments."""
    spec = new.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
    await control.add_model(new.name, spec, actor)
    statuses = await control.models_status()
    return model_document(control.platform().models[new.name], statuses.get(new.name, _UNKNOWN))


@router.delete("/v1/models/{name}", responses=documented(404, 409))
async def remove_model(name: Name, control: ControlOf, actor: Actor) -> Deleted:
    await control.remove_model(name, actor)
    return Deleted(id=name)
