"""Which models `maas install` is to serve, and what maas.yaml says of each. What they need is brought first."""

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

from maas.cli import pulling
from maas.cli.output import notes
from maas.domain.errors import Unavailable
from maas.models import cards, machine, vllm
from maas.models.sizing import fit, gguf, qwen3

Spec = Mapping[str, object]

_CONTEXT = 4096
_QWEN3 = "Qwen/Qwen3-0.6B"
_NAME = "qwen3-0.6b"


def wanted(*, simulator: bool, cpu: bool, on_gpu: bool) -> dict[str, Spec]:
    """By the model's name. Raises MaasError."""
    found: dict[str, Spec] = {"simulator": {"runtime": "simulator", "context_length": 8192}} if simulator else {}
    if cpu:
        name, weights = pulling.default()
        found[name] = _on_cpu(weights, pulling.pull(weights))
    elif on_gpu:
        context = fitting_gpu().context
        vllm.program()
        found[_NAME] = {"runtime": "vllm", "weights": _QWEN3, "context_length": context}
    return found


def fitting_gpu() -> fit.Fit:
    """What Qwen3 0.6B gets of the GPU here. Raises Unavailable with the reason, and what can be done without one."""
    model = qwen3.find(_QWEN3)
    assert model is not None
    try:
        choice = cards.groups(machine.gpus(), 1, "")
    except machine.NoGpu as error:
        raise Unavailable(_refusal([f"no GPU can be used: {error}."])) from error
    why_not: dict[str, None] = {}
    for (card,) in choice:
        found = fit.fit(model, card.device)
        if why := _why_not(found):
            why_not.setdefault(why)
            continue
        versions = " or ".join(map(str, found.works_with))
        notes().print(f"GPU: {card.name}, {card.memory / 2**30:.1f} GiB, driver {card.driver}; vLLM {versions}")
        return found
    raise Unavailable(_refusal(why_not))


def _why_not(found: fit.Fit) -> str:
    card = found.device.name
    if not found.fits:
        return f"{_QWEN3} does not run on the {card} here: {'; '.join(found.problems)}."
    if not all(versions.last for versions in found.works_with):
        return ""
    old = " or ".join(map(str, found.works_with))
    return (
        f"on the {card} here only vLLM {old} works, which can't listen on a unix socket."
        f" Run it by itself, and add it:\n  maas models add {_NAME} --url http://127.0.0.1:8000"
    )


def _refusal(reasons: Iterable[str]) -> str:
    """In lines that a terminal of 80 columns leaves whole, the first of them behind "error: "."""
    text = "error: " + "\n".join(reasons)
    lines = [_whole_words(line) for line in text.splitlines()]
    return "\n".join((*lines, _INSTEAD)).removeprefix("error: ")


def _whole_words(line: str) -> str:
    return textwrap.fill(line, 79, break_long_words=False, break_on_hyphens=False, drop_whitespace=True)


_INSTEAD = """\
Instead, without a GPU:
  --cpu        serves a small model on the CPU
  --simulator  serves one that only pretends to think"""


def _on_cpu(weights: str, file: Path) -> Spec:
    context = min(_CONTEXT, gguf.read(file).max_context)
    return {"runtime": "llama-cpp", "weights": weights, "context_length": context}
