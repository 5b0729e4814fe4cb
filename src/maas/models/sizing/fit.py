"""Does a model fit on a GPU, with which context and how many requests at once, and with which arguments.

    memory of a GPU x utilisation
      = weights / GPUs + activations + CUDA graphs + what lies outside of PyTorch + KV cache

The cache is what is left. Its arithmetic is exact, and held to what vLLM logs; the three allowances are bounds from
observation, deliberately on the safe side: a model that fits here starts, one that just misses might.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from maas.models.sizing import vllm
from maas.models.sizing.architecture import BLOCK, Architecture, Method, Quantisation
from maas.models.sizing.vllm import CacheType, DType, Range

GIB = 2**30
_DEFAULT_CONTEXT = 8192
_DEFAULT_CONCURRENCY = 16
_BATCH = 2048  # --max-num-batched-tokens as vLLM chooses it
_LARGER_BATCHES = ((160 * GIB, 16384), (70 * GIB, 8192))  # and on GPUs from these sizes on
_STEPS = 2  # that newer vLLMs have under way at once
_OUTSIDE_PYTORCH = int(0.6 * GIB)  # CUDA context and libraries: 0.3 to 0.6 were seen
_COLLECTIVES = int(0.3 * GIB)  # NCCL's buffers, where GPUs work together
_GRAPHS = int(0.5 * GIB)
_GRAPHS_PER_WEIGHT = 0.02
_LOGITS_COPIES = 5  # float32 rows of the vocabulary that the sampler holds per request
_LEAST_CONTEXT = 512  # below this nobody calls it a chat


@dataclass(frozen=True)
class Device:
    """total: bytes that CUDA reports, a little less than is printed on the box. capability: 75 for 7.5."""

    name: str
    total: int
    capability: int


@dataclass(frozen=True)
class Wish:
    """context, concurrency: None takes what is usual, and less of it where that does not fit: of the context not less
    than a chat needs."""

    gpus: int = 1
    context: int | None = None
    concurrency: int | None = None
    dtype: DType | None = None
    kv_dtype: CacheType = CacheType.auto
    utilisation: float | None = None
    version: vllm.Version | None = None  # of vLLM
    slots: int | None = None  # --max-num-seqs as it is written: more than fit at once wait, and are no reason to refuse
    batch: int | None = None  # --max-num-batched-tokens
    eager: bool | None = None
    cache: int | None = None  # --kv-cache-memory-bytes; then the utilisation bounds nothing


@dataclass(frozen=True)
class Fit:
    """What was found. Sizes in bytes, of one GPU.

    max_context: for `at_once` requests: as many as were asked for, else one. max_concurrency: for `context`.
    batched: --max-num-batched-tokens, where vLLM's own choice would not leave the room.
    """

    fits: bool
    model: Architecture
    device: Device
    wish: Wish
    gpus: int
    dtype: DType
    kv_dtype: CacheType
    utilisation: float
    eager: bool
    backend: str
    context: int
    concurrency: int
    weights: int
    activations: int
    batched: int | None
    graphs: int
    outside: int
    cache: int
    bytes_per_token: int
    tokens: int
    max_context: int
    at_once: int
    max_concurrency: int
    works_with: tuple[Range, ...]
    crashes_with: tuple[Range, ...]
    problems: tuple[str, ...]

    @property
    def blocks(self) -> int:
        return self.tokens // BLOCK

    @property
    def args(self) -> tuple[str, ...]:
        return tuple(_arguments(self))


def fit(model: Architecture, device: Device, wish: Wish = Wish()) -> Fit:
    """Never raises: what speaks against it is in `problems`."""
    dtype = wish.dtype or vllm.dtype(device.capability, model.family)
    element = 1 if wish.kv_dtype is CacheType.fp8 else dtype.size
    old = vllm.needs_eager(device.capability)
    eager = old if wish.eager is None else wish.eager
    utilisation = wish.utilisation or (0.85 if old else 0.9)
    concurrency = wish.slots or wish.concurrency or _DEFAULT_CONCURRENCY
    weights = -(-model.weight_bytes(dtype.size) // wish.gpus)
    batch, limited = _batch(model, device, wish, dtype, utilisation)
    activations = _activations(model, batch, wish, dtype, concurrency)
    graphs = 0 if eager else _GRAPHS + int(weights * _GRAPHS_PER_WEIGHT)
    outside = _OUTSIDE_PYTORCH + (_COLLECTIVES if wish.gpus > 1 else 0)
    usable = device.total if wish.cache else int(device.total * utilisation)
    left = usable - weights - activations - graphs - outside
    cache = max(0, min(left, wish.cache or left))
    room = Room(model, cache, element, wish.gpus, _STEPS * batch)
    context = wish.context or _usual_context(room)
    at_once = room.concurrency(context)
    works = vllm.working(device.capability, model.family)
    problems = (*_unsuitable(model, device, wish, dtype), *_too_much(model, wish, context, at_once, left))
    return Fit(
        fits=not problems,
        model=model,
        device=device,
        wish=wish,
        gpus=wish.gpus,
        dtype=dtype,
        kv_dtype=wish.kv_dtype,
        utilisation=utilisation,
        eager=eager,
        backend=vllm.backend(device.capability, wish.version or _chosen(works)),
        context=context,
        concurrency=concurrency if wish.slots or wish.concurrency else max(1, min(concurrency, at_once)),
        weights=weights,
        activations=activations,
        batched=batch if limited else None,
        graphs=graphs,
        outside=outside,
        cache=cache,
        bytes_per_token=model.kv_bytes_per_token(element, wish.gpus),
        tokens=room.tokens,
        max_context=min(room.context(wish.concurrency or 1), model.max_context),
        at_once=wish.concurrency or 1,
        max_concurrency=at_once,
        works_with=works,
        crashes_with=vllm.crashing(device.capability, model.family),
        problems=problems,
    )


@dataclass(frozen=True)
class Room:
    """What goes into a cache of so many bytes, in whole blocks. in_flight: tokens that are worked on at once."""

    model: Architecture
    cache: int
    element: int
    gpus: int = 1
    in_flight: int = _STEPS * _BATCH
    block: int = BLOCK

    @property
    def tokens(self) -> int:
        """vLLM's "GPU KV cache size", for layers that keep everything."""
        each = self.model.kv_bytes_per_token(self.element, self.gpus) * self.block
        return self.cache // each * self.block if each else 0

    def concurrency(self, context: int) -> int:
        each = self.sequence(context)
        return self.cache // each if each else 0

    def context(self, at_once: int) -> int:
        """The longest, in whole blocks, by bisection: windows make the cost of a sequence a broken line."""
        whole = self.model.max_context // self.block + 1
        return self.block * largest(whole, lambda blocks: self.sequence(blocks * self.block) * at_once <= self.cache)

    def sequence(self, context: int) -> int:
        """Bytes of a request of so many tokens."""
        whole = -(-context // self.block) * self.block
        return self.model.kv_bytes(whole, self.element, self.gpus, self.in_flight, self.block)


def _usual_context(room: Room) -> int:
    usual = min(_DEFAULT_CONTEXT, room.model.max_context)
    possible = min(usual, room.context(1))
    return possible if possible >= min(usual, _LEAST_CONTEXT) else usual


def _batch(model: Architecture, device: Device, wish: Wish, dtype: DType, utilisation: float) -> tuple[int, bool]:
    """Tokens of a prefill batch, and whether vLLM must be told: a GPU a little larger must not hold less.

    A model with windows keeps a batch in each of its requests' caches, so there a larger one is never worth it.
    """
    if wish.batch:
        return wish.batch, False
    larger = [(batch, total) for total, batch in _LARGER_BATCHES if device.total >= total]
    for batch, total in [] if model.windowed else larger:
        dearer = _layer(model, batch, wish, dtype) - _layer(model, _BATCH, wish, dtype)
        if (device.total - total) * utilisation >= dearer:
            return batch, (batch, total) != larger[0]
    return _BATCH, bool(larger)


def _activations(model: Architecture, batch: int, wish: Wish, dtype: DType, concurrency: int) -> int:
    """The peak of a full prefill batch through one layer, and of sampling for all requests at once."""
    return _layer(model, batch, wish, dtype) + _sampling(model, concurrency)


def _sampling(model: Architecture, concurrency: int) -> int:
    return _LOGITS_COPIES * 4 * concurrency * model.vocabulary


def _layer(model: Architecture, batch: int, wish: Wish, dtype: DType) -> int:
    return batch * (6 * model.hidden + 3 * model.width // wish.gpus) * dtype.size


def _unsuitable(model: Architecture, device: Device, wish: Wish, dtype: DType) -> Iterator[str]:
    yield from filter(
        None,
        (
            vllm.dtype_problem(dtype, device.capability, model.family),
            vllm.cache_problem(wish.kv_dtype, device.capability),
            vllm.quantisation_problem(model.quantisation.method, device.capability),
        ),
    )
    works = vllm.working(device.capability, model.family)
    if not works:
        yield f"no version of vLLM runs {model.family} on compute capability {device.capability / 10}"
    elif wish.version and not any(each.holds(wish.version) for each in works):
        yield f"vLLM {'.'.join(map(str, wish.version))} does not work here: {_reason(wish.version, device, model)}"
    if model.heads % wish.gpus:
        yield f"{model.heads} attention heads can't be split over {wish.gpus} GPUs"
    elif shared := next((each.kv_heads for each in model.attention if not each.splits(wish.gpus)), None):
        yield f"{shared} KV heads can't be split over {wish.gpus} GPUs"


def _too_much(model: Architecture, wish: Wish, context: int, at_once: int, left: int) -> Iterator[str]:
    """left: bytes for the cache; less than nothing if not even the rest fits."""
    wanted = wish.concurrency or 1
    sampled = wish.slots or wanted
    if context > model.max_context:
        yield f"the model was made for {model.max_context} tokens of context, not {context}"
    if left > 0 and at_once < wanted:
        yield f"the KV cache has room for {at_once} requests of {context} tokens, not {wanted}"
    elif left <= 0 < left + _sampling(model, sampled) - _sampling(model, 1):
        sampling = _sampling(model, sampled) / GIB
        yield f"choosing words for {sampled} requests at once takes {sampling:.1f} GiB: none is left for the KV cache"
    elif left <= 0:
        yield "the weights leave no memory for the KV cache"


def _reason(version: vllm.Version, device: Device, model: Architecture) -> str:
    known = vllm.crashing(device.capability, model.family)
    return next((each.why for each in known if each.holds(version)), "it is older than what is known to work")


def _chosen(works: tuple[Range, ...]) -> vllm.Version:
    """The oldest of the newest range: what was seen working, not what is newest."""
    return works[-1].last or works[-1].first if works else (0,)


def _arguments(found: Fit) -> Iterator[str]:
    yield f"--model={found.model.name}"
    yield f"--dtype={found.dtype}"
    yield f"--max-model-len={found.context}"
    yield f"--max-num-seqs={found.concurrency}"
    yield f"--gpu-memory-utilization={found.utilisation:g}"
    if found.gpus > 1:
        yield f"--tensor-parallel-size={found.gpus}"
    if found.batched:
        yield f"--max-num-batched-tokens={found.batched}"
    if found.kv_dtype is not CacheType.auto:
        yield f"--kv-cache-dtype={found.kv_dtype}"
    if found.backend and found.backend != "XFORMERS":  # that one was chosen by a variable, before there was an argument
        yield f"--attention-backend={found.backend}"
    if found.eager:
        yield "--enforce-eager"


def environment(found: Fit) -> dict[str, str]:
    """Variables for the old engine, where only it works."""
    return {"VLLM_USE_V1": "0", "VLLM_ATTENTION_BACKEND": "XFORMERS"} if found.backend == "XFORMERS" else {}


def advice(found: Fit, devices: tuple[Device, ...]) -> list[str]:
    """What to change so that it fits, each tried with the same arithmetic; devices: those one could have instead."""
    return [] if found.fits else list(_ways(found, devices))


def _ways(found: Fit, devices: tuple[Device, ...]) -> Iterator[str]:
    model, device = found.model, found.device
    wish = found.wish

    def helps(on: Device = device, **change: Any) -> bool:
        return fit(model, on, replace(wish, **change)).fits

    if wish.version and helps(version=None):
        yield "vLLM " + " or ".join(map(str, found.works_with))
    if wish.dtype and helps(dtype=None):
        yield f"--dtype {vllm.dtype(device.capability, model.family)}"
    if wish.utilisation and helps(utilisation=None):
        yield "the usual --gpu-memory-utilization"
    if found.max_context >= _LEAST_CONTEXT and helps(context=found.max_context):
        yield f"--context {found.max_context}"
    if most := largest(found.at_once - 1, lambda count: helps(concurrency=count)):
        yield f"--concurrency {most}"
    if wish.kv_dtype is CacheType.auto and helps(kv_dtype=CacheType.fp8):
        yield "--kv-dtype fp8"
    if gpus := next((gpus for gpus in (2, 4, 8) if gpus > found.gpus and helps(gpus=gpus)), None):
        yield f"--gpus {gpus}"
    if not found.cache and model.quantisation.method is Method.none and fit(_packed(model), device, wish).fits:
        yield "a quantised variant of the model: AWQ or GPTQ weights take about a quarter"
    larger = sorted((each for each in devices if each.total > device.total), key=lambda each: each.total)
    if other := next((each for each in larger if helps(each)), None):
        yield f"--gpu {other.name}"


def _packed(model: Architecture) -> Architecture:
    return replace(model, quantisation=Quantisation(Method.awq, 4.25), weights_bytes=None)


def largest(below: int, possible: Callable[[int], bool]) -> int:
    """The largest number from 1 to `below` that is possible, as all smaller ones then are; else 0."""
    low, high = 0, max(0, below)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if possible(middle) else (low, middle - 1)
    return low
