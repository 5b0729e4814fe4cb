"""What a config.json says of a model's memory, against what is known of it."""

import json
import os
import re
from pathlib import Path

import pytest

from maas.domain.errors import InvalidInput
from maas.models.sizing import config, qwen3
from maas.models.sizing.architecture import Method
from tests.sizing.configs import KNOWN

GIB = 2**30

# facts/cluster.md §4.5: parameters in billions, GiB of float16 weights, bytes of KV cache per token
QWEN3 = {
    "0.6B": (0.596, 1.11, 114_688),
    "1.7B": (1.72, 3.2, 114_688),
    "4B": (4.02, 7.5, 147_456),
    "8B": (8.19, 15.3, 147_456),
    "14B": (14.77, 27.5, 163_840),
    "32B": (32.76, 61.0, 262_144),
    "30B-A3B": (30.5, 56.9, 98_304),
    "235B-A22B": (235, 438, 192_512),
}


@pytest.mark.parametrize("size", QWEN3)
def test_qwen3_as_published(size: str) -> None:
    model = qwen3.find(f"qwen3-{size}")
    assert model is not None
    parameters, weights, per_token = QWEN3[size]
    assert model.parameters / 1e9 == pytest.approx(parameters, rel=0.01)
    assert model.weight_bytes() / GIB == pytest.approx(weights, rel=0.01)
    assert model.kv_bytes_per_token() == per_token


@pytest.mark.parametrize(
    ("size", "context", "logged"), [("0.6B", 40_960, 4.38), ("4B", 12_288, 1.69), ("30B-A3B", 262_144, 24.0)]
)
def test_the_cache_that_vllm_logged(size: str, context: int, logged: float) -> None:
    """ "(4.38 GiB KV cache is needed …)", facts/cluster.md §4.4."""
    model = qwen3.find(size.join(("Qwen/Qwen3-", "")))
    assert model is not None
    assert model.kv_bytes(context) / GIB == pytest.approx(logged, rel=0.01)


def test_active_parameters_of_experts() -> None:
    small, large = qwen3.find("qwen3-30b-a3b"), qwen3.find("qwen3-235b-a22b")
    assert small is not None and large is not None
    assert small.active_parameters / 1e9 == pytest.approx(3.3, rel=0.02)
    assert large.active_parameters / 1e9 == pytest.approx(22, rel=0.02)


@pytest.mark.parametrize("name", KNOWN)
def test_known_architectures(name: str) -> None:
    known = KNOWN[name]
    model = config.from_config(known.config, name)
    assert model.parameters / 1e9 == pytest.approx(known.parameters, rel=0.01)
    assert model.kv_bytes_per_token() == known.kv
    if known.active:
        assert model.active_parameters / 1e9 == pytest.approx(known.active, rel=0.02)


def test_windows_bound_what_a_sequence_keeps() -> None:
    mistral = config.from_config(KNOWN["Mistral-7B-v0.1"].config, "mistral")
    assert mistral.kv_bytes(32_768) == mistral.kv_bytes(4096) == 4096 * 131_072
    gemma = config.from_config(KNOWN["gemma-3-4b"].config, "gemma")
    full, windowed = gemma.attention
    assert (full.layers, windowed.layers, windowed.window) == (5, 29, 1024)
    scout = config.from_config(KNOWN["Llama-4-Scout"].config, "scout")
    assert [(each.layers, each.window) for each in scout.attention] == [(12, None), (36, 8192)]
    qwen = config.from_config(KNOWN["Qwen2.5-7B"].config, "qwen")
    assert qwen.kv_bytes(32_768) == 32_768 * 57_344, "use_sliding_window is off"


@pytest.mark.parametrize(
    ("told", "full"),
    [({}, 12), ({"no_rope_layers": [1, 0] * 24}, 24), ({"no_rope_layers": None, "no_rope_layer_interval": 3}, 16)],
)
def test_which_layers_of_llama_4_see_all(told: dict[str, object], full: int) -> None:
    scout = KNOWN["Llama-4-Scout"].config
    model = config.from_config(scout | {"text_config": scout["text_config"] | told}, "scout")
    assert [(each.layers, each.window) for each in model.attention] == [(full, None), (48 - full, 8192)]


