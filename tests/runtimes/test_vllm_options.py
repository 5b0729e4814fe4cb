"""What a user wrote for vLLM wins, and what is told beside it goes with it; what sizing does not know is tried."""

import json
from pathlib import Path
from typing import Any

import pytest

from maas.domain.errors import InvalidInput, Unavailable
from maas.models import machine, serve, vllm, vllm_options
from maas.models.sizing.architecture import Method
from maas.models.sizing.vllm import CacheType, DType
from tests.runtimes import tiny
from tests.runtimes.programs import A100, T4, V100, nvidia_smi, program
from tests.runtimes.test_arguments import SOCKET, flags

GIB = 2**30
QWEN = "Qwen/Qwen3-0.6B"
HYBRID: dict[str, Any] = {
    "model_type": "falcon_h1",
    "num_hidden_layers": 24,
    "hidden_size": 1024,
    "num_attention_heads": 8,
    "vocab_size": 32784,
}


@pytest.fixture
def on(bin: Path) -> Path:
    program(bin / "vllm", "exit 0")
    nvidia_smi(bin, T4)
    return bin


def told(weights: str = QWEN, context: int | None = None, **options: str) -> dict[str, str]:
    return flags(command(weights, context, **options).argv)


def command(weights: str = QWEN, context: int | None = None, **options: str) -> vllm.Command:
    written = {name.replace("_", "-"): value for name, value in options.items()}
    return vllm.command(weights, "m", SOCKET, context, written)


def config(folder: Path, **fields: Any) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(fields))
    return str(folder)


@pytest.mark.parametrize(
    ("written", "tokens"), [("8192", 8192), ("8K", 8192), ("8k", 8000), ("1.5k", 1500), ("auto", None), ("-1", None)]
)
def test_a_context_is_read_as_vllm_reads_it(written: str, tokens: int | None) -> None:
    assert vllm_options.wish({"max-model-len": written}, 4096).context == (tokens or 4096)


def test_what_options_mean_to_sizing() -> None:
    written = {
        "tensor-parallel-size": "2",
        "dtype": "half",
        "kv-cache-dtype": "fp8_e5m2",
        "gpu-memory-utilization": "0.5",
        "max-num-seqs": "256",
        "max-num-batched-tokens": "4K",
        "no-enforce-eager": "",
        "kv-cache-memory-bytes": "2G",
    }
    wish = vllm_options.wish(written, None)
    assert (wish.gpus, wish.dtype, wish.kv_dtype) == (2, DType.float16, CacheType.fp8)
    assert (wish.utilisation, wish.slots, wish.batch, wish.eager, wish.cache) == (0.5, 256, 4096, False, 2 * GIB)
    assert vllm_options.wish({"device-memory-utilization": "0.5"}, None).utilisation == 0.5
    assert wish.concurrency is None, "what does not fit waits: it is no reason to refuse"


@pytest.mark.parametrize(
    "option", ["dtype", "max-model-len", "gpu-memory-utilization", "max-num-seqs", "kv-cache-dtype"]
)
def test_what_can_not_be_read_is_left_to_vllm(on: Path, option: str) -> None:
    assert flags(vllm.command(QWEN, "m", SOCKET, None, {option: "nonsense"}).argv)[f"--{option}"] == "nonsense"


def test_less_memory_is_less_context(on: Path) -> None:
    assert told(gpu_memory_utilization="0.3")["--gpu-memory-utilization"] == "0.3"
    assert int(told(gpu_memory_utilization="0.17")["--max-model-len"]) < int(told()["--max-model-len"]) == 8192
    with pytest.raises(Unavailable, match=r"does not fit on the Tesla T4 here: the KV cache has room for 0 requests"):
        command(context=32768, gpu_memory_utilization="0.3")


def test_a_context_among_the_options_is_the_one_that_is_sized(on: Path) -> None:
    assert told(context=4096, max_model_len="2k", gpu_memory_utilization="0.2")["--max-model-len"] == "2k"
    with pytest.raises(Unavailable, match="was made for 40960 tokens"):
        command(context=4096, max_model_len="64K")


def test_many_requests_at_once_may_wait_and_take_room_for_choosing_words(on: Path) -> None:
    for at_once in ("256", "1000"):
        assert told(context=8192, max_num_seqs=at_once)["--max-num-seqs"] == at_once
    room = [vllm_options.wish({"max-num-seqs": number}, None) for number in ("1", "1000")]
    assert room[0].slots == 1
    with pytest.raises(Unavailable, match="choosing words for 4000 requests at once"):
        command(max_num_seqs="4000")


def test_the_dtype_that_was_written_decides_what_fits(on: Path) -> None:
    assert told("Qwen/Qwen3-4B", 4096)["--dtype"] == "float16"
    with pytest.raises(Unavailable, match="weights leave no memory"):
        command("Qwen/Qwen3-4B", 4096, dtype="float32")
    with pytest.raises(Unavailable, match=r"bfloat16 needs compute capability 8\.0"):
        command(dtype="bfloat16")


