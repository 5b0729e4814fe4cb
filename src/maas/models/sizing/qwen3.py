"""The Qwen3 family, which is offered by name: sized without a network.

Shapes from the model cards and torchtune's builders. head_dim is 128 in all of them, also where hidden / heads is not.
The context is what the cards call native; config.json's 40 960 leaves room for an answer of 8 192 on top.
"""

from dataclasses import replace
from typing import Any

from maas.models.sizing.architecture import Architecture, Method, Quantisation
from maas.models.sizing.config import from_config

_DENSE = {  # layers, hidden, heads, kv_heads, ffn, tied
    "0.6B": (28, 1024, 16, 8, 3072, True),
    "1.7B": (28, 2048, 16, 8, 6144, True),
    "4B": (36, 2560, 32, 8, 9728, True),
    "8B": (36, 4096, 32, 8, 12288, False),
    "14B": (40, 5120, 40, 8, 17408, False),
    "32B": (64, 5120, 64, 8, 25600, False),
}
_MIXED = {  # layers, hidden, heads, kv_heads, ffn of an expert
    "30B-A3B": (48, 2048, 32, 4, 768),
    "235B-A22B": (94, 4096, 64, 4, 1536),
}
_COMMON = {"vocab_size": 151_936, "head_dim": 128, "max_position_embeddings": 40_960}
_SUFFIXES = {
    "-AWQ": Quantisation(Method.awq, 4.25),
    "-GPTQ-Int4": Quantisation(Method.gptq, 4.25),
    "-GPTQ-Int8": Quantisation(Method.gptq, 8.25),
    "-FP8": Quantisation(Method.fp8, 8.0),
}


def names() -> list[str]:
    return [f"Qwen/Qwen3-{size}" for size in (*_DENSE, *_MIXED)]


def find(name: str) -> Architecture | None:
    """By "Qwen/Qwen3-0.6B", "qwen3-0.6b" or "qwen3:0.6b", with -AWQ, -GPTQ-Int4, -GPTQ-Int8 or -FP8 behind."""
    wanted = name.lower().replace(":", "-").removeprefix("qwen/")
    for suffix, quantisation in _SUFFIXES.items():
        if wanted.endswith(suffix.lower()):
            plain = find(wanted.removesuffix(suffix.lower()))
            return plain and replace(plain, name=plain.name + suffix, quantisation=quantisation)
    for size in (*_DENSE, *_MIXED):
        if wanted == f"qwen3-{size.lower()}":
            return from_config(_config(size), f"Qwen/Qwen3-{size}")
    return None


def _config(size: str) -> dict[str, Any]:
    if size in _DENSE:
        layers, hidden, heads, kv_heads, ffn, tied = _DENSE[size]
        return _COMMON | {
            "model_type": "qwen3",
            "num_hidden_layers": layers,
            "hidden_size": hidden,
            "num_attention_heads": heads,
            "num_key_value_heads": kv_heads,
            "intermediate_size": ffn,
            "tie_word_embeddings": tied,
        }
    layers, hidden, heads, kv_heads, expert = _MIXED[size]
    return _COMMON | {
        "model_type": "qwen3_moe",
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": 3 * hidden,
        "moe_intermediate_size": expert,
        "num_experts": 128,
        "num_experts_per_tok": 8,
        "tie_word_embeddings": False,
    }
