"""From a model's folder or config.json to its Architecture.

Any decoder with grouped, single or latent attention, sliding windows, experts and quantised weights; what is
multimodal is read by its text part, its towers are counted roughly, and that is told. What keeps a state beside its
cache or instead of it (state-space models, linear attention) is refused: a wrong number would be worse than none.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maas.domain.errors import InvalidInput
from maas.models.sizing.architecture import Architecture, Attention, Method, Quantisation
from maas.models.sizing.parameters import DENSE_WIDTHS, EXPERT_FIELDS, FFN_WIDTHS, count, ffn_width, mixture_of, towers

_ALIASES = {
    "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
    "hidden_size": ("n_embd", "d_model", "dim"),
    "num_attention_heads": ("n_head", "n_heads"),
    "vocab_size": (),
}
_STATE_SPACE = frozenset({"mamba", "mamba2", "falcon_mamba", "rwkv", "rwkv5", "rwkv6", "xlstm"})
_HYBRID = frozenset(
    {
        *("jamba", "bamba", "zamba", "zamba2", "nemotron_h", "granitemoehybrid", "falcon_h1", "plamo2", "lfm2"),
        *("lfm2_moe", "qwen3_next", "qwen3_5_text", "qwen3_5_moe_text", "kimi_linear", "recurrent_gemma", "minimax"),
    }
)
# Layers that differ, or keep something beside keys and values: Gemma 3n and 4, Nemotron Super, DeepSeek V3.2 and V4.
_VARYING = (
    *("hidden_size_per_layer_input", "num_kv_shared_layers", "global_head_dim", "block_configs"),
    *("index_head_dim", "compress_ratios"),
)
_ALTERNATING = {"gemma2": 2, "cohere2": 4, "gpt_oss": 2, "gemma3_text": 6, "gemma3": 6}  # every n-th layer sees all
_UNWINDOWED = "full_attention"
_SLIDING = frozenset({"sliding_attention", "chunked_attention"})
_KEEPING_STATE = frozenset({"linear_attention", "recurrent", "mamba", "conv", "hybrid"})
# What transformers takes where a config.json does not say it: Google's own files of Gemma 3 hold only what differs.
_UNSAID: Mapping[str, Mapping[str, int]] = {
    "gemma3_text": {
        "vocab_size": 262_208,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "max_position_embeddings": 131_072,
    }
}
_CONTEXT = ("max_position_embeddings", "n_positions", "max_seq_len", "n_ctx", "seq_length")
_KV_HEADS = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num")
_PATTERN = "sliding_window_pattern"
# What is counted with: whole numbers, if they are given at all.
_COUNTED = (
    *("head_dim", "kv_channels", *_KV_HEADS, *_CONTEXT, *FFN_WIDTHS, *DENSE_WIDTHS, *EXPERT_FIELDS),
    *("kv_lora_rank", "q_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim"),
    *("sliding_window", "attention_chunk_size", "max_window_layers", "no_rope_layer_interval", _PATTERN),
)
_OF_THE_WHOLE = ("vocab_size", "tie_word_embeddings", "torch_dtype", "dtype")  # and of its text part, if it says none
_LISTS = ("layer_types", "no_rope_layers", "mlp_only_layers")
_LARGEST = 2**24  # bytes; a config.json has a few thousand
_MOST = 2**31  # of anything
_MOST_LAYERS = 10_000
_SCALES = 0.25  # bits per weight: a 16-bit scale and a zero point for each group of 128, rounded up


class UnknownArchitecture(InvalidInput):
    """A model that is not calculated here. A server may know it all the same."""


def read(path: Path, name: str | None = None) -> Architecture:
    """path: a config.json, or the folder that it is in, where weights are measured if they are there.

    name: what vLLM is to load it by; else the folder. Not `_name_or_path`: of a model that was trained further it is
    often the one that it was made from.
    """
    file = path / "config.json" if path.is_dir() else path
    if not file.exists():
        raise InvalidInput(f"{path} has no config.json: give a model's folder, or its config.json")
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST:
            raise InvalidInput(f"{file} is no config.json: give the folder that the model is in")
        config = json.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{file} can't be read as JSON: {error}; was it copied as a whole?") from error
    if not isinstance(config, dict):
        raise InvalidInput(f"{file} holds no JSON object: it is no model's config.json")
    return from_config(config, name or str(file.parent), weights_bytes=_measured(file.parent))


def from_config(config: Mapping[str, Any], name: str, weights_bytes: int | None = None) -> Architecture:
    """Raises InvalidInput, naming the field; UnknownArchitecture where nothing is wrong but what is known here."""
    text, notes = _text_part(config)
    family = str(text.get("model_type") or config.get("model_type") or "")
    text = {**_UNSAID.get(family, {}), **text, "model_type": family}
    _refuse_what_has_no_cache(family, text)
    fields = {key: _number(text, key, *aliases, of=name) for key, aliases in _ALIASES.items()}
    _require_counts(text, fields["num_hidden_layers"], name)
    layers, hidden, heads = fields["num_hidden_layers"], fields["hidden_size"], fields["num_attention_heads"]
    head_dim = int(text.get("head_dim") or text.get("kv_channels") or max(1, hidden // heads))
    kv_heads = _kv_heads(text, heads)
    if heads % kv_heads:
        raise InvalidInput(f"the config.json of {name} has {kv_heads} KV heads, which {heads} heads can't share")
    try:
        counts = count(text, layers=layers, hidden=hidden, heads=heads, kv_heads=kv_heads, head_dim=head_dim)
        attention = _attention(text, family, layers, kv_heads, head_dim)
        mixture = mixture_of(text, layers)
        seen = towers(config)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UnknownArchitecture(f"the config.json of {name} lacks a usable field: {error}") from error
    quantisation = _quantisation(config.get("quantization_config") or text.get("quantization_config"))
    return Architecture(
        name=name,
        family=family,
        layers=layers,
        hidden=hidden,
        heads=heads,
        vocabulary=fields["vocab_size"],
        width=max(ffn_width(text, hidden), mixture.width * mixture.chosen + mixture.shared_width if mixture else 0),
        attention=attention,
        parameters=counts.all + seen,
        plain_parameters=seen + (counts.all - counts.experts if quantisation.method is Method.mxfp4 else counts.plain),
        active_parameters=counts.active,
        max_context=_max_context(text),
        quantisation=quantisation,
        weights_bytes=weights_bytes and _as_16_bits(weights_bytes, text, quantisation),
        notes=tuple(notes),
    )


def _max_context(config: Mapping[str, Any]) -> int:
    """As vLLM takes it: YaRN stretches what the model was trained for first."""
    told = next((int(config[key]) for key in _CONTEXT if config.get(key)), 2048)
    scaling = config.get("rope_scaling") or config.get("rope_parameters")
    if not isinstance(scaling, Mapping) or "yarn" not in (scaling.get("rope_type"), scaling.get("type")):
        return told
    first, factor = scaling.get("original_max_position_embeddings", told), scaling.get("factor", 1)
    if not isinstance(first, int) or not isinstance(factor, int | float) or not 0 < first * factor <= _MOST:
        return told
    return max(told, int(first * factor))


def _as_16_bits(size: int, config: Mapping[str, Any], quantisation: Quantisation) -> int:
    """Files of 32 bits are loaded as 16."""
    wide = "float32" in (config.get("torch_dtype"), config.get("dtype")) and quantisation.method is Method.none
    return size // 2 if wide else size


def _text_part(config: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    for key in ("text_config", "llm_config", "language_config"):
        inner = config.get(key)
        if isinstance(inner, Mapping):
            kept = {k: config[k] for k in _OF_THE_WHOLE if k in config}
            note = "a multimodal model: what it sees or hears takes some memory for activations too"
            return {**kept, **inner}, [note]
    return config, []


def _refuse_what_has_no_cache(family: str, config: Mapping[str, Any]) -> None:
    instead = "start it with a small --max-model-len and read `GPU KV cache size` in vLLM's log"
    if _keeps_a_state(family, config):
        raise UnknownArchitecture(
            f"{family} models keep a state instead of (only) a cache of tokens, which is not calculated here; {instead}"
        )
    if varying := next((key for key in _VARYING if config.get(key)), None):
        raise UnknownArchitecture(
            f"{family} models have {varying}: what such layers keep is not calculated here; {instead}"
        )
    if config.get("is_encoder_decoder"):
        raise InvalidInput(f"{family} is an encoder-decoder model, which can't be served as a chat model here")


def _keeps_a_state(family: str, config: Mapping[str, Any]) -> bool:
    """Some of a hybrid family have attention alone: their list of layers says so (Granite 4.0 Micro)."""
    if types := _layer_types(config):
        return any(kind in _KEEPING_STATE for kind in types)
    return family in _STATE_SPACE | _HYBRID


def _number(config: Mapping[str, Any], key: str, *aliases: str, of: str) -> int:
    for each in (key, *aliases):
        value = config.get(each)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST:
            return value
        if value is not None:
            raise _unusable(value)(f"the config.json of {of} has {each}: {value!r}; it has to be a positive number")
    raise UnknownArchitecture(
        f"the config.json of {of} has no {key}: it is no decoder's, or of a kind that is not known here"
    )


def _unusable(value: object) -> type[InvalidInput]:
    """One for each layer, instead of one for all (OpenELM), is no mistake."""
    return UnknownArchitecture if isinstance(value, list | dict) else InvalidInput


def _require_counts(config: Mapping[str, Any], layers: int, of: str) -> None:
    """Neither less than nothing nor more than there is; a field that is null, false or 0 is not given."""
    if layers > _MOST_LAYERS:
        raise InvalidInput(f"the config.json of {of} claims to have {layers} layers")
    for key in _COUNTED:
        value = config.get(key)
        if key == _PATTERN and isinstance(value, str) and set(value) <= {"L", "G"}:
            continue
        if value and (isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MOST):
            said = str(value) if isinstance(value, float) else json.dumps(value)[:40]
            raise _unusable(value)(f"the config.json of {of} has {key}: {said}; it has to be a whole number")
    for key in _LISTS:
        if config.get(key) and not isinstance(config[key], list):
            raise InvalidInput(
                f"the config.json of {of} has {key}: {json.dumps(config[key])[:40]}; it has to be a list"
            )
    if 0 < (told := len(_layer_types(config))) < layers:
        raise InvalidInput(f"the config.json of {of} has layer_types for {told} of its {layers} layers")


def _kv_heads(config: Mapping[str, Any], heads: int) -> int:
    if config.get("new_decoder_architecture"):  # Falcon 40B and later
        return int(config.get("num_kv_heads") or heads)
    if config.get("multi_query"):
        return 1
    return next((int(config[key]) for key in _KV_HEADS if config.get(key)), heads)


def _attention(
    config: Mapping[str, Any], family: str, layers: int, kv_heads: int, head_dim: int
) -> tuple[Attention, ...]:
    if rank := config.get("kv_lora_rank"):
        return (Attention(layers, 1, int(rank) + int(config["qk_rope_head_dim"]), latent=True),)
    window, windowed = _window(config), 0
    if window:
        windowed = _windowed_layers(config, family, layers)
    groups = (
        Attention(layers - windowed, kv_heads, head_dim),
        Attention(windowed, kv_heads, head_dim, window=window),
    )
    return tuple(group for group in groups if group.layers > 0)


def _window(config: Mapping[str, Any]) -> int | None:
    window = config.get("sliding_window") or config.get("attention_chunk_size")
    return None if config.get("use_sliding_window") is False or not window else int(window)


def _windowed_layers(config: Mapping[str, Any], family: str, layers: int) -> int:
    if types := _layer_types(config):
        return sum(kind in _SLIDING for kind in types[:layers])
    if config.get("attention_chunk_size"):
        return _chunked_layers(config, layers)
    every = config.get(_PATTERN) or _ALTERNATING.get(family)
    if isinstance(every, str):  # EXAONE: "LLLG", local and global
        return sum(every[layer % len(every)] == "L" for layer in range(layers))
    if every:
        return layers - layers // max(1, int(every))
    if family in ("qwen2", "qwen3", "qwen2_moe", "qwen3_moe"):  # the layers from this one on slide
        return max(0, layers - int(config.get("max_window_layers", layers)))
    return layers


def _chunked_layers(config: Mapping[str, Any], layers: int) -> int:
    """Llama 4: those that rotate positions; each fourth does not, and sees all."""
    rotating = config.get("no_rope_layers")
    if rotating and isinstance(rotating, list):
        return sum(map(bool, rotating[:layers]))
    return layers - layers // int(config.get("no_rope_layer_interval") or 4)


def _layer_types(config: Mapping[str, Any]) -> Sequence[str]:
    types = config.get("layer_types")
    return [str(kind) for kind in types] if isinstance(types, list) else []


def _quantisation(config: object) -> Quantisation:
    if not config:
        return Quantisation()
    if not isinstance(config, Mapping):
        raise InvalidInput(f"quantization_config has to be an object, not {json.dumps(config)[:40]}")
    method = str(config.get("quant_method", "")).lower().replace("_", "-")
    match method:
        case "awq" | "gptq" | "auto-round":
            kind = Method.gptq if method == "gptq" else Method.awq
            return Quantisation(kind, _bits(config.get("bits") or config.get("w_bit") or 4) + _SCALES)
        case "modelopt" | "modelopt-fp4" if "FP4" in str(config.get("quant_algo", "FP4" if "fp4" in method else "")):
            return Quantisation(Method.nvfp4, 4.5)
        case "fp8" | "fbgemm-fp8" | "modelopt":
            return Quantisation(Method.fp8, 8.0)
        case "mxfp4":
            return Quantisation(Method.mxfp4, 4.25)
        case "bitsandbytes":
            return Quantisation(Method.bitsandbytes, 4.5 if config.get("load_in_4bit") else 8.0)
        case "compressed-tensors":
            return _compressed(config)
    known = "AWQ, GPTQ, FP8, NVFP4, MXFP4, bitsandbytes and compressed-tensors"
    raise UnknownArchitecture(f"weights quantised as {method or 'nobody says what'} are not known here; {known} are")


def _compressed(config: Mapping[str, Any]) -> Quantisation:
    """llm-compressor: the first group's weights speak for all."""
    groups = config.get("config_groups")
    first: object = next(iter(groups.values()), None) if isinstance(groups, Mapping) else None
    weights = first.get("weights") if isinstance(first, Mapping) else None
    bits = _bits(weights.get("num_bits") or 8) if isinstance(weights, Mapping) else 8
    if bits >= 8:
        floating = isinstance(weights, Mapping) and weights.get("type") == "float"
        return Quantisation(Method.fp8 if floating else Method.int8, 8.0)
    return Quantisation(Method.gptq, bits + _SCALES)  # packed integers: vLLM runs them with GPTQ's kernels


def _bits(value: object) -> int:
    if isinstance(value, int) and 1 <= value <= 16:
        return value
    raise InvalidInput(f"the config.json quantises weights to {str(value)[:40]} bits; 1 to 16 are known")


def _measured(folder: Path) -> int | None:
    """The weights' size on the disk. None where none are, or where they are not whole."""
    try:
        index = json.loads((folder / "model.safetensors.index.json").read_text())
        if (size := int(index["metadata"]["total_size"])) > 0:
            return size
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        pass
    files = [*folder.glob("*.safetensors")]
    return sum(file.stat().st_size for file in files) or None
