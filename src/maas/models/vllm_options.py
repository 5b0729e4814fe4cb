"""What the options that a user wrote for vLLM mean to sizing. They win; what is told beside them has to go with them.

Values are read as vLLM reads them. What can't be read is left to vLLM, which says best what is wrong with it.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from maas.domain.errors import InvalidInput
from maas.models.sizing.architecture import Architecture, Method, Quantisation
from maas.models.sizing.fit import Wish
from maas.models.sizing.vllm import CacheType, DType

_DTYPES = {"half": DType.float16, "float": DType.float32, **{str(each): each for each in DType}}
SHARES = ("gpu-memory-utilization", "device-memory-utilization")  # of memory; 0.32 knows both names
_EAGER = "enforce-eager"
_PACKED = {"fp8": Quantisation(Method.fp8, 8.0), "bitsandbytes": Quantisation(Method.bitsandbytes, 4.5)}
_OTHER_MACHINES = frozenset({"distributed-executor-backend", "nnodes", "data-parallel-address"})
# Each may make fit what does not fit without it, by an amount that is not calculated here.
_UNCOUNTED = frozenset(
    {
        *("config", "cpu-offload-gb", "hf-overrides", "language-model-only", "limit-mm-per-prompt", "load-format"),
        *("num-gpu-blocks-override", "pipeline-parallel-size", "data-parallel-size", "rope-scaling", "quantization"),
        *_OTHER_MACHINES,
    }
)


def wish(options: Mapping[str, str], context_length: int | None) -> Wish:
    """--max-num-seqs is no number of whole contexts at once: what does not fit waits in vLLM. Raises InvalidInput."""
    cache = options.get("kv-cache-dtype", "")
    return Wish(
        gpus=gpus_at_once(options),
        context=_whole(options.get("max-model-len")) or context_length,
        dtype=_DTYPES.get(options.get("dtype", "")),
        kv_dtype=CacheType.fp8 if cache.startswith("fp8") else CacheType.auto,
        utilisation=next((_share(options[name]) for name in SHARES if name in options), None),
        slots=_whole(options.get("max-num-seqs")),
        batch=_whole(options.get("max-num-batched-tokens")),
        eager=True if _EAGER in options else False if f"no-{_EAGER}" in options else None,
        cache=_whole(options.get("kv-cache-memory-bytes")),
    )


def gpus_at_once(options: Mapping[str, str]) -> int:
    """How many GPUs one copy of the weights is spread over. Raises InvalidInput."""
    written = options.get("tensor-parallel-size", "1")
    if not re.fullmatch(r"[1-9][0-9]{0,3}", written):
        raise InvalidInput(f"tensor-parallel-size: {written[:40]!r} is no number of GPUs. Write 1, 2, 4 or 8")
    return int(written)


def gpus_here(options: Mapping[str, str]) -> int:
    """How many GPUs of this machine the server takes; 1 where others may have some of them. Raises InvalidInput."""
    if _OTHER_MACHINES & options.keys():
        return 1
    stages, copies = (_whole(options.get(f"{kind}-parallel-size")) or 1 for kind in ("pipeline", "data"))
    return gpus_at_once(options) * stages * copies


def asking_for_gpus(options: Mapping[str, str]) -> str:
    """As they were written, to be named in a message."""
    kinds = ("tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size")
    return " and ".join(f"{kind}={options[kind]}" for kind in kinds if kind in options)


def quantised(model: Architecture, options: Mapping[str, str]) -> Architecture:
    """As vLLM loads it, if it is to be quantised while it is loaded."""
    packed = _PACKED.get(options.get("quantization", ""))
    if packed is None or model.quantisation.method is not Method.none:
        return model
    return replace(model, quantisation=packed, weights_bytes=None)


def uncounted(options: Mapping[str, str]) -> list[str]:
    """Those with which a model may fit although sizing says no."""
    odd_cache = not options.get("kv-cache-dtype", "auto").startswith(("auto", "float16", "bfloat16", "fp8"))
    packed = options.get("quantization") in _PACKED
    found = _UNCOUNTED & options.keys() - ({"quantization"} if packed else set())
    return sorted(found | ({"kv-cache-dtype"} if odd_cache else set()))


def _whole(written: str | None) -> int | None:
    """ "8k" is 8000 to vLLM and "8K" 8192; "auto" is its own choice."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)([kKmMgGtT]?)", (written or "").strip())
    if found is None:
        return None
    base = 1024 if found[2].isupper() else 1000
    return int(float(found[1]) * base ** " kmgt".index(found[2].lower() or " ")) or None


def _share(written: str) -> float | None:
    found = float(written) if re.fullmatch(r"\d?\.?\d{1,6}", written) else 0.0
    return found if 0 < found <= 1 else None
