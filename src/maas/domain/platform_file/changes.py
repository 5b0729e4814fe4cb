"""What differs between two platforms, in lines that can be read before it is applied.

Platforms are compared, not texts: a comment or another order of lines changes nothing, and is not shown.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

from maas.domain import durations
from maas.domain.limits import Limit
from maas.domain.platform import Endpoint, Gateway, Model, Platform, Tier
from maas.domain.platform_file import writing


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


_SIGNS = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~"}


@dataclass(frozen=True, slots=True)
class Change:
    """place: for example models.simulator.url, or tiers.free.limits.tokens per 1m. before and after: as text."""

    kind: Kind
    place: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        values = [text for text in (self.before, self.after) if text is not None]
        return f"{_SIGNS[self.kind]} {self.place}: {' -> '.join(values)}"


def diff(old: Platform, new: Platform) -> list[Change]:
    """What `new` adds, removes and changes, by place. Empty when both are the same platform."""
    before, after = dict(_facts(old)), dict(_facts(new))
    return [
        _change(place, before.get(place), after.get(place))
        for place in sorted(before.keys() | after.keys())
        if before.get(place) != after.get(place)
    ]


def _change(place: str, before: str | None, after: str | None) -> Change:
    kind = Kind.ADDED if before is None else Kind.REMOVED if after is None else Kind.CHANGED
    return Change(kind, place, before, after)


def _facts(platform: Platform) -> Iterator[tuple[str, str]]:
    """The platform as places and values; what is not set has no place."""
    yield from _gateway(platform.gateway)
    yield "usage.days", str(platform.usage_days)
    for model in platform.models.values():
        yield from _model(f"models.{model.name}", model)
    for tier in platform.tiers.values():
        yield from _tier(f"tiers.{tier.name}", tier)


def _gateway(gateway: Gateway) -> Iterator[tuple[str, str]]:
    for name, value in asdict(gateway).items():
        if value is not None:
            yield f"gateway.{name}", ", ".join(value) if isinstance(value, tuple) else str(value)


def _model(place: str, model: Model) -> Iterator[tuple[str, str]]:
    yield f"{place}.runtime", model.runtime
    for name in ("weights", "served_name", "show_errors", "context_length", "description"):
        if value := getattr(model, name):
            yield f"{place}.{name}", str(value)
    if model.aliases:
        yield f"{place}.aliases", ", ".join(model.aliases)
    if model.wait:
        yield f"{place}.wait", durations.compact(model.wait)
    yield from _endpoints(place, model.endpoints)
    for side, price in writing.prices(model.price).items():
        yield f"{place}.price.{side}", f"{price:f}"
    for name, value in model.options.items():
        yield f"{place}.options.{name}", value


def _endpoints(place: str, endpoints: tuple[Endpoint, ...]) -> Iterator[tuple[str, str]]:
    """The only one has its place in the model's own entry, as in the file."""
    for index, endpoint in enumerate(endpoints):
        where = place if writing.is_plain(endpoints) else f"{place}.endpoints[{index}]"
        yield f"{where}.url", endpoint.url
        if endpoint.api_key_file:
            yield f"{where}.api_key_file", endpoint.api_key_file
        if endpoint.weight != 1:
            yield f"{where}.weight", str(endpoint.weight)


def _tier(place: str, tier: Tier) -> Iterator[tuple[str, str]]:
    yield f"{place}.models", "all" if tier.models is None else ", ".join(sorted(tier.models)) or "none"
    if tier.description:
        yield f"{place}.description", tier.description
    yield from ((f"{place}.limits.{limit.unit} per {limit.per}", _amount(limit)) for limit in tier.limits)


def _amount(limit: Limit) -> str:
    return f"{writing.limit_amount(limit):f}"
