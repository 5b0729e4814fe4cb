"""config.json of well-known models: the fields that decide their memory, as their authors publish them.

parameters, active: as the model cards give them, in billions; kv: bytes per token of context in 16 bits.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Known:
    config: dict[str, Any]
    parameters: float
    kv: int
    active: float | None = None


def _decoder(type: str, layers: int, hidden: int, heads: int, vocab: int, **more: Any) -> dict[str, Any]:
    return {
        "model_type": type,
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "vocab_size": vocab,
        **more,
    }


def _ffn(width: int, kv: int, context: int, **more: Any) -> dict[str, Any]:
    return {"intermediate_size": width, "num_key_value_heads": kv, "max_position_embeddings": context, **more}


_MLA = {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128}


def _llama4(experts: int, step: int, context: int) -> dict[str, Any]:
    text = _decoder(
        "llama4_text",
        48,
        5120,
        40,
        202048,
        head_dim=128,
        intermediate_size_mlp=16384,
        num_local_experts=experts,
        num_experts_per_tok=1,
        interleave_moe_layer_step=step,
        attention_chunk_size=8192,
        no_rope_layers=[],
        **_ffn(8192, 8, context),
    )
    tower = {"hidden_size": 1408, "num_hidden_layers": 34, "intermediate_size": 5632}
    return {"model_type": "llama4", "text_config": text, "vision_config": tower}


KNOWN = {
    "Llama-3.1-8B": Known(_decoder("llama", 32, 4096, 32, 128256, **_ffn(14336, 8, 131072)), 8.03, 131072),
    "Mistral-7B-v0.1": Known(
        _decoder("mistral", 32, 4096, 32, 32000, sliding_window=4096, **_ffn(14336, 8, 32768)), 7.24, 131072
    ),
    "Mixtral-8x7B": Known(
        _decoder("mixtral", 32, 4096, 32, 32000, num_local_experts=8, num_experts_per_tok=2, **_ffn(14336, 8, 32768)),
        46.7,
        131072,
        12.9,
    ),
    "Qwen2.5-7B": Known(
        _decoder(
            "qwen2",
            28,
            3584,
            28,
            152064,
            use_sliding_window=False,
            sliding_window=131072,
            tie_word_embeddings=False,
            **_ffn(18944, 4, 32768),
        ),
        7.62,
        57344,
    ),
    "gemma-2-9b": Known(
        _decoder("gemma2", 42, 3584, 16, 256000, head_dim=256, sliding_window=4096, **_ffn(14336, 8, 8192)),
        9.24,
        344064,
    ),
    "gemma-3-4b": Known(
        {
            "model_type": "gemma3",
            "text_config": _decoder(
                "gemma3_text", 34, 2560, 8, 262208, head_dim=256, sliding_window=1024, **_ffn(10240, 4, 131072)
            ),
            "vision_config": {"hidden_size": 1152},
        },
        3.88,
        139264,
    ),
    "Phi-3-mini-4k": Known(
        _decoder("phi3", 32, 3072, 32, 32064, sliding_window=2047, **_ffn(8192, 32, 4096)), 3.82, 393216
    ),
    "gemma-3-12b": Known(
        {  # as Google's own file: what is as in its class is left out
            "model_type": "gemma3",
            "text_config": {
                "model_type": "gemma3_text",
                "num_hidden_layers": 48,
                "hidden_size": 3840,
                "intermediate_size": 15360,
                "num_attention_heads": 16,
                "num_key_value_heads": 8,
                "sliding_window": 1024,
            },
            "vision_config": {"hidden_size": 1152, "num_hidden_layers": 27, "intermediate_size": 4304},
        },
        12.2,
        393216,
    ),
    "Llama-4-Scout": Known(_llama4(experts=16, step=1, context=10485760), 109, 196608, 17),
    "Llama-4-Maverick": Known(_llama4(experts=128, step=2, context=1048576), 401, 196608, 17),
    "granite-4.0-micro": Known(
        _decoder(
            "granitemoehybrid",
            40,
            2560,
            40,
            100352,
            num_local_experts=0,
            num_experts_per_tok=0,
            shared_intermediate_size=8192,
            layer_types=["attention"] * 40,
            mamba_d_state=256,
            tie_word_embeddings=True,
            **_ffn(8192, 8, 131072),
        ),
        3.4,
        81920,
    ),
    "c4ai-command-r7b": Known(
        _decoder("cohere2", 32, 4096, 32, 256000, sliding_window=4096, **_ffn(14336, 8, 132096)), 8.03, 131072
    ),
    "SmolLM3-3B": Known(_decoder("smollm3", 36, 2048, 16, 128256, **_ffn(11008, 4, 65536)), 3.08, 73728),
    "starcoder2-7b": Known(
        _decoder("starcoder2", 32, 4608, 36, 49152, sliding_window=4096, **_ffn(18432, 4, 16384)), 7.17, 65536
    ),
    "mpt-7b": Known(
        {"model_type": "mpt", "d_model": 4096, "n_layers": 32, "n_heads": 32, "vocab_size": 50432, "max_seq_len": 2048},
        6.65,
        524288,
    ),
    "phi-4": Known(
        _decoder("phi3", 40, 5120, 40, 100352, tie_word_embeddings=False, **_ffn(17920, 10, 16384)), 14.7, 204800
    ),
    "Mistral-Small-24B": Known(
        _decoder("mistral", 40, 5120, 32, 131072, head_dim=128, **_ffn(32768, 8, 32768)), 23.6, 163840
    ),
    "GLM-4.5-Air": Known(
        _decoder(
            "glm4_moe",
            46,
            4096,
            96,
            151552,
            head_dim=128,
            n_routed_experts=128,
            n_shared_experts=1,
            num_experts_per_tok=8,
            moe_intermediate_size=1408,
            first_k_dense_replace=1,
            **_ffn(10944, 8, 131072),
        ),
        106.85,
        188416,
    ),
    "gpt2": Known(
        {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257, "n_positions": 1024},
        0.124,
        36864,
    ),
    "falcon-7b": Known(
        _decoder("falcon", 32, 4544, 71, 65024, multi_query=True, new_decoder_architecture=False), 6.92, 8192
    ),
    "DeepSeek-V2-Lite": Known(
        _decoder(
            "deepseek_v2",
            27,
            2048,
            16,
            102400,
            q_lora_rank=None,
            n_routed_experts=64,
            n_shared_experts=2,
            num_experts_per_tok=6,
            moe_intermediate_size=1408,
            first_k_dense_replace=1,
            moe_layer_freq=1,
            **_MLA,
            **_ffn(10944, 16, 163840),
        ),
        15.7,
        31104,
    ),
    "DeepSeek-V3": Known(
        _decoder(
            "deepseek_v3",
            61,
            7168,
            128,
            129280,
            q_lora_rank=1536,
            n_routed_experts=256,
            n_shared_experts=1,
            num_experts_per_tok=8,
            moe_intermediate_size=2048,
            first_k_dense_replace=3,
            moe_layer_freq=1,
            tie_word_embeddings=False,
            quantization_config={"quant_method": "fp8"},
            **_MLA,
            **_ffn(18432, 128, 163840),
        ),
        671,
        70272,
        37,
    ),
    "gpt-oss-20b": Known(
        _decoder(
            "gpt_oss",
            24,
            2880,
            64,
            201088,
            head_dim=64,
            num_local_experts=32,
            num_experts_per_tok=4,
            sliding_window=128,
            layer_types=["sliding_attention", "full_attention"] * 12,
            tie_word_embeddings=False,
            quantization_config={"quant_method": "mxfp4"},
            **_ffn(2880, 8, 131072),
        ),
        20.9,
        49152,
    ),
}
