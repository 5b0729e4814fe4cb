"""maas size: does a model fit on a GPU, or on this machine's CPUs, and with which arguments."""

import json
import re
import shlex
import textwrap
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from maas.cli.frame import noun
from maas.cli.output import show_json
from maas.domain.errors import InvalidInput
from maas.models import gpus as cards
from maas.models import machine
from maas.models.sizing import cpu, vllm
from maas.models.sizing.architecture import Architecture, Method
from maas.models.sizing.finding import find
from maas.models.sizing.fit import GIB, Device, Fit, Wish, advice, environment, fit
from maas.models.sizing.vllm import CacheType, DType

app = noun("Say whether a model fits on a GPU, and with which arguments.")

_NOT_FITTING = 3
_UNITS = {"m": 10**6, "g": 10**9, "t": 10**12, "mi": 2**20, "gi": 2**30, "ti": 2**40}


class Form(StrEnum):
    table = "table"
    json = "json"
    yaml = "yaml"
    args = "args"


class Quantised(StrEnum):
    f16 = "F16"
    q8_0 = "Q8_0"
    q6_k = "Q6_K"
    q5_k_m = "Q5_K_M"
    q4_k_m = "Q4_K_M"
    q4_0 = "Q4_0"
    q3_k_m = "Q3_K_M"
    q2_k = "Q2_K"


@app.command()
def size(
    model: Annotated[str, typer.Argument(help="A folder, a config.json, a .gguf file, qwen3-0.6b, or a hub's name.")],
    gpu: Annotated[str | None, typer.Option(help=f"One of {', '.join(gpu.name for gpu in cards.ALL)}.")] = None,
    gpu_memory: Annotated[str | None, typer.Option(help="Of a GPU that is not listed, such as 24GiB.")] = None,
    capability: Annotated[
        str | None, typer.Option(help="Its compute capability; with --gpu-memory. [default: 8.0]")
    ] = None,
    gpus: Annotated[int, typer.Option(min=1, help="How many share the model.")] = 1,
    context: Annotated[str | None, typer.Option(help="Tokens of a request and its answer, such as 8k.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Requests at once.")] = None,
    dtype: Annotated[DType | None, typer.Option(help="[default: what the GPU can]")] = None,
    kv_dtype: Annotated[CacheType, typer.Option(help="Of the KV cache.")] = CacheType.auto,
    utilisation: Annotated[
        float | None, typer.Option("--gpu-memory-utilization", min=0.1, max=0.99, help="[default: 0.9; 0.85 on a T4]")
    ] = None,
    vllm_version: Annotated[str | None, typer.Option(help="Judge this version of vLLM.")] = None,
    on_cpu: Annotated[bool, typer.Option("--cpu", help="For llama.cpp on this machine.")] = False,
    quantisation: Annotated[
        Quantised | None, typer.Option(help="With --cpu: of the GGUF file. [default: Q8_0]")
    ] = None,
    output: Annotated[Form, typer.Option("-o", "--output", help="How to print it.")] = Form.table,
) -> None:
    """Say whether a model fits, what it needs, and which arguments to start it with.

    Exit code: 0 it fits, 3 it does not.

    Example: maas size qwen3-0.6b --gpu t4 --context 8k --concurrency 8
    """
    of_gpus = {
        "--gpu": gpu,
        "--gpu-memory": gpu_memory,
        "--capability": capability,
        "--dtype": dtype,
        "--gpus": gpus if gpus > 1 else None,
        "--kv-dtype": None if kv_dtype is CacheType.auto else kv_dtype,
        "--vllm-version": vllm_version,
        "--gpu-memory-utilization": utilisation,
    }
    _refuse_beside(*("--cpu", of_gpus) if on_cpu else ("a GPU", {"--quantisation": quantisation}))
    found, tokens = find(model), None if context is None else _tokens(context)
    if on_cpu:
        _of_a_cpu(cpu_fit(found, tokens, concurrency or 1, quantisation or Quantised.q8_0), found, output)
        return
    version = None if vllm_version is None else _version(vllm_version)
    wish = Wish(gpus, tokens, concurrency, dtype, kv_dtype, utilisation, version)
    _of_gpus(fit(found, _device(gpu, gpu_memory, capability), wish), output)


