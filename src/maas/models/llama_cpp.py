"""Serving a GGUF file on CPUs with llama.cpp's own server.

llama-cpp-python's server was rejected: it knows no `stream_options`, so nobody could meter a stream, answers one
request at a time, and listens on no unix socket. llama.cpp's has slots, batches them, and reports usage. It is compiled
from the sources that llama-cpp-python's package carries (install.sh), and lies in that package's folder.
"""

import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from maas.domain.errors import InvalidInput, Unavailable
from maas.models import machine
from maas.models.sizing import cpu, gguf
from maas.models.sizing.architecture import Architecture

PROGRAM = "llama-server"
_PACKAGE = "llama_cpp"
_CONTEXT = 4096
_MOST_SLOTS = 4
_GIB = 2**30
_MOST_REMEMBERED = 2048  # MiB of prompts that were seen; by itself the server would take 8192


def program() -> str:
    """The one that ./install.sh --cpu compiled first: it is of the version that is tested. Raises Unavailable."""
    found = os.environ.get("MAAS_LLAMA_SERVER") or _packaged() or shutil.which(PROGRAM)
    if not found:
        raise Unavailable(f"{PROGRAM} is not installed: `./install.sh --cpu` builds it (about 10 minutes on 2 cores)")
    return found


def _packaged() -> str | None:
    """Looked for, not imported: the package's own code has nothing to load here."""
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or package.origin is None:
        return None
    place = Path(package.origin).parent / "bin" / PROGRAM
    return str(place) if place.exists() else None


def arguments(
    weights: Path, name: str, socket: Path, context_length: int | None, options: Mapping[str, str]
) -> tuple[str, ...]:
    """Raises Unavailable."""
    context, slots, remembered = _sized(weights, context_length, options)
    chosen = {
        "model": str(weights),
        "alias": name,
        "host": str(socket),
        "ctx-size": str(context * slots),
        "parallel": str(slots),
        "threads": str(machine.cores()),
        "cache-ram": str(remembered),
    }
    flags = [part for flag, value in {**chosen, **options}.items() for part in (f"--{flag}", value) if part]
    return (program(), *flags, "--metrics", "--no-ui")


def environment() -> dict[str, str]:
    """When it aborts, why shall be its last line, and not what a debugger says of it."""
    return {"GGML_NO_BACKTRACE": "1"}


def _sized(weights: Path, context_length: int | None, options: Mapping[str, str]) -> tuple[int, int, int]:
    """The context of one request, how many are answered at once, and MiB for prompts that were seen.

    A file that can't be read here is left to the server: it knows more kinds, and says best what is wrong with one.
    """
    told = options.get("parallel", "")
    slots = int(told) if told.isdecimal() and len(told) < 5 and int(told) else min(_MOST_SLOTS, machine.cores())
    try:
        model = gguf.read(weights)
    except InvalidInput:
        return context_length or _CONTEXT, slots, 0
    context, free = context_length or min(_CONTEXT, model.max_context), machine.memory()
    found = _fit(model, free, context, slots)
    while not (found.replicas or told) and slots > 1:
        slots -= 1
        found = _fit(model, free, context, slots)
    if found.memory > free:
        raise Unavailable(
            f"there is not enough memory: {weights.name} with {slots} x {context} tokens of context needs"
            f" {found.memory / _GIB:.1f} GiB, and {free / _GIB:.1f} GiB can be had"
        )
    return context, slots, min(_MOST_REMEMBERED, (free - found.memory) // 4 // 2**20)


def _fit(model: Architecture, free: int, context: int, slots: int) -> cpu.CpuFit:
    return cpu.fit(model, cores=machine.cores(), memory=free, context=context, slots=slots)