def test_a_latent_cache_is_needed_whole_by_every_gpu() -> None:
    deepseek = config.from_config(KNOWN["DeepSeek-V3"].config, "v3")
    assert deepseek.kv_bytes_per_token(gpus=8) == deepseek.kv_bytes_per_token()


def test_fewer_heads_than_gpus_are_repeated() -> None:
    model = qwen3.find("qwen3-30b-a3b")
    assert model is not None and model.attention[0].kv_heads == 4
    assert model.kv_bytes_per_token(gpus=8) == model.kv_bytes_per_token(gpus=4) == 98_304 // 4


@pytest.mark.parametrize(
    ("name", "gigabytes"),
    [("Qwen/Qwen3-8B-AWQ", 6.1), ("Qwen/Qwen3-8B-FP8", 9.4), ("Qwen/Qwen3-32B-AWQ", 19.3)],
)
def test_quantised_weights_as_their_files(name: str, gigabytes: float) -> None:
    """The size of the files on the hub, in GB; embeddings and head stay in 16 bits."""
    model = qwen3.find(name)
    assert model is not None
    assert model.weight_bytes() / 1e9 == pytest.approx(gigabytes, rel=0.03)


def test_mxfp4_packs_the_experts_only() -> None:
    model = config.from_config(KNOWN["gpt-oss-20b"].config, "gpt-oss")
    assert model.quantisation.method is Method.mxfp4
    assert model.weight_bytes() / 1e9 == pytest.approx(13.8, rel=0.01)


@pytest.mark.parametrize(
    ("given", "method", "bits"),
    [
        ({"quant_method": "awq", "bits": 4}, Method.awq, 4.25),
        ({"quant_method": "gptq", "bits": 8}, Method.gptq, 8.25),
        ({"quant_method": "fp8"}, Method.fp8, 8.0),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, Method.fp8, 8.0),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, Method.nvfp4, 4.5),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"num_bits": 4, "type": "int"}}}},
            Method.gptq,
            4.25,
        ),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"num_bits": 8, "type": "int"}}}},
            Method.int8,
            8.0,
        ),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, Method.bitsandbytes, 4.5),
    ],
)
def test_ways_to_quantise(given: dict[str, object], method: Method, bits: float) -> None:
    model = config.from_config(KNOWN["Llama-3.1-8B"].config | {"quantization_config": given}, "llama")
    assert (model.quantisation.method, model.quantisation.bits) == (method, bits)


def test_weights_are_measured_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(KNOWN["gpt2"].config))
    assert config.read(tmp_path).weights_bytes is None
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 1000)
    assert config.read(tmp_path).weight_bytes() == 1000
    (tmp_path / "model.safetensors.index.json").write_text('{"metadata": {"total_size": 4000}}')
    assert config.read(tmp_path / "config.json").weight_bytes() == 4000
    (tmp_path / "config.json").write_text(json.dumps(KNOWN["gpt2"].config | {"torch_dtype": "float32"}))
    assert config.read(tmp_path).weight_bytes() == 2000, "loaded as 16 bits"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "can't be read as JSON"),
        ("[]", "no JSON object"),
        ('{"model_type": "mamba"}', "keep a state"),
        (json.dumps({"model_type": "qwen3_next"}), "keep a state"),
        (json.dumps({"model_type": "new", "layer_types": ["full_attention", "linear_attention"]}), "keep a state"),
        (json.dumps({"model_type": "gemma3n_text", "num_kv_shared_layers": 10}), "have num_kv_shared_layers"),
        (json.dumps({"model_type": "deepseek_v32", "index_head_dim": 128}), "have index_head_dim"),
        ('{"num_hidden_layers": 2}', "no hidden_size"),
        ('{"num_hidden_layers": "two"}', "num_hidden_layers: 'two'"),
        (json.dumps(KNOWN["Llama-3.1-8B"].config | {"is_encoder_decoder": True}), "encoder-decoder"),
        (json.dumps(KNOWN["Llama-3.1-8B"].config | {"quantization_config": {"quant_method": "magic"}}), "magic"),
        (json.dumps(KNOWN["DeepSeek-V3"].config | {"qk_rope_head_dim": None}), "lacks a usable field"),
    ],
)
def test_what_is_no_decoder_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InvalidInput, match=re.escape(said)):
        config.read(tmp_path)


