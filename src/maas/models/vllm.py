"""Serving weights on GPUs with vLLM, told what sizing has found to fit.

vLLM is not a dependency: it weighs several gigabytes and fits one kind of machine. What is installed is used; where
that is vLLM for CPUs, it is told how much of the memory it may have.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from maas.domain.errors import InvalidInput, Unavailable
from maas.models import machine
from maas.models.sizing import cpu, finding, fit
from maas.models.sizing.fit import Wish

PROGRAM = "vllm"
_UNTOLD = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}  # it reports usage to its makers: nobody here was asked
_CACHE_VARIABLE = "VLLM_CPU_KVCACHE_SPACE"  # GiB; older ones know only this, newer ones still do
_CACHE_OPTION = "kv-cache-memory-bytes"


def program() -> str:
    """Raises Unavailable."""
    beside = Path(sys.executable).with_name(PROGRAM)
    found = os.environ.get("MAAS_VLLM") or (str(beside) if beside.exists() else shutil.which(PROGRAM))
    if not found:
        raise Unavailable(f"{PROGRAM} is not installed: pip install vllm, or name it in $MAAS_VLLM; --cpu needs none")
    return found


def command(
    weights: str, name: str, socket: Path, context_length: int | None, options: Mapping[str, str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """With its variables. Sized for what is here; what the user wrote as options wins. Raises MaasError."""
    server = program()
    sized, variables = _sized(weights, context_length, options)
    chosen = {**sized, "uds": str(socket), "served-model-name": name, **options}
    flags = [part for flag, value in chosen.items() for part in (f"--{flag}", value) if part]
    return (server, "serve", weights, *flags), {**_UNTOLD, **variables}


def gpus_at_once(options: Mapping[str, str]) -> int:
    """How many GPUs one server takes. Raises InvalidInput."""
    written = options.get("tensor-parallel-size", "1")
    if not re.fullmatch(r"[1-9][0-9]{0,3}", written):
        raise InvalidInput(f"tensor-parallel-size: {written[:40]!r} is no number of GPUs. Write 1, 2, 4 or 8")
    return int(written)


def _sized(
    weights: str, context_length: int | None, options: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    try:
        cards = machine.gpus()
    except machine.NoGpu:
        return _on_cpus(weights, context_length, options)
    found = fit.fit(finding.find(weights), cards[0].device, Wish(gpus_at_once(options), context_length))
    if not found.fits:
        raise Unavailable(f"{weights} does not fit on the {cards[0].name} here: {'; '.join(found.problems)}")
    flags = dict(_flag(argument) for argument in found.args)
    flags.pop("model", None)
    return flags, fit.environment(found)


def _on_cpus(
    weights: str, context_length: int | None, options: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """By itself, vLLM for CPUs would take 92 % of the memory for its cache, and not start where that is not free."""
    found = cpu.fit_vllm(finding.find(weights), memory=machine.memory(), context=context_length)
    if not found.fits:
        raise Unavailable(f"there is not enough memory for {weights}: {'; '.join(found.problems)}")
    flags = {"max-model-len": str(found.context), "max-num-seqs": str(found.slots)}
    told = _CACHE_OPTION in options or _CACHE_VARIABLE in os.environ
    return flags, {} if told else {_CACHE_VARIABLE: str(found.cache // fit.GIB)}


def _flag(argument: str) -> tuple[str, str]:
    flag, _, value = argument.removeprefix("--").partition("=")
    return flag, value
