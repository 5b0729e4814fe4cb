"""The format of maas.yaml, and how each of its parts becomes a part of the platform.

pydantic reports one error for each validator. A rule between fields therefore yields all that it finds, and raises
them together as `Broken`; problems.py takes them apart again.
"""

import ipaddress
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo, model_validator

from maas.domain import limits, money, platform
from maas.domain.platform_file import fields
from maas.domain.platform_file.tree import Path


class Broken(ValueError):
    """Rules between the fields of one part; each with the path inside that part."""

    def __init__(self, problems: list[tuple[Path, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


def _known_model(name: str, info: ValidationInfo) -> str:
    """context: the names under `models`, valid or not, so that one mistake is one problem."""
    models: frozenset[str] = info.context or frozenset()
    if name not in models:
        known = ", ".join(sorted(models)) or "none is defined"
        raise ValueError(f"{name!r} is no model of this platform; write one of its models ({known})")
    return name


_EMPTY_IS_A_SECTION = BeforeValidator(lambda value: {} if value is None else value)


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty_entries(cls, value: Any) -> Any:
        """`url:` with nothing behind it is as good as not written."""
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        if problems := list(self.problems()):
            raise Broken(problems)
        return self

    def problems(self) -> Iterator[tuple[Path, str]]:
        """Broken rules between the fields; called when each field is valid by itself."""
        return iter(())


class Price(Part):
    """Per million tokens."""

    input: fields.Money = Decimal(0)
    output: fields.Money = Decimal(0)

    def build(self) -> money.Price:
        return money.Price.per_million(self.input, self.output)


class Model(Part):
    runtime: fields.Runtime
    url: fields.Url | None = None
    context_length: fields.Positive | None = None
    price: Price = Price()
    options: dict[fields.Flag, fields.OptionValue] = {}
    description: fields.Text = ""

    def problems(self) -> Iterator[tuple[Path, str]]:
        external = self.runtime == "external"
        if external and self.url is None:
            yield (), "url is missing; write where the model is served, for example url: http://127.0.0.1:8000"
        if not external and self.url is not None:
            yield ("url",), "only an external model has a url; leave it out, or write runtime: external"
        if external and self.options:
            yield ("options",), "an external model takes no options; leave them out"

    def build(self, name: str) -> platform.Model:
        return platform.Model(
            name, self.runtime, self.url, self.options, self.context_length, self.price.build(), self.description
        )


class Limit(Part):
    """One of requests, tokens or money."""

    requests: fields.Amount | None = None
    tokens: fields.Amount | None = None
    money: fields.Money | None = None
    per: fields.Window

    def problems(self) -> Iterator[tuple[Path, str]]:
        given = self.model_fields_set - {"per"}
        if len(given) != 1:
            found = ", ".join(sorted(given)) or "nothing"
            yield (), f"counts {found}; write one of requests, tokens and money, for example {{requests: 5, per: 2m}}"

    def build(self) -> limits.Limit:
        if self.money is not None:
            return limits.Limit(limits.Unit.MONEY, money.pico(self.money), self.per)
        if self.tokens is not None:
            return limits.Limit(limits.Unit.TOKENS, self.tokens, self.per)
        return limits.Limit(limits.Unit.REQUESTS, self.requests or 0, self.per)


class Tier(Part):
    limits: tuple[Limit, ...] = ()
    models: frozenset[Annotated[fields.Name, AfterValidator(_known_model)]] | None = None
    description: fields.Text = ""

    def problems(self) -> Iterator[tuple[Path, str]]:
        first: dict[tuple[limits.Unit, int], int] = {}
        for index, limit in enumerate(part.build() for part in self.limits):
            before = first.setdefault((limit.unit, limit.seconds), index)
            if before != index:
                yield ("limits", index), f"limits {limit.unit} per {limit.per}, as limits[{before}] does; keep one"

    def build(self, name: str) -> platform.Tier:
        return platform.Tier(name, tuple(limit.build() for limit in self.limits), self.models, self.description)


class Gateway(Part):
    bind: fields.Address = "127.0.0.1"
    http_port: fields.Port = 8080
    https_port: fields.Port = 8443
    metrics_port: fields.Port = 15090
    remote: fields.Switch = False
    hosts: tuple[fields.Host, ...] = ()
    certificate: fields.PemPath | None = None
    private_key: fields.PemPath | None = None

    def problems(self) -> Iterator[tuple[Path, str]]:
        if not self.remote and not ipaddress.ip_address(self.bind).is_loopback:
            yield (
                ("bind",),
                f"{self.bind} opens the gateway to other machines; write remote: true too if that is meant "
                "(models are then served over TLS only), or bind: 127.0.0.1",
            )
        if (self.certificate is None) != (self.private_key is None):
            there, missing = ("certificate", "private_key") if self.certificate else ("private_key", "certificate")
            yield (there,), f"{missing} is missing; write both, or neither for a certificate of the platform's own CA"
        yield from self._shared_ports()

    def _shared_ports(self) -> Iterator[tuple[Path, str]]:
        first: dict[int, str] = {}
        for name in ("http_port", "https_port", "metrics_port"):
            port = getattr(self, name)
            if (before := first.setdefault(port, name)) != name:
                written = name if name in self.model_fields_set else before
                yield (written,), f"{port} is both the {before} and the {name}; write different ports"

    def build(self) -> platform.Gateway:
        return platform.Gateway(**dict(self))


class Usage(Part):
    days: fields.Days = 400


class File(Part):
    gateway: Gateway = Gateway()
    models: dict[fields.ModelName, Annotated[Model, _EMPTY_IS_A_SECTION]] = {}
    tiers: dict[fields.Name, Annotated[Tier, _EMPTY_IS_A_SECTION]] = {}
    usage: Usage = Usage()

    def build(self) -> platform.Platform:
        return platform.Platform(
            {name: model.build(name) for name, model in self.models.items()},
            {name: tier.build(name) for name, tier in self.tiers.items()},
            self.gateway.build(),
            self.usage.days,
        )
