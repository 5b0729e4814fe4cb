"""Options of maas.yaml that a server on a cluster would not take, or must not: asked before it crashes on them."""

from collections.abc import Iterator

from maas.domain.errors import InvalidPlatform
from maas.domain.platform import Model
from maas.models.runtimes import RUNTIMES
from maas.models.simulator.settings import OPTIONS

_OF_A_POD = frozenset({"host", "port", "uds", "model", "served-model-name", "request-log", "shutdown-grace"})
_KNOWN = frozenset(option.name for option in OPTIONS) - _OF_A_POD  # llm-d's simulator has them by the same names


def require_known(model: Model) -> None:
    """Raises InvalidPlatform."""
    if problems := [f"models.{model.name}.options.{name}: {why}" for name, why in _problems(model)]:
        raise InvalidPlatform(problems)


def _problems(model: Model) -> Iterator[tuple[str, str]]:
    for name in model.options:
        if name in _OF_A_POD or (model.runtime in RUNTIMES and name in RUNTIMES[model.runtime].owned):
            yield name, "is the platform's own to set; leave it out"
        elif model.runtime == "simulator" and name not in _KNOWN:
            yield name, "the simulator has no such option; `maas simulate --help` lists them"
        elif model.runtime == "external":
            yield name, "a server that runs elsewhere has none"