def test_graphs_are_counted_where_they_are_wanted(on: Path) -> None:
    assert "--enforce-eager" in command().argv
    assert "--enforce-eager" not in command(no_enforce_eager="").argv
    tight = {"gpu_memory_utilization": "0.17", "context": 4096}
    assert command(**tight)  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="KV cache"):
        command(no_enforce_eager="", **tight)  # type: ignore[arg-type]


def test_a_cache_of_a_size_that_was_written(on: Path) -> None:
    """112 KiB for each token: 4096 of them fill 448 MiB."""
    assert int(told(kv_cache_memory_bytes=str(448 * 2**20))["--max-model-len"]) == 4096
    with pytest.raises(Unavailable, match="room for 0 requests of 8192"):
        command(context=8192, kv_cache_memory_bytes=str(448 * 2**20))


def test_weights_that_are_quantised_while_they_are_loaded(on: Path, bin: Path) -> None:
    nvidia_smi(bin, A100.replace("81920", "24576"))
    with pytest.raises(Unavailable, match="does not fit"):
        command("Qwen/Qwen3-14B")
    assert told("Qwen/Qwen3-14B", quantization="fp8")["--quantization"] == "fp8"
    assert vllm_options.quantised(tiny.architecture(), {"quantization": "x"}).quantisation.method is Method.none


@pytest.mark.parametrize("option", ["cpu-offload-gb", "quantization", "hf-overrides"])
def test_what_may_make_it_fit_is_tried(on: Path, option: str) -> None:
    argv, _, (note,) = vllm.command("Qwen/Qwen3-32B", "m", SOCKET, None, {option: "40"})
    assert f"{option} can't be counted with (Tesla T4: the weights leave no memory" in note
    assert (flags(argv)["--dtype"], flags(argv)[f"--{option}"]) == ("float16", "40")


def test_an_fp8_cache_that_somebody_wrote_is_tried_on_an_older_gpu(on: Path, bin: Path) -> None:
    nvidia_smi(bin, A100)
    argv, _, (note,) = vllm.command(QWEN, "m", SOCKET, None, {"kv-cache-dtype": "fp8"})
    assert "fp8 KV cache needs compute capability 8.9" in note
    assert flags(argv)["--kv-cache-dtype"] == "fp8"
    with pytest.raises(Unavailable, match="the weights leave no memory"):
        vllm.command("Qwen/Qwen3-235B-A22B", "m", SOCKET, None, {"kv-cache-dtype": "fp8"})


def test_more_gpus_than_there_are(on: Path, bin: Path) -> None:
    with pytest.raises(
        Unavailable,
        match=r"^tensor-parallel-size=4 needs 4 GPUs, and 1 is to be had here \(Tesla T4\)\. Write fewer, or leave it",
    ):
        command(tensor_parallel_size="4")
    with pytest.raises(Unavailable, match="tensor-parallel-size=2 and pipeline-parallel-size=2 needs 4 GPUs"):
        command(tensor_parallel_size="2", pipeline_parallel_size="2")
    with pytest.raises(InvalidInput, match="'many' is no number of GPUs"):
        command(tensor_parallel_size="many")
    assert told(pipeline_parallel_size="4", distributed_executor_backend="ray"), "others may be on other machines"
    nvidia_smi(bin, T4, T4)
    assert told("Qwen/Qwen3-8B", tensor_parallel_size="2")["--tensor-parallel-size"] == "2"
    with pytest.raises(Unavailable, match=r"does not fit on the 2 x Tesla T4 here: "):
        command("Qwen/Qwen3-32B", tensor_parallel_size="2")


def test_several_gpus_of_one_kind_work_together(on: Path, bin: Path) -> None:
    cards = (f"{T4}, 14000, 0, [N/A]", f"{A100}, 70000, 1, [N/A]", f"{A100}, 80000, 2, [N/A]", f"{T4}, 15000, 3, [N/A]")
    nvidia_smi(bin, *cards)
    argv, variables, _ = command(tensor_parallel_size="2")
    assert (flags(argv)["--dtype"], variables["CUDA_VISIBLE_DEVICES"]) == ("bfloat16", "2,1")
    argv, variables, _ = command(tensor_parallel_size="4")
    assert flags(argv)["--dtype"] == "float16", "as the oldest can"
    assert "CUDA_VISIBLE_DEVICES" not in variables, "they are all taken"


