"""Lines that servers were seen to end with, what is made of them, and that nothing else is."""

import pytest

from maas.models.troubles import STARTS, explain

NOT_GGUF, DAMAGED, UNKNOWN = "no GGUF file", "cut off or damaged", "does not know the model's architecture"
MEMORY, OPTIONS, CACHE = "not enough memory", "does not know one of the `options`", "no room for the KV cache"
TAKEN, BFLOAT, KERNELS, TRITON = "else uses the GPU's memory", "can't do bfloat16", "no kernels", "Triton's compiler"

LINES = [
    # llama.cpp
    ("gguf_init_from_file_ptr: invalid magic characters: 'junk', expected 'GGUF'", NOT_GGUF),
    ("gguf_init_from_reader: failed to read magic", NOT_GGUF),
    ("gguf_init_from_file: failed to open GGUF file '/m.gguf' (Permission denied)", "can't be opened"),
    ("gguf_init_from_reader: bad GGUF version: 0", NOT_GGUF),
    ("0.00.041.303 E llama_model_load: error loading model: tensor 'blk.16.ffn_down.weight' data is not within the"
     " file bounds, model is corrupted or incomplete", DAMAGED),
    ("gguf_init_from_reader: failed to read key-value pairs", DAMAGED),
    ("gguf_init_from_reader: failed to read tensor info", DAMAGED),
    ("gguf_init_from_reader: key 'general.basename' has invalid GGUF type 196196860", DAMAGED),
    ("gguf_init_from_reader: number of tensors is -1 but must be in [0, 9]", DAMAGED),
    ("llama_model_load: error loading model: unexpectedly reached end of file", DAMAGED),
    ("llama_model_load: error loading model: unknown model architecture: 'qwen9'", UNKNOWN),
    ("ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 241591910400", MEMORY),
    ("ggml_aligned_malloc: insufficient memory (attempted to allocate 230400.00 MB)", MEMORY),
    ("terminate called after throwing an instance of 'std::bad_alloc'", MEMORY),
    ("llama_model_load: error loading model: mmap failed: Cannot allocate memory", MEMORY),
    ("there is not enough memory: m.gguf with 1 x 10 tokens of context needs 9.0 GiB, and 1.0 GiB can be had", MEMORY),
    ("error: invalid argument: --frobnicate", OPTIONS),
    ('error while handling argument "--threads": stoi', OPTIONS),
    ("llama-server: error while loading shared libraries: libllama.so.0: cannot open shared object file: No such file"
     " or directory", "not complete"),
    # vLLM
    ("vllm: error: unrecognized arguments: --uds /run/m.sock", "too old to listen"),
    ("vllm: error: unrecognized arguments: --frobnicate 3", OPTIONS),
    ("vllm serve: error: argument --gpu-memory-utilization/--device-memory-utilization: invalid float value: 'abc'",
     OPTIONS),
    ("ValueError: The model's max seq len (4096) is larger than the maximum number of tokens that can be stored in KV"
     " cache (3664). Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing.", CACHE),
    ("ValueError: To serve at least one request with the models's max seq len (40960), (4.38 GiB KV cache is needed,"
     " which is larger than the available KV cache memory (1.0 GiB). Based on the available memory, the estimated"
     " maximum model length is 9344.", CACHE),
    ("ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`", CACHE),
    ("ValueError: Free memory on device (2.5/14.58 GiB) on startup is less than desired GPU memory utilization (0.9,"
     " 13.12 GiB).", TAKEN),
    ("(VllmWorker-0 pid=11430) ERROR ValueError: Available memory on node 0 (20.71/23.54 GiB) on startup is less than"
     " desired CPU memory utilization (0.92, 21.66 GiB).", MEMORY),
    ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 594.00 MiB.", TAKEN),
    ("ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has"
     " compute capability 7.5.", BFLOAT),
    ("RuntimeError: CUDA error: no kernel image is available for execution on the device", KERNELS),
    ("LLVM ERROR: Unsupported rounding mode for conversion.", TRITON),
    ("error: mma -> mma layout conversion is only supported on Ampere", TRITON),
    ("RuntimeError: PassManager::run failed", TRITON),
    ("Unsupported conversion from f16 to f16", TRITON),
    ("ValueError: Model architectures ['Qwen3ForCausalLM'] are not supported for now.", "too old for the model"),
    ("ValueError: VLLM_PORT 'tcp://10.0.0.1:8000' appears to be a URI.", "VLLM_PORT"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "cause"), LINES)
def test_a_line_has_one_cause(line: str, cause: str) -> None:
    told = explain(["something before", line, "main: exiting due to model loading error"], "exit 1")
    assert told is not None
    assert cause in told.cause
    assert told.remedy and str(told).endswith(told.remedy)


@pytest.mark.parametrize(
    "line",
    [
        "llama_model_loader: loaded meta data with 33 key-value pairs and 272 tensors from /m.gguf (version GGUF V3)",
        "llama_model_loader: - kv   0:                       general.architecture str              = llama",
        "print_info: file type   = Q4_1",
        "main: server is listening on /run/m.sock",
        "srv  log_server_r: request: POST /v1/chat/completions  200",
        "INFO 11-23 15:00:00 [gpu_worker.py:276] Available KV cache memory: 10.63 GiB",
        "",
    ],
)
def test_what_means_nothing(line: str) -> None:
    assert explain([line], "exit 1") is None


def test_the_newest_decides() -> None:
    told = explain([LINES[0][0], "E llama_model_load: unknown model architecture: 'qwen9'"], "exit 1")
    assert told is not None and UNKNOWN in told.cause


def test_a_former_life_does_not_count() -> None:
    """The file was damaged, it was brought again, and now the process was killed."""
    told = explain([LINES[0][0], STARTS, "main: server is listening"], "signal 9")
    assert told is not None and "killed" in told.cause
    assert explain([LINES[0][0], STARTS], "exit 1") is None


@pytest.mark.parametrize(
    ("last_exit", "cause"),
    [
        ("signal 9, out of memory", "The kernel killed it"),
        ("signal 9", "out of memory"),
        ("signal 7", "became shorter while it was read"),
        ("signal 4", "another processor"),
        ("exit 1", None),
        (None, None),
    ],
)
def test_how_it_ended_where_it_said_nothing(last_exit: str | None, cause: str | None) -> None:
    told = explain([], last_exit)
    assert (told is None) if cause is None else (told is not None and cause in told.cause)


def test_what_the_kernel_says_comes_first() -> None:
    told = explain(["llama_kv_cache: failed to allocate a thing, going on without"], "signal 9, out of memory")
    assert told is not None and "The kernel killed it" in told.cause and told.lacks_room


def test_who_was_killed_by_hand_is_not_told_to_save_memory_first() -> None:
    told = explain([], "signal 9")
    assert told is not None and "by somebody" in told.cause and told.remedy.startswith("If nobody did: ")


def test_the_line_that_tells_is_kept() -> None:
    told = explain(["before", LINES[0][0], "after"], "exit 1")
    assert told is not None and told.said == LINES[0][0]
