"""Small GGUF files, written as ggml's docs/gguf.md says; only their heads are real."""

import struct
from collections.abc import Mapping
from pathlib import Path

Value = int | str | list[int]

SMOL: Mapping[str, Value] = {
    "general.architecture": "llama",
    "general.name": "Smol",
    "llama.block_count": 30,
    "llama.embedding_length": 576,
    "llama.attention.head_count": 9,
    "llama.attention.head_count_kv": 3,
    "llama.feed_forward_length": 1536,
    "llama.context_length": 2048,
}


def write(
    path: Path, pairs: Mapping[str, Value], *, order: str = "<", version: int = 3, shape: tuple[int, ...] = (576, 1000)
) -> None:
    def pack(form: str, *values: float) -> bytes:
        return struct.pack(order + form, *values)

    def text(value: str) -> bytes:
        return pack("Q", len(value)) + value.encode()

    def value(of: Value) -> bytes:
        if isinstance(of, list):
            return pack("IIQ", 9, 5, len(of)) + b"".join(pack("i", each) for each in of)
        return pack("II", 4, of) if isinstance(of, int) else pack("I", 8) + text(of)

    words = text("tokenizer.ggml.tokens") + pack("IIQ", 9, 8, 3) + text("a") + text("b") + text("c")
    scores = text("tokenizer.ggml.scores") + pack("IIQ", 9, 6, 3) + pack("fff", 1, 2, 3)
    body = words + scores + b"".join(text(key) + value(of) for key, of in pairs.items())
    sides = b"".join(pack("Q", side) for side in shape)
    tensor = text("token_embd.weight") + pack("I", len(shape)) + sides + pack("IQ", 8, 0)
    path.write_bytes(b"GGUF" + pack("IQQ", version, 1, len(pairs) + 2) + body + tensor + b"\0" * 1000)
