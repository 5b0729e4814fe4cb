"""A language model that vLLM can load and that needs no download: a few small layers, each byte a token, no weights.

vLLM makes the weights up (--load-format dummy), so it answers with nonsense, and everything around that is real.
"""

import json
from pathlib import Path
from typing import Any

from maas.models.sizing import config
from maas.models.sizing.architecture import Architecture

_VOCABULARY = 2048
_CONFIG: dict[str, Any] = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "vocab_size": _VOCABULARY,
    "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-6,
    "rope_theta": 1000000.0,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
    "hidden_act": "silu",
    "bos_token_id": 0,
    "eos_token_id": 1,
}
_TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"


def model(folder: Path) -> Path:
    folder.mkdir()
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    tokenizer = {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": _TEMPLATE, **special}
    files = {"config": _CONFIG, "tokenizer": _tokenizer(), "tokenizer_config": tokenizer}
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def architecture() -> Architecture:
    return config.from_config(_CONFIG, "tiny")


def _tokenizer() -> dict[str, Any]:
    """Bytes are written as GPT-2's tokenizer writes them: those that can't be printed as letters from 256 on."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [*map(chr, printed), *(chr(256 + count) for count in range(256 - len(printed)))]
    words = ["<s>", "</s>", "<unk>", *letters]
    words += [f"<x{count}>" for count in range(_VOCABULARY - len(words))]
    bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    vocabulary = {word: number for number, word in enumerate(words)}
    return {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": bytes_,
        "decoder": bytes_,
        "model": {"type": "BPE", "unk_token": "<unk>", "vocab": vocabulary, "merges": []},
    }
