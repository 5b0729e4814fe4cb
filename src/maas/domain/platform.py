"""What the platform is: models, tiers and a gateway. One description for every target."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from maas.domain.limits import Limit
from maas.domain.money import Price

NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Endpoint:
    """A server that somebody else runs, and that speaks OpenAI's API.

    weight: its share of the requests, beside those of the model's other endpoints.
    api_key_file: whose text is shown there as `Authorization: Bearer …`; the key itself is never in the description.
    """

    url: str
    weight: int = 1
    api_key_file: str | None = None


@dataclass(frozen=True)
class Model:
    """runtime: "simulator", "llama-cpp" or "vllm" (a process of ours), or "external" (served at its `endpoints`).

    options: the runtime's own flags without their dashes, as written in maas.yaml.
    context_length: tokens of prompt and answer together; bounds an answer whose length nobody limited.
    weights: what a process of ours serves: a path, or a name on the hub. None for the simulator and for endpoints.
    served_name: what the endpoints call it; clients are told its own name.
    aliases: further names that clients may use.
    show_errors: whether clients may read the endpoints' own words about a request that was refused.
    wait: seconds that a request may wait while the model is loading; 0 answers 503 at once.
    """

    name: str
    runtime: str
    endpoints: tuple[Endpoint, ...] = ()
    options: Mapping[str, str] = field(default_factory=lambda: NO_OPTIONS)
    context_length: int | None = None
    price: Price = field(default_factory=Price)
    description: str = ""
    weights: str | None = None
    served_name: str | None = None
    aliases: tuple[str, ...] = ()
    wait: int = 0
    show_errors: bool = False


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

    def model(self, called: str) -> Model | None:
        """The model of that name or alias."""
        if (model := self.models.get(called)) is not None:
            return model
        return next((model for model in self.models.values() if called in model.aliases), None)

    def name_of(self, called: str) -> str:
        """The name of the model of that name or alias; what it was called if there is none."""
        model = self.model(called)
        return model.name if model else called
