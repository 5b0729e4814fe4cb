"""Serving a GGUF file on CPUs with llama.cpp's own server.

llama-cpp-python's server was rejected: it knows no `stream_options`, so nobody could meter a stream, answers one
request at a time, and listens on no unix socket. llama.cpp's has slots, batches them, and reports usage.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from maas.domain.errors import Unavailable
from maas.models import machine

PROGRAM = "llama-server"
_CONTEXT = 4096
_MOST_SLOTS = 4


def program() -> str:
    """Beside this Python first: that one is of the version that is tested. Raises Unavailable."""
    beside = Path(sys.executable).with_name(PROGRAM)
    found = os.environ.get("MAAS_LLAMA_SERVER") or (str(beside) if beside.exists() else shutil.which(PROGRAM))
    if not found:
        raise Unavailable(f"{PROGRAM} is not installed: `./install.sh --cpu` builds it (10 to 15 minutes on 2 cores)")
    return found


def context(wanted: int | None) -> int:
    """Tokens of one request and its answer."""
    return wanted or _CONTEXT


def slots(options: Mapping[str, str]) -> int:
    """Requests that are answered at once; more wait in its queue."""
    told = options.get("parallel", "")
    return int(told) if told.isdigit() and int(told) else min(_MOST_SLOTS, machine.cores())


def arguments(
    weights: Path, name: str, socket: Path, context_length: int | None, options: Mapping[str, str]
) -> tuple[str, ...]:
    """Raises Unavailable."""
    many = slots(options)
    chosen = {
        "model": str(weights),
        "alias": name,
        "host": str(socket),
        "ctx-size": str(context(context_length) * many),
        "parallel": str(many),
        "threads": str(machine.cores()),
    }
    flags = [part for flag, value in {**chosen, **options}.items() for part in (f"--{flag}", value) if part]
    return (program(), *flags, "--no-webui")
