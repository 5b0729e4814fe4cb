"""What of a model decides its memory: its weights, and what one token of context costs in each of its layers.

Nothing here knows about GPUs. The numbers come from a model's config.json (config.py) or from the table of those that
are offered by name (qwen3.py); both end in the same Architecture, so that one arithmetic serves all.
"""

from dataclasses import dataclass
from enum import StrEnum

_HALF = 2  # bytes: float16, bfloat16
BLOCK = 16  # tokens; the grain in which vLLM hands out its cache


@dataclass(frozen=True)
class Attention:
    """A group of layers whose caches are alike.

    window: only the last so many tokens are kept, and those that are being worked on; None keeps all.
    latent: multi-head latent attention (DeepSeek): one compressed vector per token, which every GPU needs whole.
    """

    layers: int
    kv_heads: int
    head_dim: int
    window: int | None = None
    latent: bool = False

    def elements_per_token(self, gpus: int = 1) -> int:
        """Numbers that one token adds to the cache of each GPU, in all layers of the group."""
        if self.latent:
            return self.layers * self.head_dim
        heads = max(1, -(-self.kv_heads // gpus))  # fewer heads than GPUs: each GPU holds one, so they repeat
        return self.layers * 2 * heads * self.head_dim

    def splits(self, gpus: int) -> bool:
        """vLLM gives each GPU as many heads, or repeats each head as often."""
        return self.latent or self.kv_heads % gpus == 0 or gpus % self.kv_heads == 0

    def tokens_kept(self, context: int, in_flight: int = 0, block: int = BLOCK) -> int:
        """vLLM frees what has left the window only after a step, and its blocks need not begin where a window does
        (SlidingWindowSpec.max_admission_blocks_per_request)."""
        if self.window is None:
            return context
        if not in_flight:
            return min(context, self.window)
        return (-(-min(context, self.window - 1 + in_flight) // block) + 1) * block


class Method(StrEnum):
    """How weights are stored."""

    none = "none"
    awq = "awq"
    gptq = "gptq"
    fp8 = "fp8"
    int8 = "int8"
    mxfp4 = "mxfp4"
    nvfp4 = "nvfp4"
    bitsandbytes = "bitsandbytes"
    gguf = "gguf"


@dataclass(frozen=True)
class Quantisation:
    """bits: per weight of what is quantised, its scales and zero points included."""

    method: Method = Method.none
    bits: float = 16.0


@dataclass(frozen=True)
class Architecture:
    """
    parameters: all of them; `plain_parameters` of these stay in 16 bits when the rest is quantised (embeddings, head).
    active_parameters: those that one token passes through; fewer than all in a mixture of experts.
    width: the widest hidden state of a layer, which the memory for activations follows.
    weights_bytes: as measured on the disk, where there are files; else computed. Not quantised: as if of 16 bits.
    """

    name: str
    family: str  # config.json's model_type: "qwen3"
    layers: int
    hidden: int
    heads: int
    vocabulary: int
    width: int
    attention: tuple[Attention, ...]
    parameters: int
    plain_parameters: int
    active_parameters: int
    max_context: int
    quantisation: Quantisation = Quantisation()
    weights_bytes: int | None = None
    notes: tuple[str, ...] = ()

    def weight_bytes(self, dtype_bytes: int = _HALF) -> int:
        """On all GPUs together, loaded as `dtype_bytes` where not quantised."""
        if self.weights_bytes is not None:
            return (
                self.weights_bytes * dtype_bytes // _HALF
                if self.quantisation.method is Method.none
                else self.weights_bytes
            )
        if self.quantisation.method is Method.none:
            return self.parameters * dtype_bytes
        packed = int((self.parameters - self.plain_parameters) * self.quantisation.bits / 8)
        return packed + self.plain_parameters * dtype_bytes

    def kv_bytes_per_token(self, element_bytes: int = _HALF, gpus: int = 1) -> int:
        """Of the cache of one GPU, for a token that every layer keeps."""
        return sum(group.elements_per_token(gpus) for group in self.attention) * element_bytes

    def kv_bytes(
        self, context: int, element_bytes: int = _HALF, gpus: int = 1, in_flight: int = 0, block: int = BLOCK
    ) -> int:
        """Of the cache of one GPU, for one sequence of `context` tokens, of which `in_flight` are worked on at once."""
        return sum(
            group.elements_per_token(gpus) * group.tokens_kept(context, in_flight, block) * element_bytes
            for group in self.attention
        )

    @property
    def windowed(self) -> bool:
        return any(group.window is not None for group in self.attention)