def test_the_gpu_with_the_most_free_memory(on: Path, bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(bin, f"{V100}, 16000, 0, [N/A]", f"{T4}, 300, 1, [N/A]", f"{T4}, 200, 2, [N/A]")
    chosen = {name: value for name, value in command().variables.items() if name.startswith("CUDA")}
    assert chosen == {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    chosen = {name: value for name, value in command().variables.items() if name.startswith("CUDA")}
    assert chosen == {"CUDA_VISIBLE_DEVICES": "2"}, "of those that the user allows, numbered as the user does"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-5a1e")
    assert not [name for name in command().variables if name.startswith("CUDA")]


def test_a_larger_gpu_where_the_freest_does_not_carry_it(on: Path, bin: Path) -> None:
    nvidia_smi(bin, f"{T4}, 15000, 0, [N/A]", f"{A100}, 9000, 1, [N/A]")
    assert command("Qwen/Qwen3-14B").variables["CUDA_VISIBLE_DEVICES"] == "1"
    with pytest.raises(Unavailable, match=r"fits on no GPU here\. Tesla T4: the weights.*; NVIDIA A100-SXM4-80GB: the"):
        command("Qwen/Qwen3-235B-A22B")


def test_slices_never_work_together(on: Path, bin: Path) -> None:
    listed = (
        "GPU 0: NVIDIA A100-SXM4-80GB (UUID: G)\n  MIG 3g.40gb Device 0: (UUID: 1)\n  MIG 3g.40gb Device 1: (UUID: 2)"
    )
    program(bin / "nvidia-smi", f'[ "$1" = -L ] && echo "{listed}" || echo "{A100}, 80000, 0, Enabled"')
    assert "CUDA_VISIBLE_DEVICES" not in command().variables
    with pytest.raises(
        Unavailable, match=r"tensor-parallel-size=2 needs 2 GPUs, and slices of one \(.*3g\.40gb\) can't"
    ):
        command(tensor_parallel_size="2")


def test_a_model_that_sizing_does_not_know_is_vllm_s_to_judge(on: Path, bin: Path, tmp_path: Path) -> None:
    weights = config(tmp_path / "m", **HYBRID)
    argv, _, (note,) = command(weights, 4096, dtype="half")
    assert note.startswith("not sized: falcon_h1 models keep a state") and "write context_length" in note
    assert (flags(argv)["--dtype"], flags(argv)["--max-model-len"], flags(argv)["--max-num-seqs"]) == (
        "half",
        "4096",
        "16",
    )
    nvidia_smi(bin, A100)
    argv = command(weights).argv
    assert "--dtype" not in argv and "--max-model-len" not in argv


def test_and_on_cpus_its_cache_is_bounded(bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bin / "vllm", "exit 0")
    weights = config(tmp_path / "m", **HYBRID)
    for free, cache in ((64, "4"), (8, "2"), (2, "1")):
        monkeypatch.setattr(machine, "memory", lambda free=free: free * GIB)
        _, variables, (note,) = command(weights)
        assert variables["VLLM_CPU_KVCACHE_SPACE"] == cache
    assert "not sized" in note
    assert "VLLM_CPU_KVCACHE_SPACE" not in command(weights, kv_cache_memory_bytes="1G").variables


@pytest.mark.parametrize(
    "fields",
    [
        {"model_type": "brandnew"},
        {**HYBRID, "model_type": "openelm", "num_attention_heads": [12, 16]},
        {**HYBRID, "model_type": "llama", "num_key_value_heads": [4, 8]},
        {**HYBRID, "model_type": "llama", "quantization_config": {"quant_method": "newest"}},
        {**HYBRID, "model_type": "deepseek_v3", "kv_lora_rank": 512},
        {**HYBRID, "model_type": "gemma4", "global_head_dim": 512},
    ],
)
def test_it_is_said_in_the_log(
    on: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    monkeypatch.setattr(serve, "_FIRST_TO_GO", "0")
    monkeypatch.setattr("os.execve", lambda *_: (_ for _ in ()).throw(SystemExit(0)))
    argv = ["--runtime", "vllm", "--name", "m", "--weights", config(tmp_path / "m", **fields), "--folder", "/w"]
    with pytest.raises(SystemExit):
        serve.main([*argv, "--socket", str(tmp_path / "s")])
    lines = capfd.readouterr().out.splitlines()
    assert lines[-2].startswith("not sized: ") and " serve " in lines[-1]


@pytest.mark.parametrize("fields", [{**HYBRID, "num_hidden_layers": -1}, {**HYBRID, "is_encoder_decoder": True}])
def test_what_is_damaged_or_no_chat_model_is_not_tried(on: Path, tmp_path: Path, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        command(config(tmp_path / "m", **{**fields, "model_type": "llama"}))


def test_on_cpus_what_was_written_is_counted_with(bin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """4096 tokens of 112 KiB are 448 MiB; of float32 twice that."""
    program(bin / "vllm", "exit 0")
    monkeypatch.setattr(machine, "memory", lambda: 8 * GIB)
    assert told(context=4096, dtype="float32")["--max-num-seqs"] == "1"
    assert told(max_num_seqs="64", context=4096)["--max-num-seqs"] == "64"
    assert command(max_num_seqs="64", context=4096).variables["VLLM_CPU_KVCACHE_SPACE"] == "2"
    assert told(context=4096, max_model_len="2k")["--max-model-len"] == "2k"
    assert command(gpu_memory_utilization="0.7").variables.keys().isdisjoint({"VLLM_CPU_KVCACHE_SPACE"})
    assert told(kv_cache_memory_bytes=str(224 * 2**20))["--max-model-len"] == "2048"
    with pytest.raises(Unavailable, match=r"4096 tokens need a cache of 0\.4 GiB, and it is to have 0\.2"):
        command(context=4096, kv_cache_memory_bytes=str(224 * 2**20))
