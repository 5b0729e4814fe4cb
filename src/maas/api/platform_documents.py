"""What the endpoints of the platform take and give. Amounts of money are exact decimals, as text."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from maas.api.fields import CamelAnswer, CamelRequest, Label, Prose, amount
from maas.domain import durations
from maas.domain.admission import Status
from maas.domain.limits import Limit, Unit
from maas.domain.platform import Model, Tier
from maas.domain.platform_file import Change, Kind
from maas.domain.reports import ModelState


class LimitDocument(BaseModel):
    """amount: whole requests or tokens, or a decimal amount of money. seconds: the window, which `per` writes as 2m."""

    unit: Unit
    amount: str
    per: str
    seconds: int


class TierDocument(BaseModel):
    name: str
    description: str
    limits: list[LimitDocument]
    models: list[str] | None = Field(description="The models its keys may call; null: all")


class TierList(BaseModel):
    object: Literal["list"] = "list"
    data: list[TierDocument]


class QuotaLine(BaseModel):
    limit: LimitDocument
    remaining: str
    resets_in: float = Field(description="Seconds until the window ends")


class Quota(BaseModel):
    user: str
    tier: str
    limits: list[QuotaLine]


class PriceDocument(BaseModel):
    """Per million tokens."""

    input: str
    output: str


class EndpointDocument(BaseModel):
    url: str
    weight: int
    api_key_file: str | None


class ModelDocument(BaseModel):
    id: str
    object: Literal["model"] = "model"
    owned_by: Literal["maas"] = "maas"
    ready: bool
    status: str
    runtime: str
    trouble: str | None = Field(description="Why it is not ready, and what to do about it")
    url: str | None = Field(description="Of its first endpoint")
    endpoints: list[EndpointDocument]
    weights: str | None
    served_name: str | None
    show_errors: bool
    aliases: list[str]
    wait: str | None = Field(description="How long a request may wait while it loads")
    context_length: int | None
    price: PriceDocument
    options: dict[str, str]
    description: str


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelDocument]


class NewPrice(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: Decimal = Field(default=Decimal(0), ge=0)
    output: Decimal = Field(default=Decimal(0), ge=0)


class NewEndpoint(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str = Field(max_length=2000)
    weight: StrictInt = Field(default=1, ge=1, le=1000)
    api_key_file: str | None = Field(default=None, max_length=4000)


class NewModel(BaseModel):
    """The fields of a model in maas.yaml, and its name."""

    model_config = ConfigDict(extra="forbid")

    name: Label
    runtime: Literal["simulator", "llama-cpp", "vllm", "external"]
    url: str | None = Field(default=None, max_length=2000)
    api_key_file: str | None = Field(default=None, max_length=4000)
    endpoints: list[NewEndpoint] = []
    weights: str | None = Field(default=None, max_length=500)
    served_name: str | None = Field(default=None, max_length=256)
    show_errors: StrictBool = False
    aliases: list[Label] = []
    wait: Label | None = None
    context_length: StrictInt | None = Field(default=None, ge=1, le=10**9)
    price: NewPrice | None = None
    options: dict[Label, Prose] = {}
    description: Prose = ""


class Deleted(BaseModel):
    id: str
    object: Literal["model"] = "model"
    deleted: Literal[True] = True


class PlatformText(BaseModel):
    text: str = Field(description="maas.yaml")


class Apply(CamelRequest):
    text: str = Field(description="The whole of maas.yaml")
    dry_run: StrictBool = False


class ChangeDocument(BaseModel):
    kind: Kind
    place: str
    before: str | None
    after: str | None
    text: str = Field(description="The change in one line")


class Applied(CamelAnswer):
    changes: list[ChangeDocument]
    dry_run: bool


def quota_line(status: Status) -> QuotaLine:
    remaining = _quantity(status.limit.unit, status.remaining)
    return QuotaLine(limit=_limit(status.limit), remaining=remaining, resets_in=status.resets_in)


def _limit(limit: Limit) -> LimitDocument:
    shown = _quantity(limit.unit, limit.amount)
    return LimitDocument(unit=limit.unit, amount=shown, per=limit.per, seconds=limit.seconds)


def _quantity(unit: Unit, count: int) -> str:
    return amount(count) if unit is Unit.MONEY else str(count)


def tier_document(tier: Tier) -> TierDocument:
    may = None if tier.models is None else sorted(tier.models)
    return TierDocument(name=tier.name, description=tier.description, limits=list(map(_limit, tier.limits)), models=may)


def model_document(model: Model, state: ModelState) -> ModelDocument:
    return ModelDocument(
        id=model.name,
        ready=state.status == "ready",
        status=state.status,
        trouble=state.trouble,
        runtime=model.runtime,
        endpoints=[EndpointDocument(**vars(endpoint)) for endpoint in model.endpoints],
        weights=model.weights,
        served_name=model.served_name,
        show_errors=model.show_errors,
        aliases=list(model.aliases),
        wait=durations.compact(model.wait) if model.wait else None,
        url=model.endpoints[0].url if model.endpoints else None,
        context_length=model.context_length,
        price=PriceDocument(input=_per_million(model.price.input), output=_per_million(model.price.output)),
        options=dict(model.options),
        description=model.description,
    )


def _per_million(pico_per_token: int) -> str:
    return amount(pico_per_token * 10**6)


def change_document(change: Change) -> ChangeDocument:
    return ChangeDocument(
        kind=change.kind, place=change.place, before=change.before, after=change.after, text=str(change)
    )
