"""What a model needs on CPUs, served by llama.cpp: memory, threads, and how many replicas a machine holds.

    memory of a replica = weights (GGUF) + KV cache of all its slots + compute buffer + the process itself

llama.cpp's cache is float16 by default and shared by the slots: `--ctx-size` is the context times the slots.
vLLM for CPUs takes a cache of a fixed size, whole GiB of it, and blocks of 128 tokens.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from maas.models.sizing.architecture import BLOCK, Architecture, Method
from maas.models.sizing.fit import GIB, Room, Wish, largest

# Bits per weight of whole files, as llama.cpp's own quantize prints them for 8B models. [from memory]
QUANTISATIONS: Mapping[str, float] = MappingProxyType(
    {"F16": 16.0, "Q8_0": 8.5, "Q6_K": 6.6, "Q5_K_M": 5.7, "Q4_K_M": 4.9, "Q4_0": 4.6, "Q3_K_M": 4.0, "Q2_K": 3.2}
)
_BATCH = 512  # --ubatch-size: the logits of one batch are the compute buffer's largest part
_PROCESS = 200 * 2**20
_SHARE = 0.8  # of the free memory: the rest is the system's
VLLM_BLOCK, VLLM_BATCH = 128, 2048  # tokens, as it chooses them on CPUs; one step is under way at a time
_VLLM_PROCESSES = 3 * GIB  # server, engine and worker: 0.9, 0.9 and 1.0 were seen with 0.32
_VLLM_SLOTS = 16


@dataclass(frozen=True)
class CpuFit:
    """Sizes in bytes, of one replica. replicas: as many as fit beside each other; 0 if not one does."""

    fits: bool
    quantisation: str
    weights: int
    cache: int
    buffer: int
    memory: int
    threads: int
    slots: int
    context: int
    replicas: int
    problems: tuple[str, ...]
    advice: tuple[str, ...] = ()  # options of `maas size`, each of which would help by itself

    @property
    def args(self) -> tuple[str, ...]:
        """Of llama-server."""
        context = self.context * self.slots
        return (f"--ctx-size={context}", f"--parallel={self.slots}", f"--threads={self.threads}")


def fit(
    model: Architecture, *, cores: int, memory: int, context: int | None, slots: int, quantisation: str = "Q8_0"
) -> CpuFit:
    """cores: physical ones, of which all are used by one replica; memory: what is free, in bytes."""

    def one(context: int | None = context, slots: int = slots, quantisation: str = quantisation) -> CpuFit:
        return _fit(model, cores, memory, context, slots, quantisation)

    found = one()
    return found if found.fits else replace(found, advice=tuple(_ways(model, found, one)))


def _ways(model: Architecture, found: CpuFit, one: Callable[..., CpuFit]) -> Iterator[str]:
    blocks = min(found.context - 1, model.max_context) // BLOCK
    if context := BLOCK * largest(blocks, lambda count: one(context=count * BLOCK).fits):
        yield f"--context {context}"
    if slots := largest(found.slots - 1, lambda count: one(slots=count).fits):
        yield f"--concurrency {slots}"
    smaller = [name for name in QUANTISATIONS if QUANTISATIONS[name] < QUANTISATIONS.get(found.quantisation, 0)]
    if quantisation := next((name for name in smaller if one(quantisation=name).fits), None):
        yield f"--quantisation {quantisation}"


def _fit(model: Architecture, cores: int, memory: int, context: int | None, slots: int, quantisation: str) -> CpuFit:
    context = context or min(4096, model.max_context)
    measured = model.weights_bytes if model.quantisation.method is Method.gguf else None
    weights = measured or int(model.parameters * QUANTISATIONS[quantisation] / 8)
    cache = model.kv_bytes(context, in_flight=_BATCH) * slots
    buffer = _BATCH * model.vocabulary * 4
    each = weights + cache + buffer + _PROCESS
    replicas = int(memory * _SHARE) // each
    problems = [] if replicas else [f"one replica needs {each / GIB:.1f} GiB, of {memory * _SHARE / GIB:.1f} to be had"]
    if context > model.max_context:
        problems.append(f"the model was made for {model.max_context} tokens of context, not {context}")
    return CpuFit(
        fits=not problems,
        quantisation="as the file" if measured else quantisation,
        weights=weights,
        cache=cache,
        buffer=buffer,
        memory=each,
        threads=max(1, cores),
        slots=slots,
        context=context,
        replicas=replicas,
        problems=tuple(problems),
    )


@dataclass(frozen=True)
class VllmFit:
    """cache: bytes, whole GiB. slots: requests of `context` tokens that it holds at once."""

    fits: bool
    weights: int
    cache: int
    slots: int
    context: int
    problems: tuple[str, ...]


def fit_vllm(model: Architecture, *, memory: int, wish: Wish) -> VllmFit:
    """memory: what is free, in bytes. Of the wish: context, slots, dtype, batch, utilisation and cache."""
    element, share = wish.dtype.size if wish.dtype else 2, wish.utilisation or _SHARE
    told = Room(model, wish.cache or 0, element, in_flight=wish.batch or VLLM_BATCH, block=VLLM_BLOCK)
    usual = min(4096, model.max_context)
    context = wish.context or (min(usual, told.context(1)) if wish.cache else 0) or usual
    weights, each = model.weight_bytes(element), told.sequence(context)
    left = int(memory * share) - weights - _VLLM_PROCESSES
    most = min(wish.slots or _VLLM_SLOTS, _VLLM_SLOTS)  # what is beyond waits: no reason to take memory
    cache = wish.cache or max(0, min(-(-most * each // GIB), left // GIB)) * GIB
    problems = []
    if wish.cache and cache < each:
        problems.append(f"{context} tokens need a cache of {each / GIB:.1f} GiB, and it is to have {cache / GIB:.1f}")
    elif cache < each or left < cache or not cache:
        needed = weights + _VLLM_PROCESSES + (wish.cache or max(each, GIB))
        problems.append(
            f"{needed / GIB:.1f} GiB are needed for {context} tokens, of {memory * share / GIB:.1f} to be had"
        )
    if context > model.max_context:
        problems.append(f"the model was made for {model.max_context} tokens of context, not {context}")
    slots = wish.slots or max(1, min(most, cache // each))
    return VllmFit(not problems, weights, cache, slots, context, tuple(problems))
