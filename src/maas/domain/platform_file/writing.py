"""The platform as a text that reads as the same platform. What equals its default is left out."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

import yaml

from maas.domain import durations, money
from maas.domain.limits import Limit, Unit
from maas.domain.money import Price
from maas.domain.platform import Endpoint, Gateway, Model, Platform, Tier

_USAGE_DAYS = next(field.default for field in fields(Platform) if field.name == "usage_days")


def dump(platform: Platform) -> str:
    gateway = {
        field.name: _plain(value)
        for field in fields(Gateway)
        if (value := getattr(platform.gateway, field.name)) != field.default
    }
    usage = {"days": platform.usage_days} if platform.usage_days != _USAGE_DAYS else {}
    sections = {
        "gateway": gateway,
        "models": {name: model(one) for name, one in platform.models.items()},
        "tiers": {name: _tier(tier) for name, tier in platform.tiers.items()},
        "usage": usage,
    }
    return as_yaml({name: section for name, section in sections.items() if section or name in ("models", "tiers")})


def as_yaml(data: Mapping[str, Any]) -> str:
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)


def as_braces(data: Mapping[str, Any]) -> str:
    return yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6, default_flow_style=True
    ).strip()


def model(model: Model) -> dict[str, Any]:
    """The model's entry."""
    written = {
        "runtime": model.runtime,
        **_served(model.endpoints),
        "weights": model.weights,
        "served_name": model.served_name,
        "aliases": _Items(model.aliases),
        "context_length": model.context_length,
        "price": _Inline(prices(model.price)),
        "options": dict(model.options),
        "show_errors": model.show_errors,
        "wait": durations.compact(model.wait) if model.wait else None,
        "description": model.description,
    }
    return {name: value for name, value in written.items() if value}


def is_plain(endpoints: Sequence[Endpoint]) -> bool:
    """Whether they need no list of their own: one, which then has no weight."""
    return len(endpoints) == 1 and endpoints[0].weight == 1


def _served(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    if is_plain(endpoints):
        return {"url": endpoints[0].url, "api_key_file": endpoints[0].api_key_file}
    return {"endpoints": [_Inline(_endpoint(endpoint)) for endpoint in endpoints]}


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    written = {"url": endpoint.url, "weight": endpoint.weight, "api_key_file": endpoint.api_key_file}
    return {name: value for name, value in written.items() if value is not None and (name, value) != ("weight", 1)}


def limit_amount(limit: Limit) -> Decimal:
    """As it is written in maas.yaml: whole requests or tokens, or an amount of the currency."""
    return _short(money.amount(limit.amount)) if limit.unit is Unit.MONEY else Decimal(limit.amount)


def prices(price: Price) -> dict[str, Decimal]:
    """Per million tokens, by side; a side that costs nothing is left out."""
    sides = {"input": price.input, "output": price.output}
    return {side: _short(Decimal(pico) / 10**6) for side, pico in sides.items() if pico}


class _Inline(dict[str, Any]):
    """Written in braces on one line."""


class _Items(list[Any]):
    """Written in brackets on one line."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _decimal(dumper: yaml.SafeDumper, value: Decimal) -> yaml.Node:
    kind = "float" if value % 1 else "int"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", f"{value:f}")


def _inline(dumper: yaml.SafeDumper, value: _Inline) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=True)


def _items(dumper: yaml.SafeDumper, value: _Items) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=True)


_Dumper.add_representer(_Items, _items)
_Dumper.add_representer(Decimal, _decimal)
_Dumper.add_representer(_Inline, _inline)


def _tier(tier: Tier) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if tier.limits:
        written["limits"] = [_Inline({str(limit.unit): limit_amount(limit), "per": limit.per}) for limit in tier.limits]
    if tier.models is not None:
        written["models"] = sorted(tier.models)
    if tier.description:
        written["description"] = tier.description
    return written


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _short(value: Decimal) -> Decimal:
    """Without trailing zeros, and never in the form 1E+1."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()
