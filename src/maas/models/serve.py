"""python -m maas.models.serve: finds the weights and the arguments of a model's server, and becomes that server.

The supervisor is told this command and not the server's own: what is found here (files, cores, GPUs) may differ from
one start to the next, and a description that has not changed must not restart a model. What can't be found is the
last line of the model's log, as with any server that fails to start; others are not concerned.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from maas.domain.errors import MaasError, Unavailable
from maas.models import llama_cpp, vllm
from maas.models.troubles import STARTS
from maas.models.weights import places

_FIRST_TO_GO = "500"  # of 1000: when memory runs out, a model is to die, not who decides about keys


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    print(STARTS, flush=True)
    told = _parser().parse_args(arguments)
    options = dict(option.split("=", 1) for option in told.option)
    try:
        argv, environment, notes = _command(told, options)
    except MaasError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    told.socket.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    print(*notes, " ".join(argv), sep="\n", flush=True)
    try:
        os.execve(argv[0], argv, os.environ | environment)
    except OSError as error:
        print(f"{argv[0]} can't be started: {error.strerror}", file=sys.stderr)
        sys.exit(Unavailable.exit_code)


def _command(told: argparse.Namespace, options: dict[str, str]) -> vllm.Command:
    if told.runtime == "llama-cpp":
        weights = places.locate(told.weights, told.folder)
        argv = llama_cpp.arguments(weights, told.name, told.socket, told.context_length, options)
        return vllm.Command(argv, llama_cpp.environment(), ())
    return vllm.command(told.weights, told.name, told.socket, told.context_length, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m maas.models.serve")
    parser.add_argument("--runtime", required=True, choices=("llama-cpp", "vllm"))
    parser.add_argument("--name", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--socket", required=True, type=Path)
    parser.add_argument("--context-length", type=int)
    parser.add_argument("--option", action="append", default=[])
    return parser


if __name__ == "__main__":
    main()