def _of_gpus(found: Fit, output: Form) -> None:
    match output:
        case Form.json:
            show_json(_document(found))
        case Form.yaml:
            print(_yaml(found), end="")
        case Form.args:
            print("\n".join(found.args))
        case Form.table:
            _print(found)
    if not found.fits:
        raise typer.Exit(_NOT_FITTING)


def _refuse_beside(what: str, options: dict[str, object]) -> None:
    """Rather than ignore what somebody asked for."""
    given = [option for option, value in options.items() if value is not None]
    if given:
        raise InvalidInput(f"{' and '.join(given)} can't be had with {what}: leave out one or the other")


def cpu_fit(model: Architecture, context: int | None, slots: int, quantisation: str) -> cpu.CpuFit:
    """On this machine, as it is now."""
    return cpu.fit(
        model,
        cores=machine.cores(),
        memory=machine.memory(),
        context=context,
        slots=slots,
        quantisation=quantisation,
    )


def _device(name: str | None, memory: str | None, capability: str | None) -> Device:
    if memory is not None:
        if name is not None:
            raise InvalidInput("give either --gpu or --gpu-memory")
        digits = re.fullmatch(r"(\d{1,2})\.(\d)", capability or "8.0")
        if digits is None:
            raise InvalidInput(f"--capability is written like 8.0, not {capability!r}")
        return Device(f"GPU with {memory}", _bytes(memory), int(digits[1]) * 10 + int(digits[2]))
    if name is None:
        raise InvalidInput("give the GPU (--gpu t4), its memory (--gpu-memory 24GiB --capability 8.6), or --cpu")
    if capability is not None:
        raise InvalidInput(f"--capability goes with --gpu-memory: that of a {name} is known")
    card = cards.find(name)
    if card is None:
        known = ", ".join(card.name for card in cards.ALL)
        raise InvalidInput(
            f"there is no GPU {name!r} in the table ({known}); give --gpu-memory and --capability instead"
        )
    return Device(card.name, card.total, card.capability)


def _tokens(text: str) -> int:
    """ "8k" is 8192, as models are made; "8192" too."""
    found = re.fullmatch(r"(\d{1,12})([kKmM]?)", text)
    if found is None or int(found[1]) == 0:
        raise InvalidInput(f"--context is a number of tokens such as 8192 or 8k, not {text!r}")
    return int(found[1]) * {"": 1, "k": 1024, "m": 1024**2}[found[2].lower()]


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)\s*([mgt]i?)b?", text.lower())
    if found is None or not float(found[1]):
        raise InvalidInput(f"--gpu-memory is written with its unit, like 24GiB, not {text!r}")
    return int(float(found[1]) * _UNITS[found[2]])


def _version(text: str) -> vllm.Version:
    try:
        return vllm.parse(text)
    except ValueError as error:
        raise InvalidInput(f"--vllm-version: {error}") from error


def _document(found: Fit) -> dict[str, Any]:
    return {
        "fits": found.fits,
        "model": found.model.name,
        "parameters": found.model.parameters,
        "gpu": found.device.name,
        "gpus": found.gpus,
        "compute_capability": found.device.capability / 10,
        "dtype": found.dtype,
        "kv_dtype": found.kv_dtype,
        "context": found.context,
        "concurrency": found.concurrency,
        "bytes_per_gpu": {
            "total": found.device.total,
            "weights": found.weights,
            "activations": found.activations,
            "graphs": found.graphs,
            "outside": found.outside,
            "kv_cache": found.cache,
        },
        "kv_bytes_per_token": found.bytes_per_token,
        "kv_tokens": found.tokens,
        "kv_blocks": found.blocks,
        "max_context": found.max_context,
        "max_concurrency": found.max_concurrency,
        "vllm": {
            "works": list(map(str, found.works_with)),
            "crashes": [{"versions": str(each), "why": each.why} for each in found.crashes_with],
            "attention_backend": found.backend or None,
            "eager": found.eager,
        },
        "args": list(found.args),
        "env": environment(found),
        "problems": list(found.problems),
        "advice": _advice(found),
        "notes": list(found.model.notes),
    }


def _advice(found: Fit) -> list[str]:
    return advice(found, tuple(Device(card.name, card.total, card.capability) for card in cards.ALL))


def _yaml(found: Fit) -> str:
    """For a container: its args and env."""
    import yaml

    env = [{"name": name, "value": value} for name, value in environment(found).items()]
    return yaml.safe_dump({"args": list(found.args)} | ({"env": env} if env else {}), sort_keys=False)


