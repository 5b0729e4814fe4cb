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


class Endpoint(Part):
    url: fields.Url
    weight: fields.Weight = 1
    api_key_file: fields.KeyPath | None = None

    def build(self) -> platform.Endpoint:
        return platform.Endpoint(self.url, self.weight, self.api_key_file)


_ARTICLES = {
    "url": "a url",
    "endpoints": "endpoints",
    "served_name": "a served_name",
    "show_errors": "show_errors",
}
_OWN_WEIGHTS = ("llama-cpp", "vllm")


class Model(Part):
    runtime: fields.Runtime
    url: fields.Url | None = None
    api_key_file: fields.KeyPath | None = None
    endpoints: tuple[Endpoint, ...] = ()
    weights: fields.Weights | None = None
    served_name: fields.ServedName | None = None
    aliases: tuple[fields.ModelName, ...] = ()
    wait: fields.Wait = 0
    show_errors: fields.Switch = False
    context_length: fields.Positive | None = None
    price: Price = Price()
    options: dict[fields.Flag, fields.OptionValue] = {}
    description: fields.Text = ""

    def problems(self) -> Iterator[tuple[Path, str]]:
        external = self.runtime == "external"
        if external and self.url is None and not self.endpoints:
            yield (), "url is missing; write where the model is served, for example url: http://127.0.0.1:8000"
        if external and self.url is not None and self.endpoints:
            yield ("url",), "there are endpoints, too; write either one url or a list of endpoints"
        if self.api_key_file is not None and (self.endpoints or not external):
            yield ("api_key_file",), "belongs beside a url; leave it out, or write it into each of the endpoints"
        if external and self.options:
            yield ("options",), "an external model takes no options; leave them out"
        if self.runtime in _OWN_WEIGHTS and self.weights is None:
            yield (), f"weights is missing; write what {self.runtime} is to serve: a path, or a name on the hub"
        yield from self._misplaced(external)
        repeated = sorted({alias for alias in self.aliases if self.aliases.count(alias) > 1})
        if repeated:
            yield ("aliases",), f"{repeated[0]!r} is written twice; keep one"

    def _misplaced(self, external: bool) -> Iterator[tuple[Path, str]]:
        for name in ("url", "endpoints", "served_name", "show_errors"):
            if not external and getattr(self, name):
                yield (name,), f"only an external model has {_ARTICLES[name]}; leave it out, or write runtime: external"
        if self.weights is not None and self.runtime not in _OWN_WEIGHTS:
            known = " and ".join(_OWN_WEIGHTS)
            yield (
                ("weights",),
                f"only {known} serve weights; leave them out, or write such a runtime",
            )
        if external and self.wait:
            yield ("wait",), "nobody knows when a server that runs elsewhere has loaded; leave it out"

    def build(self, name: str) -> platform.Model:
        single = () if self.url is None else (platform.Endpoint(self.url, api_key_file=self.api_key_file),)
        return platform.Model(
            name,
            self.runtime,
            single or tuple(endpoint.build() for endpoint in self.endpoints),
            self.options,
            self.context_length,
            self.price.build(),
            self.description,
            self.weights,
            self.served_name,
            self.aliases,
            self.wait,
            self.show_errors,
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

    def problems(self) -> Iterator[tuple[Path, str]]:
        """One name means one model, whether it is its own or another's alias."""
        meant = dict.fromkeys(self.models, "a model")
        for name, model in self.models.items():
            for index, alias in enumerate(model.aliases):
                if alias in meant:
                    yield ("models", name, "aliases", index), f"{alias!r} is {meant[alias]} already; choose another"
                meant[alias] = f"an alias of {name!r}"

    def build(self) -> platform.Platform:
        return platform.Platform(
            {name: model.build(name) for name, model in self.models.items()},
            {name: tier.build(name) for name, tier in self.tiers.items()},
            self.gateway.build(),
            self.usage.days,
        )
