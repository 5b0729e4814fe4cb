"""What the platform is: models, tiers and a gateway. One description for every target."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from maas.domain.limits import Limit
from maas.domain.money import Price

NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Model:
    """runtime: "simulator" (a process of ours) or "external" (an OpenAI-compatible server at `url`).

    options: the runtime's own flags without their dashes, as written in maas.yaml.
    context_length: tokens of prompt and answer together; bounds an answer whose length nobody limited.
    """

    name: str
    runtime: str
    url: str | None = None
    options: Mapping[str, str] = field(default_factory=lambda: NO_OPTIONS)
    context_length: int | None = None
    price: Price = field(default_factory=Price)
    description: str = ""


@dataclass(frozen=True)
class Tier:
    """models: the names its keys may call; None allows all."""

    name: str
    limits: tuple[Limit, ...] = ()
    models: frozenset[str] | None = None
    description: str = ""


@dataclass(frozen=True)
class Gateway:
    """Where the platform listens. Beyond loopback only if `remote`, and then models are served over TLS only."""

    bind: str = "127.0.0.1"
    http_port: int = 8080
    https_port: int = 8443
    metrics_port: int = 15090
    remote: bool = False
    hosts: tuple[str, ...] = ()
    certificate: str | None = None
    private_key: str | None = None


@dataclass(frozen=True)
class Platform:
    models: Mapping[str, Model]
    tiers: Mapping[str, Tier]
    gateway: Gateway = field(default_factory=Gateway)
    usage_days: int = 400  # a year of showback and the month that is being closed