def test_what_is_no_small_file_is_not_read(tmp_path: Path) -> None:
    """Weights of many GiB given in place of their folder; a pipe, which would never end."""
    weights, pipe = tmp_path / "model.safetensors", tmp_path / "config.json"
    with weights.open("wb") as file:
        file.truncate(2**30)
    os.mkfifo(pipe)
    for wrong in (weights, pipe, tmp_path):
        with pytest.raises(InvalidInput, match=r"is no config\.json: give the folder"):
            config.read(wrong)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"layer_types": ["full_attention"]}, "layer_types for 1 of its 32 layers"),
        ({"layer_types": "full"}, 'layer_types: "full"; it has to be a list'),
        ({"mlp_only_layers": 5}, "mlp_only_layers: 5; it has to be a list"),
        ({"num_key_value_heads": 5}, "5 KV heads, which 32 heads can't share"),
        ({"quantization_config": "awq"}, "quantization_config has to be an object"),
        ({"sliding_window": 9, "sliding_window_pattern": "often"}, "sliding_window_pattern"),
        ({"sliding_window": 9, "sliding_window_pattern": -3}, "sliding_window_pattern"),
    ],
)
def test_a_field_that_makes_no_sense_is_named(changed: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(said)):
        config.from_config(LLAMA | changed, "llama")


def test_a_pattern_of_letters() -> None:
    """EXAONE 4: three layers with a window, then one that sees all."""
    model = config.from_config(LLAMA | {"sliding_window": 4096, "sliding_window_pattern": "LLLG"}, "exaone")
    assert [(each.layers, each.window) for each in model.attention] == [(8, None), (24, 4096)]


@pytest.mark.parametrize(
    ("scaling", "context"),
    [
        ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32_768}, 131_072),
        ({"type": "yarn", "factor": 4}, 131_072),
        ({"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 8192}, 32_768),
        ({"rope_type": "yarn", "factor": float("nan")}, 32_768),
        ({"rope_type": "yarn", "factor": "4"}, 32_768),
    ],
)
def test_a_context_that_was_stretched(scaling: dict[str, object], context: int) -> None:
    given = LLAMA | {"max_position_embeddings": 32_768, "rope_scaling": scaling}
    assert config.from_config(given, "llama").max_context == context


LLAMA, MIXTRAL = (KNOWN[name].config for name in ("Llama-3.1-8B", "Mixtral-8x7B"))


@pytest.mark.parametrize("value", ["-1", "1.5", "1e999", "NaN", "1" + "0" * 30, '"many"', "[1]", "true"])
@pytest.mark.parametrize(
    "field",
    [
        *("num_key_value_heads", "head_dim", "intermediate_size", "max_position_embeddings", "sliding_window"),
        *("num_hidden_layers", "vocab_size", "num_local_experts", "kv_lora_rank", "moe_layer_freq"),
    ],
)
def test_a_number_that_cannot_be_is_named(tmp_path: Path, field: str, value: str) -> None:
    text = json.dumps(MIXTRAL | {field: "HERE"}).replace('"HERE"', value)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InvalidInput, match=field if field != "num_hidden_layers" else "layers"):
        config.read(tmp_path)


@pytest.mark.parametrize("bits", [-5.5, 0.1, 17, "x", [1], float("nan")])
@pytest.mark.parametrize("method", ["awq", "gptq", "compressed-tensors"])
def test_bits_that_no_weight_has(method: str, bits: object) -> None:
    given = {"quant_method": method, "bits": bits, "config_groups": {"all": {"weights": {"num_bits": bits}}}}
    with pytest.raises(InvalidInput, match="bits"):
        config.from_config(LLAMA | {"quantization_config": given}, "llama")


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000], ids=["deep", "long"])
def test_json_that_python_refuses_to_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InvalidInput, match="can't be read as JSON"):
        config.read(tmp_path)


@pytest.mark.parametrize("size", ["-5", "1e999", '"x"', "[]"])
def test_a_size_that_cannot_be_is_not_taken_for_measured(tmp_path: Path, size: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    (tmp_path / "model.safetensors.index.json").write_text(f'{{"metadata": {{"total_size": {size}}}}}')
    assert config.read(tmp_path).weights_bytes is None


def test_a_folder_without_a_config(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"has no config\.json"):
        config.read(tmp_path)
