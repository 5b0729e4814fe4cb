"""Whether a model's options are ones its runtime knows: asked before anything is started with them."""

import difflib
import re
from pathlib import Path

from maas.domain.errors import InvalidPlatform, MaasError
from maas.domain.platform import Model, Platform
from maas.models.runtimes import RUNTIMES
from maas.models.simulator.settings import OPTIONS
from maas.models.weights import places

_BY_NAME = {option.name: option for option in OPTIONS}
_ALSO = ("request-log",)  # what the simulator's command line takes besides


def require_known_options(platform: Platform) -> None:
    """Raises InvalidPlatform with every option that is unknown, or has a value that can't be."""
    if problems := [problem for model in platform.models.values() for problem in _problems(model)]:
        raise InvalidPlatform(problems)


def require_weights(platform: Platform, folder: Path) -> None:
    """Raises InvalidPlatform that names all that are not on this machine. What vLLM takes from the hub, it fetches."""
    problems = []
    for model in platform.models.values():
        if model.runtime == "llama-cpp" or (model.weights or "").startswith("/"):
            try:
                places.locate(model.weights or "", folder)
            except MaasError as error:
                problems.append(f"models.{model.name}.weights: {error}")
    if problems:
        raise InvalidPlatform(problems)


def _problems(model: Model) -> list[str]:
    if model.runtime in ("llama-cpp", "vllm"):
        owned = [option for option in model.options if option in RUNTIMES[model.runtime].owned]
        return [f"models.{model.name}.options.{option}: is the platform's own to set; leave it out" for option in owned]
    if model.runtime != "simulator":
        return [f"models.{model.name}.options: a server that runs elsewhere has none"] if model.options else []
    return [problem for name, value in model.options.items() if (problem := _problem(model, name, value))]


def _problem(model: Model, name: str, value: str) -> str | None:
    place = f"models.{model.name}.options.{name}"
    if name in _ALSO:
        return None
    if name not in _BY_NAME:
        close = difflib.get_close_matches(name, _BY_NAME, 1)
        hint = f"; did you mean {close[0]}? " if close else "; "
        return f"{place}: the simulator has no such option{hint}`maas simulate --help` lists them"
    try:
        _BY_NAME[name].read(int(value) if re.fullmatch(r"-?\d{1,19}", value) else value)
    except ValueError as error:
        return f"{place}: {error}"
    return None
