"""Which vLLM runs a model on a GPU, and what it must be told: by compute capability, never by a product's name.

The boundaries are those at which vLLM's own issues show it breaking (named at each rule), not those it documents.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

Version = tuple[int, ...]

VOLTA, TURING, AMPERE, ADA = 70, 75, 80, 89  # compute capability, times ten

# A family's first version. Qwen3: #17630; the rest as their release notes announce them.
_FIRST: dict[str, Version] = {
    "qwen3": (0, 8, 4),
    "qwen3_moe": (0, 8, 5),
    "gemma3": (0, 8, 0),
    "gemma3_text": (0, 8, 0),
    "llama4": (0, 8, 3),
    "gpt_oss": (0, 10, 1),
}
# vLLM refuses float16 for these: their activations overflow in it.
_NO_FLOAT16 = frozenset({"gemma2", "gemma3", "gemma3_text", "plamo2", "glm4"})


class DType(StrEnum):
    float16 = "float16"
    bfloat16 = "bfloat16"
    float32 = "float32"

    @property
    def size(self) -> int:
        return 4 if self is DType.float32 else 2


class CacheType(StrEnum):
    """Of the KV cache. auto: as the model's dtype."""

    auto = "auto"
    fp8 = "fp8"


@dataclass(frozen=True)
class Range:
    """Versions from `first` on, up to and including `last`; None is open."""

    first: Version
    last: Version | None
    why: str = ""

    def holds(self, version: Version) -> bool:
        return self.first <= version and (self.last is None or version[: len(self.last)] <= self.last)

    def __str__(self) -> str:
        return (
            f"{_dotted(self.first)} and newer"
            if self.last is None
            else f"{_dotted(self.first)} to {_dotted(self.last)}"
        )


def working(capability: int, family: str) -> tuple[Range, ...]:
    """Where the model runs on such a GPU; empty if nowhere."""
    first = _FIRST.get(family, (0, 6, 0))
    if capability < VOLTA:
        return ()
    if capability < TURING:  # from 0.9 on the official images hold no kernels for it: #18818, #19185
        return _from(first, Range(first, (0, 8, 5)))
    if capability < AMPERE:
        return _from(first, Range(first, (0, 8, 5)), Range((0, 10, 2), None))
    return (Range(first, None),)


def crashing(capability: int, family: str) -> tuple[Range, ...]:
    """Where it is known to fail, and with what."""
    found = []
    if first := _FIRST.get(family):
        found.append(Range((0,), _before(first), f"does not know {family} models"))
    if VOLTA <= capability < TURING:
        found.append(Range((0, 9, 0), None, '"no kernel image is available for execution on the device"'))
    elif TURING <= capability < AMPERE:
        found.append(Range((0, 9, 0), (0, 10, 1), 'Triton 3.3 crashes: "Unsupported rounding mode for conversion"'))
    return tuple(found)


def dtype(capability: int, family: str) -> DType:
    """The one that is always safe to name: bfloat16 needs compute capability 8.0."""
    if capability >= AMPERE:
        return DType.bfloat16
    return DType.float32 if family in _NO_FLOAT16 else DType.float16


def dtype_problem(wanted: DType, capability: int, family: str) -> str:
    if wanted is DType.bfloat16 and capability < AMPERE:
        return f"bfloat16 needs compute capability 8.0, this GPU has {capability / 10}; float16 works"
    if wanted is DType.float16 and family in _NO_FLOAT16:
        return f"{family} models overflow in float16: vLLM refuses it; take bfloat16, or float32 on older GPUs"
    return ""


def cache_problem(wanted: CacheType, capability: int) -> str:
    if wanted is CacheType.fp8 and capability < ADA:
        return f"an fp8 KV cache needs compute capability 8.9, this GPU has {capability / 10}"
    return ""


def quantisation_problem(method: str, capability: int) -> str:
    if method in ("awq", "gptq", "int8") and capability < TURING:
        return f"{method} weights need compute capability 7.5, this GPU has {capability / 10}"
    if method in ("fp8", "mxfp4", "nvfp4") and capability < AMPERE:
        return (
            f"{method} weights need compute capability 8.0 (8.9 for their full speed), this GPU has {capability / 10}"
        )
    return ""


def backend(capability: int, version: Version) -> str:
    """The value of --attention-backend; "" leaves the choice to vLLM."""
    if capability >= AMPERE:
        return ""
    if version < (0, 9):
        return "XFORMERS"
    return "TRITON_ATTN" if capability < TURING or version >= (0, 24) else ""


def needs_eager(capability: int) -> bool:
    """Turing and older: CUDA graphs take memory that these cards do not have."""
    return capability < AMPERE


def parse(text: str) -> Version:
    """ "v0.8.5.post1" → (0, 8, 5). Raises ValueError."""
    found = re.fullmatch(r"v?(\d{1,6}(?:\.\d{1,6}){1,4})(?:\.?(?:post|rc|dev|a|b)\d*)?(?:[+-].*)?", text)
    if found is None:
        raise ValueError(f"{text!r} is no version of vLLM; write it like 0.10.2")
    return tuple(map(int, found[1].split(".")))


def _from(first: Version, *ranges: Range) -> tuple[Range, ...]:
    return tuple(Range(max(first, each.first), each.last) for each in ranges if each.last is None or first <= each.last)


def _before(version: Version) -> Version:
    return (*version[:-1], version[-1] - 1) if version[-1] else (*version[:-2], version[-2] - 1)


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
