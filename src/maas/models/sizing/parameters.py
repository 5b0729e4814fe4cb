"""Counting a decoder's weights from the fields of its config.json.

Norms and biases are a few thousandths of the whole and are counted only as far as they are certain; the tests hold
the counts to published ones within one percent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_UNGATED = frozenset({"gpt2", "gpt_neox", "gptj", "opt", "bloom", "mpt", "falcon", "starcoder2", "phi", "gpt_bigcode"})
FFN_WIDTHS = ("intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size", "ffn_hidden_dim")
DENSE_WIDTHS = ("intermediate_size_mlp", "shared_intermediate_size")  # where it is not that of an expert
_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
_CHOSEN = ("num_experts_per_tok", "experts_per_token", "num_experts_per_token", "moe_k")
_SHARED = ("shared_expert_intermediate_size", "n_shared_experts")
_TIED = frozenset(
    {
        *("gpt2", "gpt_bigcode", "gpt_neo", "opt", "bloom", "falcon", "mpt", "starcoder2", "smollm3", "cohere"),
        *("cohere2", "gemma", "gemma2", "gemma3", "gemma3_text", "minicpm3", "ernie4_5", "ernie4_5_moe", "jetmoe"),
    }
)
_MOST_OF_A_TOWER = 100_000
_GATED_TOWERS = frozenset({"pixtral", "qwen2_5_vl"})
_STEPS = ("decoder_sparse_step", "moe_layer_freq", "interleave_moe_layer_step")
EXPERT_FIELDS = (*_EXPERTS, *_CHOSEN, *_SHARED, *_STEPS, "moe_intermediate_size", "first_k_dense_replace")


@dataclass(frozen=True)
class Counts:
    all: int
    active: int
    plain: int  # embeddings and head
    experts: int  # in all expert layers together


@dataclass(frozen=True)
class Mixture:
    """A mixture of experts, in those layers that have one."""

    experts: int
    chosen: int
    width: int
    shared_width: int
    layers: int


def count(config: Mapping[str, Any], *, layers: int, hidden: int, heads: int, kv_heads: int, head_dim: int) -> Counts:
    vocabulary = int(config["vocab_size"])
    plain = vocabulary * hidden * (1 if config.get("tie_word_embeddings", _tied(config)) else 2)
    mixture = mixture_of(config, layers)
    dense_layers = layers - (mixture.layers if mixture else 0)
    attention = layers * _attention(config, hidden, heads, kv_heads, head_dim)
    dense_width = _first(config, *DENSE_WIDTHS) or ffn_width(config, hidden)
    dense = dense_layers * _matrices(config) * hidden * dense_width
    if mixture is None:
        total = plain + attention + dense
        return Counts(total, total, plain, 0)
    each = 3 * hidden * mixture.width
    fixed = plain + attention + dense + mixture.layers * (hidden * mixture.experts + 3 * hidden * mixture.shared_width)
    experts = mixture.layers * mixture.experts * each
    return Counts(fixed + experts, fixed + mixture.layers * mixture.chosen * each, plain, experts)


def ffn_width(config: Mapping[str, Any], hidden: int) -> int:
    return _first(config, *FFN_WIDTHS) or 4 * hidden


def mixture_of(config: Mapping[str, Any], layers: int) -> Mixture | None:
    experts = _first(config, *_EXPERTS)
    if experts <= 1:
        return None
    width = _first(config, "moe_intermediate_size") or ffn_width(config, 0)
    shared = _first(config, _SHARED[0], "shared_intermediate_size") or _first(config, _SHARED[1]) * width
    if str(config.get("model_type")).startswith("llama4"):
        shared = width  # one of them, which its config.json need not say
    chosen = _first(config, *_CHOSEN) or 1
    return Mixture(experts, chosen, width, shared, _expert_layers(config, layers))


def _expert_layers(config: Mapping[str, Any], layers: int) -> int:
    step = _first(config, *_STEPS) or 1
    plain = config.get("mlp_only_layers") or []
    first_dense = _first(config, "first_k_dense_replace")
    return sum(1 for n in range(first_dense, layers) if n not in plain and (n + 1) % step == 0)


def _attention(config: Mapping[str, Any], hidden: int, heads: int, kv_heads: int, head_dim: int) -> int:
    if rank := _first(config, "kv_lora_rank"):
        return _latent_attention(config, hidden, heads, rank)
    return 2 * hidden * heads * head_dim + 2 * hidden * kv_heads * head_dim + 2 * hidden


def _latent_attention(config: Mapping[str, Any], hidden: int, heads: int, rank: int) -> int:
    rope, plain = int(config["qk_rope_head_dim"]), int(config["qk_nope_head_dim"])
    value, query_rank = int(config["v_head_dim"]), _first(config, "q_lora_rank")
    per_head = heads * (rope + plain)
    query = hidden * query_rank + query_rank * per_head if query_rank else hidden * per_head
    return query + hidden * (rank + rope) + rank * heads * (plain + value) + heads * value * hidden


def _matrices(config: Mapping[str, Any]) -> int:
    """Of one feed-forward layer: with a gate there are three."""
    return 2 if config.get("model_type") in _UNGATED else 3


def _tied(config: Mapping[str, Any]) -> bool:
    """What transformers takes where config.json does not say: its classes differ."""
    return config.get("model_type") in _TIED


def towers(config: Mapping[str, Any]) -> int:
    """About what an encoder of images has: its layers, without what lies before and behind them. 0 if none is told."""
    tower = config.get("vision_config")
    if not isinstance(tower, Mapping):
        return 0
    layers, hidden = _counted(tower, "num_hidden_layers", "depth"), _counted(tower, "hidden_size", "embed_dim")
    matrices = 3 if tower.get("model_type") in _GATED_TOWERS else 2
    return layers * hidden * (4 * hidden + matrices * (_counted(tower, "intermediate_size") or 4 * hidden))


def _counted(config: Mapping[str, Any], *keys: str) -> int:
    """0 where a field is not there or nothing to count with: an estimate need not refuse a model."""
    found = (config.get(key) for key in keys)
    return next((int(value) for value in found if isinstance(value, int) and 0 < value <= _MOST_OF_A_TOWER), 0)


def _first(config: Mapping[str, Any], *keys: str) -> int:
    return next((int(config[key]) for key in keys if config.get(key)), 0)
