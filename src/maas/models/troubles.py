"""Why a model's server does not start: what its last lines mean, and what to do about it.

Each entry is a line that a server was seen to end with. What is not known is told as it was said.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Trouble:
    """said: the line that tells; "" where none does."""

    cause: str
    remedy: str
    said: str = field(default="", compare=False)

    @property
    def lacks_room(self) -> bool:
        """Whether it might start if another made room for it."""
        return self.cause in (NO_ROOM, GPU_TAKEN, NO_MEMORY, KILLED, OUT_OF_MEMORY)

    def __str__(self) -> str:
        return f"{self.cause}. {self.remedy}"


STARTS = "maas: the model's server starts"  # a line of its log: what is above is of a former life
NO_ROOM = "The GPU has no room for the KV cache of that context"
NO_MEMORY = "There is not enough memory for the weights and the cache"
OUT_OF_MEMORY = "The kernel killed it: the machine, or the container it is in, had run out of memory"
KILLED = "It was killed (signal 9): by somebody, or by what watches lest the machine run out of memory"
GPU_TAKEN = "Something else uses the GPU's memory, or the model is too large for it"
TOO_OLD = "This vLLM is too old for the model"
OPTION = "The server does not know one of the `options`, or not its value"
NOT_GIVEN = "Hugging Face does not give the model: it is gated or private, or has another name"
OUT_OF_REACH = "Hugging Face is out of reach"
_SMALLER = "Take a smaller file (Q4_K_M, not Q8_0), a lower context_length or fewer `parallel`; `maas size` counts"
_KNOWN: tuple[tuple[str, str, str], ...] = (
    # llama.cpp
    (
        r"invalid magic|failed to read magic|bad GGUF version|Is a directory",
        "The file is no GGUF file",
        "Name a .gguf file in `weights`; `maas models pull` brings one",
    ),
    (
        r"failed to open GGUF file",
        "The file of the weights can't be opened",
        "See that it is there, and that whoever runs the platform may read it",
    ),
    (
        r"data is not within the file bounds|file is corrupted or incomplete|unexpectedly reached end of file"
        r"|gguf_init\w*: (failed to read|encountered|key|tensor|number of|string length)|exceeds remaining file size"
        r"|corrupted model|tensor '.*' has invalid data",
        "The file of the weights is cut off or damaged",
        "Delete it and bring it again: `maas models pull`",
    ),
    (
        r"unknown model architecture",
        "This llama.cpp does not know the model's architecture",
        "A newer llama.cpp may: ./install.sh --cpu, after an upgrade of MaaS",
    ),
    (
        r"unable to allocate|failed to allocate|bad_alloc|cannot allocate memory|mmap failed|insufficient memory"
        r"|^there is not enough memory|Available memory on node .* is less than",
        NO_MEMORY,
        _SMALLER,
    ),
    (
        r"unrecognized arguments:.*--uds",
        "This vLLM is too old to listen on a unix socket",
        "Use a newer one; or run this one by itself, and add it as an external model",
    ),
    (
        r"error: invalid argument|unrecognized arguments|error while handling argument|error: argument -",
        OPTION,
        "Correct it",
    ),
    (
        r"llama-server: error while loading shared libraries",
        "llama-server is not complete: its libraries are not beside it",
        "Delete .venv/.maas-cpu-stamp and run ./install.sh --cpu again",
    ),
    # vLLM
    (
        r"No available memory for the cache blocks|larger than the available KV cache memory"
        r"|larger than the maximum number of tokens",
        NO_ROOM,
        "Lower context_length, or raise gpu-memory-utilization in `options`; `maas size` counts",
    ),
    (
        r"Free memory on device .* is less than desired|CUDA out of memory",
        GPU_TAKEN,
        "Stop the other process (nvidia-smi shows it), or lower gpu-memory-utilization in `options`",
    ),
    (
        r"Bfloat16 is only supported on GPUs with compute capability",
        "The GPU can't do bfloat16",
        "Write dtype: float16 into `options`",
    ),
    (
        r"no kernel image is available",
        "This vLLM holds no kernels for the GPU",
        "On a V100 only vLLM 0.8.5 and older work: run it by itself, and add it as an external model",
    ),
    (
        r"Unsupported rounding mode|mma -> mma layout|PassManager::run failed|Unsupported conversion from f16",
        "Triton's compiler fails on this GPU",
        "On a T4, use vLLM 0.10.2 or newer, with dtype: float16 and enforce-eager in `options`",
    ),
    (
        r"Model architectures .* are not supported",
        TOO_OLD,
        "Qwen3 needs vLLM 0.8.4 or newer",
    ),
    (
        r"GatedRepoError|RepositoryNotFoundError|Cannot access gated repo|Invalid (username or password|user token)"
        r"|(401|403) Client Error.*huggingface\.co|gated repo on huggingface",
        NOT_GIVEN,
        "Accept its licence at huggingface.co, and set HF_TOKEN",
    ),
    (
        r"huggingface\.co.*(Max retries exceeded|Name or service not known|timed out|Connection refused)"
        r"|(Max retries exceeded|Failed to resolve|Couldn't connect to|couldn't connect to).*huggingface\.co",
        OUT_OF_REACH,
        "Open the way to it, or fetch the model beforehand: `maas models pull`",
    ),
    (
        r"VLLM_PORT .* appears to be a URI",
        "The variable VLLM_PORT holds an address: Kubernetes sets it where a Service is called vllm",
        "Unset it, or rename the Service",
    ),
)


def explain(lines: Sequence[str], last_exit: str | None) -> Trouble | None:
    """The newest line that is known decides; before it, what the kernel says."""
    if last_exit == "signal 9, out of memory":
        return Trouble(OUT_OF_MEMORY, _SMALLER)
    for line in reversed(lines):
        if line == STARTS:
            break
        for pattern, cause, remedy in _KNOWN:
            if re.search(pattern, line, re.IGNORECASE):
                return Trouble(cause, remedy, line)
    if last_exit == "signal 9":
        return Trouble(KILLED, f"If nobody did: {_SMALLER[0].lower()}{_SMALLER[1:]}")
    if last_exit == "signal 7":
        return Trouble(
            "The file of its weights became shorter while it was read, or the disk failed (bus error)",
            "Replace such a file by renaming a complete one over it; `dmesg` tells of a disk",
        )
    if last_exit == "signal 4":
        return Trouble(
            "It was built for another processor (illegal instruction)",
            "Build it here: ./install.sh --cpu, in a new .venv",
        )
    return None
