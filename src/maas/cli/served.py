"""Which models `maas install` is to serve, and what maas.yaml says of each. What they need is brought first."""

from collections.abc import Mapping
from pathlib import Path

from maas.cli import pulling
from maas.cli.output import notes
from maas.domain.errors import Unavailable
from maas.models import machine, vllm
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
        card = machine.gpus()[0]
    except machine.NoGpu as error:
        raise Unavailable(f"no GPU can be used: {error}.\n{_INSTEAD}") from error
    found = fit.fit(model, card.device)
    if not found.fits:
        raise Unavailable(f"{_QWEN3} does not run on the {card.name} here: {'; '.join(found.problems)}.\n{_INSTEAD}")
    if all(versions.last for versions in found.works_with):
        old = " or ".join(map(str, found.works_with))
        raise Unavailable(
            f"on the {card.name} here only vLLM {old} works, which can't listen on a unix socket. Run it by itself,"
            f" and add it: maas models add {_NAME} --url http://127.0.0.1:8000.\n{_INSTEAD}"
        )
    versions = " or ".join(map(str, found.works_with))
    notes().print(f"GPU: {card.name}, {card.memory / 2**30:.1f} GiB, driver {card.driver}; vLLM {versions}")
    return found


_INSTEAD = "Without one: --cpu serves a small model on the CPU, --simulator one that only pretends to think"


def _on_cpu(weights: str, file: Path) -> Spec:
    context = min(_CONTEXT, gguf.read(file).max_context)
    return {"runtime": "llama-cpp", "weights": weights, "context_length": context}
