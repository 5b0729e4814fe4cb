"""The head of a GGUF file: llama.cpp's format says of itself what config.json says elsewhere.

Layout (ggml's docs/gguf.md): magic, version, number of tensors and of key/value pairs, the pairs, then of each tensor
its name, shape, type and place. Of arrays only the length is read: the list of all words is the largest part by far.
"""

import struct
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from maas.domain.errors import InvalidInput
from maas.models.sizing.architecture import Architecture, Attention, Method, Quantisation

_MAGIC = b"GGUF"
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST = 100_000  # fields, and tensors
_LONGEST_TEXT = 2**24


def read(path: Path) -> Architecture:
    """Raises InvalidInput."""
    try:
        with path.open("rb") as file:
            pairs, parameters = _head(file)
        size = path.stat().st_size
    except (OSError, struct.error, OverflowError, ValueError) as error:
        raise InvalidInput(f"{path} can't be read as GGUF: {error or 'it ends too early'}") from error
    return _architecture(pairs, str(path), size, parameters)


def _head(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """The pairs, and how many parameters all tensors have together."""
    if file.read(4) != _MAGIC:
        raise ValueError("it does not begin as such a file does")
    _version, tensors, count = struct.unpack("<IQQ", _exactly(file, 20))
    if max(count, tensors) > _MOST:
        raise ValueError(f"it claims to have {count} fields and {tensors} tensors")
    pairs = {_text(file): _value(file, _number(file, "I")) for _ in range(count)}
    return pairs, sum(_parameters(file) for _ in range(tensors))


def _parameters(file: BinaryIO) -> int:
    _text(file)  # the name
    shape = [int(_number(file, "Q")) for _ in range(_number(file, "I"))]
    _exactly(file, 12)  # type and place
    return prod(shape)


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


def _architecture(pairs: Mapping[str, Any], name: str, size: int, parameters: int) -> Architecture:
    family = str(pairs.get("general.architecture", ""))

    def field(key: str, otherwise: int | None = None) -> int:
        value = pairs.get(f"{family}.{key}", otherwise)
        if not isinstance(value, int) or value <= 0:
            raise InvalidInput(f"the GGUF file {name} has no usable {family}.{key}")
        return value

    layers, hidden, heads = field("block_count"), field("embedding_length"), field("attention.head_count")
    head_dim = field("attention.key_length", hidden // heads)
    attention = Attention(layers, field("attention.head_count_kv", heads), head_dim)
    return Architecture(
        name=name,
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
        quantisation=Quantisation(Method.gguf, 8.0 * size / max(1, parameters)),
        weights_bytes=size,
    )
