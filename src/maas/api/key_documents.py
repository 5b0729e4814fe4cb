"""What the key endpoints take and give: generation 3's names, and a few of ours beside them.

A `subscription` there is a `tier` here; both names are given, and either is taken.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StrictBool, StrictInt, model_validator

from maas.api.fields import CamelAnswer, CamelRequest, Duration, Label, Prose, moment
from maas.domain.keys import Key

SHORTEST_VALUE, LONGEST_VALUE = 8, 512
Status = Literal["active", "revoked", "expired"]


class NewKey(CamelRequest):
    name: Label
    description: Prose = ""
    username: Label | None = Field(
        None, description="The owner. Default: who asks, if the header X-MaaS-Username says it"
    )
    subscription: Label | None = Field(default=None, description="The tier")
    tier: Label | None = Field(default=None, description="The same as subscription")
    expires_in: Duration | None = Field(
        default=None, description="For example 30d or 1h; without it the key does not expire"
    )
    models: frozenset[Label] | None = Field(
        default=None, description="The models it may call; without it all of its tier"
    )
    ephemeral: Literal[False] = Field(default=False, description="Not offered; a short expiresIn does the same")

    @model_validator(mode="after")
    def _has_one_tier(self) -> Self:
        if self.tier is None and self.subscription is None:
            raise ValueError("subscription is missing; write the name of a tier")
        if self.tier and self.subscription and self.tier != self.subscription:
            raise ValueError("tier and subscription are two names for one thing and must not differ")
        return self

    @property
    def chosen_tier(self) -> str:
        return self.tier or self.subscription or ""


def _sendable(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not SHORTEST_VALUE <= len(text) <= LONGEST_VALUE or not all("!" <= sign <= "~" for sign in text):
        raise ValueError(f"must be {SHORTEST_VALUE} to {LONGEST_VALUE} printable ASCII characters without spaces")
    return value


class ImportedKey(NewKey):
    key: Annotated[SecretStr, AfterValidator(_sendable)] = Field(description="The value that clients use already")


class KeyDocument(CamelAnswer):
    """A key without its value."""

    id: str
    name: str
    description: str
    username: str
    subscription: str
    tier: str
    key_prefix: str
    status: Status
    models: list[str] | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    ephemeral: Literal[False] = False
    labels: dict[str, str] = Field(default_factory=dict)


class ImportedKeyDocument(KeyDocument):
    warnings: list[str]


class CreatedKeyDocument(KeyDocument):
    key: str = Field(description="The value. It is shown here and never again")


def document(key: Key, now: float) -> KeyDocument:
    return KeyDocument.model_validate(fields(key, now))


def fields(key: Key, now: float) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "description": key.description,
        "username": key.user,
        "subscription": key.tier,
        "tier": key.tier,
        "key_prefix": key.prefix,
        "status": key.status(now),
        "models": None if key.models is None else sorted(key.models),
        "created_at": moment(key.created_at),
        "expires_at": moment(key.expires_at),
        "revoked_at": moment(key.revoked_at),
        "last_used_at": moment(key.last_used_at),
    }


class Filters(CamelRequest):
    username: Label | None = None
    status: tuple[Status, ...] = ()
    subscription: Label | None = None
    include_ephemeral: StrictBool = Field(default=False, description="Has no effect: there are no ephemeral keys")

    def matches(self, key: Key, now: float) -> bool:
        return (
            self.username in (None, key.user)
            and self.subscription in (None, key.tier)
            and (not self.status or key.status(now) in self.status)
        )


class Sort(CamelRequest):
    by: Literal["created_at", "expires_at", "last_used_at", "name"] = "created_at"
    order: Literal["asc", "desc"] = "desc"

    def sorted(self, keys: list[Key]) -> list[Key]:
        """Keys without the value come last, in both orders."""
        having = [key for key in keys if getattr(key, self.by) is not None]
        without = [key for key in keys if getattr(key, self.by) is None]
        return sorted(having, key=lambda key: (getattr(key, self.by), key.id), reverse=self.order == "desc") + without


class Pagination(CamelRequest):
    limit: StrictInt = Field(default=50, ge=1, le=100)
    offset: StrictInt = Field(default=0, ge=0, le=10**9)


class Search(CamelRequest):
    filters: Filters = Filters()
    sort: Sort = Sort()
    pagination: Pagination = Pagination()


class KeyList(CamelAnswer):
    object: Literal["list"] = "list"
    data: list[KeyDocument]
    has_more: bool = Field(alias="has_more")


class BulkRevoke(CamelRequest):
    username: Label | None = None
    subscription: Label | None = None
    dry_run: StrictBool = False

    @model_validator(mode="after")
    def _selects(self) -> Self:
        if self.username is None and self.subscription is None:
            raise ValueError("username or subscription is missing; write at least one of them")
        return self


class BulkRevoked(CamelAnswer):
    revoked_count: int
    message: str
    dry_run: bool


class Rotate(CamelRequest):
    grace: Duration = Field(default="0s", description="How long the old key goes on working, for example 24h")


class KeyConfig(CamelAnswer):
    max_expiration_days: int | None = Field(alias="max_expiration_days")
    ephemeral_max_expiration: str | None = Field(alias="ephemeral_max_expiration")
