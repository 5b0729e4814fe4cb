"""Serving weights on GPUs with vLLM, told what sizing has found to fit.

vLLM is not a dependency: it weighs several gigabytes and fits one kind of machine. What is installed is used; where
that is vLLM for CPUs, it is told how much of the memory it may have. A model that sizing does not know is no reason
not to try: vLLM knows more kinds, and then chooses for itself.
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from maas.domain.errors import Unavailable
from maas.models import cards, machine, vllm_options
from maas.models.cards import Group
from maas.models.machine import LocalGpu
from maas.models.sizing import cpu, finding, fit
from maas.models.sizing import vllm as rules
from maas.models.sizing.architecture import Architecture
from maas.models.sizing.config import UnknownArchitecture
from maas.models.sizing.fit import GIB, Fit, Wish

PROGRAM = "vllm"
_UNTOLD = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}  # it reports usage to its makers: nobody here was asked
_CACHE_VARIABLE = "VLLM_CPU_KVCACHE_SPACE"  # GiB; older ones know only this, newer ones still do
_CACHE_OPTIONS = frozenset({"kv-cache-memory-bytes", *vllm_options.SHARES})  # on CPUs those are shares of the memory
_UNSIZED_CACHE = 4 * GIB  # at most, and of the memory no more than a quarter
_GENTLE = {"max-num-seqs": "16"}  # where nobody knows how much memory a request takes


class Told(NamedTuple):
    """flags: vLLM's, without their dashes. notes: for the model's log."""

    flags: Mapping[str, str]
    variables: Mapping[str, str]
    notes: tuple[str, ...] = ()


class Command(NamedTuple):
    argv: tuple[str, ...]
    variables: dict[str, str]
    notes: tuple[str, ...]


def program() -> str:
    """Raises Unavailable."""
    beside = Path(sys.executable).with_name(PROGRAM)
    found = os.environ.get("MAAS_VLLM") or (str(beside) if beside.exists() else shutil.which(PROGRAM))
    if not found:
        raise Unavailable(f"{PROGRAM} is not installed: pip install vllm, or name it in $MAAS_VLLM; --cpu needs none")
    return found


def command(weights: str, name: str, socket: Path, context_length: int | None, options: Mapping[str, str]) -> Command:
    """Sized for what is here; what the user wrote as options wins. Raises MaasError."""
    server = program()
    told = _sized(weights, vllm_options.wish(options, context_length), options)
    chosen = {**told.flags, "uds": str(socket), "served-model-name": name, **options}
    flags = [part for flag, value in chosen.items() for part in (f"--{flag}", value) if part]
    return Command((server, "serve", weights, *flags), {**_UNTOLD, **told.variables}, told.notes)


def unsized(capability: int, context: int | None) -> dict[str, str]:
    """For a model that nobody knows the shape of: what is safe on the card. vLLM tells if it does not fit."""
    on_old = {"dtype": "float16", "gpu-memory-utilization": "0.85", "enforce-eager": ""}
    return {**_context(context), **(on_old if rules.needs_eager(capability) else {}), **_GENTLE}


def _sized(weights: str, wish: Wish, options: Mapping[str, str]) -> Told:
    try:
        here = machine.gpus()
    except machine.NoGpu:
        return _on_cpus(weights, wish, options)
    groups = cards.groups(here, vllm_options.gpus_here(options), vllm_options.asking_for_gpus(options))
    try:
        model = vllm_options.quantised(finding.find(weights), options)
    except UnknownArchitecture as error:
        return _untold(here, groups[0], wish, str(error))
    return _fitting(model, here, groups, wish, options)


def _fitting(
    model: Architecture, here: Sequence[LocalGpu], groups: Sequence[Group], wish: Wish, options: Mapping[str, str]
) -> Told:
    """On the first that carries it."""
    why_not: dict[str, str] = {}
    for group in groups:
        found = fit.fit(model, cards.device(group), wish)
        doubt = rules.cache_problem(wish.kv_dtype, found.device.capability)  # it was written, so somebody has tried
        problems = [problem for problem in found.problems if problem != doubt]
        if not problems:
            variables = {**fit.environment(found), **cards.variables(here, group)}
            return Told(_flags(found), variables, (doubt,) if doubt else ())
        why_not.setdefault(cards.named(group), "; ".join(problems))
    places = "; ".join(f"{place}: {why}" for place, why in why_not.items())
    if uncounted := vllm_options.uncounted(options):
        return _untold(here, groups[0], wish, f"{' and '.join(uncounted)} can't be counted with ({places})")
    if len(why_not) > 1:
        raise Unavailable(f"{model.name} fits on no GPU here. {places}")
    ((place, why),) = why_not.items()
    raise Unavailable(f"{model.name} does not fit on the {place} here: {why}")


def _flags(found: Fit) -> dict[str, str]:
    flags = dict(_flag(argument) for argument in found.args)
    del flags["model"]
    return flags


def _untold(here: Sequence[LocalGpu], group: Group, wish: Wish, why: str) -> Told:
    flags = unsized(cards.device(group).capability, wish.context)
    return Told(flags, cards.variables(here, group), (_not_sized(why),))


def _not_sized(why: str) -> str:
    cause = why.partition("; start it")[0]  # the rest is for who only asks for the size
    return f"not sized: {cause}. vLLM chooses for itself; if it has no room, write context_length"


def _on_cpus(weights: str, wish: Wish, options: Mapping[str, str]) -> Told:
    """By itself, vLLM for CPUs would take 92 % of the memory for its cache, and not start where that is not free."""
    told = bool(_CACHE_OPTIONS & options.keys()) or _CACHE_VARIABLE in os.environ
    try:
        found = cpu.fit_vllm(finding.find(weights), memory=machine.memory(), wish=wish)
    except UnknownArchitecture as error:
        cache = max(GIB, min(_UNSIZED_CACHE, machine.memory() // 4))
        return Told({**_context(wish.context), **_GENTLE}, {} if told else _cache(cache), (_not_sized(str(error)),))
    if not found.fits:
        raise Unavailable(f"there is not enough memory for {weights}: {'; '.join(found.problems)}")
    flags = {**_context(found.context), "max-num-seqs": str(found.slots)}
    return Told(flags, {} if told else _cache(found.cache))


def _cache(size: int) -> dict[str, str]:
    return {_CACHE_VARIABLE: str(size // GIB)}


def _context(tokens: int | None) -> dict[str, str]:
    return {"max-model-len": str(tokens)} if tokens else {}


def _flag(argument: str) -> tuple[str, str]:
    flag, _, value = argument.removeprefix("--").partition("=")
    return flag, value