def _print(found: Fit) -> None:
    model, device = found.model, found.device
    many = f"{found.gpus} x " if found.gpus > 1 else ""
    print(f"{model.name} ({_billions(model.parameters)} parameters) on {many}{device.name}: {_verdict(found)}\n")
    each = " of each GPU" if found.gpus > 1 else ""
    print(f"Memory{each}")
    print(f"  {'to be used':<26}{_gib(device.total * found.utilisation)} of {_gib(device.total).strip()}")
    for what, size in (("weights", found.weights), ("activations, at most", found.activations)):
        print(f"  {what:<26}{_gib(size)}")
    print(f"  {'CUDA graphs':<26}{_gib(found.graphs)}{'  (none: --enforce-eager)' if found.eager else ''}")
    print(f"  {'outside of PyTorch':<26}{_gib(found.outside)}")
    print(f"  {'KV cache':<26}{_gib(found.cache)}  {found.tokens:,} tokens, {found.blocks:,} blocks")
    print(f"\nA token of context takes {found.bytes_per_token:,} bytes{each}.")
    asked = f" for {found.at_once} at once" if found.at_once > 1 else ""
    print(f"Largest context{asked}: {found.max_context:,} tokens.")
    print(f"Most requests at once, of {found.context:,} tokens each: {found.max_concurrency:,}.")
    _print_versions(found)
    for note in model.notes:
        print(f"Note: {note}.")
    if found.fits:
        variables = " ".join(f"{name}={value}" for name, value in environment(found).items())
        print(f"\n{variables + ' ' if variables else ''}vllm serve " + shlex.join(_command(found)))
    else:
        _print_why(found.problems, _advice(found))


def _command(found: Fit) -> list[str]:
    return [found.model.name, *found.args[1:]]


def _print_versions(found: Fit) -> None:
    if found.works_with:
        print(f"vLLM: {' or '.join(map(str, found.works_with))}.")
    for each in found.crashes_with:
        print(f"  not {each}:\n    {each.why}")


def _print_why(problems: Sequence[str], ways: Sequence[str]) -> None:
    print("\nWhy not:")
    for problem in problems:
        print(textwrap.fill(problem, 78, initial_indent="  ", subsequent_indent="    "))
    if ways:
        print("\nWhat would help, each by itself:")
        for way in ways:
            print(f"  {way}")


def _verdict(found: Fit) -> str:
    return "fits" if found.fits else "does not fit"


def _billions(parameters: int) -> str:
    return f"{parameters / 1e9:.3g}B" if parameters >= 1e9 else f"{parameters / 1e6:.0f}M"


def _gib(size: float) -> str:
    return f"{size / GIB:6.2f} GiB"


def _of_a_cpu(found: cpu.CpuFit, model: Architecture, output: Form) -> None:
    args = _of_llama_server(found, model)
    match output:
        case Form.json:
            show_json({**vars(found), "model": model.name, "args": args})
        case Form.yaml | Form.args:
            print("\n".join(args) if output is Form.args else f"args: {json.dumps(args)}")
        case Form.table:
            _print_cpu(found, model)
    if not found.fits:
        raise typer.Exit(_NOT_FITTING)


def _of_llama_server(found: cpu.CpuFit, model: Architecture) -> list[str]:
    """What is no GGUF file has to be made one first, and is called as whoever makes it likes."""
    named = [f"--model={model.name}"] if model.quantisation.method is Method.gguf else []
    return [*named, *found.args]


def _print_cpu(found: cpu.CpuFit, model: Architecture) -> None:
    verdict = "fits" if found.fits else "does not fit"
    print(f"{model.name} ({_billions(model.parameters)} parameters) on this machine's CPUs: {verdict}\n")
    print("Memory of a replica")
    rows = (("weights", found.weights), ("KV cache", found.cache), ("compute buffer", found.buffer))
    for what, size in (*rows, ("in all", found.memory)):
        print(f"  {what:<26}{_gib(size)}")
    print(f"\nReplicas that fit beside each other: {found.replicas}. Threads of one: {found.threads}.")
    if found.fits:
        print(f"\nllama-server {shlex.join(_of_llama_server(found, model))}")
    else:
        _print_why(found.problems, found.advice)
