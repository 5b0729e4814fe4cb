"""The head of a GGUF file: llama.cpp's format says of itself what config.json says elsewhere.

Layout (ggml's docs/gguf.md): magic, version, number of tensors and of key/value pairs, then the pairs. Only the pairs
are read, and of arrays only the length: the list of all words would be the largest part by far.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from maas.domain.errors import InvalidInput
from maas.models.sizing.architecture import Architecture, Attention, Method, Quantisation

_MAGIC = b"GGUF"
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_PAIRS = 10_000
_LONGEST_TEXT = 2**24


def read(path: Path) -> Architecture:
    """Raises InvalidInput."""
    try:
        with path.open("rb") as file:
            pairs = _pairs(file)
        size = path.stat().st_size
    except (OSError, struct.error, UnicodeDecodeError, ValueError) as error:
        raise InvalidInput(f"{path} can't be read as GGUF: {error or 'it ends too early'}") from error
    return _architecture(pairs, path.stem, size)


def _pairs(file: BinaryIO) -> dict[str, Any]:
    if file.read(4) != _MAGIC:
        raise ValueError("it does not begin as such a file does")
    _version, _tensors, count = struct.unpack("<IQQ", _exactly(file, 20))
    if count > _MOST_PAIRS:
        raise ValueError(f"it claims to have {count} fields")
    return {_text(file): _value(file, _number(file, "I")) for _ in range(count)}


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        return _array(file)
    if kind not in _NUMBERS:
        raise ValueError(f"it holds a value of an unknown type, {kind}")
    return _number(file, _NUMBERS[kind])


def _array(file: BinaryIO) -> int:
    """Its length; the items are passed over."""
    kind, length = _number(file, "I"), _number(file, "Q")
    if kind == _STRING:
        for _ in range(length):
            file.seek(_number(file, "Q"), 1)
    elif kind in _NUMBERS:
        file.seek(length * struct.calcsize(_NUMBERS[kind]), 1)
    else:
        raise ValueError(f"it holds an array of an unknown type, {kind}")
    return int(length)


def _text(file: BinaryIO) -> str:
    length = _number(file, "Q")
    if length > _LONGEST_TEXT:
        raise ValueError(f"it claims to hold a text of {length} bytes")
    return _exactly(file, length).decode()


def _number(file: BinaryIO, form: str) -> Any:
    return struct.unpack(f"<{form}", _exactly(file, struct.calcsize(form)))[0]


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise ValueError("it ends too early: was it downloaded as a whole?")
    return data


def _architecture(pairs: Mapping[str, Any], name: str, size: int) -> Architecture:
    family = str(pairs.get("general.architecture", ""))

    def field(key: str, otherwise: int | None = None) -> int:
        value = pairs.get(f"{family}.{key}", otherwise)
        if not isinstance(value, int) or value <= 0:
            raise InvalidInput(f"the GGUF file {name} has no usable {family}.{key}")
        return value

    layers, hidden, heads = field("block_count"), field("embedding_length"), field("attention.head_count")
    head_dim = field("attention.key_length", hidden // heads)
    attention = Attention(layers, field("attention.head_count_kv", heads), head_dim)
    parameters = int(pairs.get("general.parameter_count") or size)
    return Architecture(
        name=str(pairs.get("general.name") or name),
        family=family,
        layers=layers,
        hidden=hidden,
        heads=heads,
        vocabulary=int(pairs.get("tokenizer.ggml.tokens") or field("vocab_size", 32_000)),
        width=field("feed_forward_length", 4 * hidden),
        attention=(attention,),
        parameters=parameters,
        plain_parameters=0,
        active_parameters=parameters,
        max_context=field("context_length"),
        quantisation=Quantisation(Method.gguf, 8.0 * size / parameters),
        weights_bytes=size,
    )
