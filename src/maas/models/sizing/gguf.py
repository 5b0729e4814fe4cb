"""The head of a GGUF file: llama.cpp's format says of itself what config.json says elsewhere.

Layout (ggml's docs/gguf.md): magic, version, number of tensors and of key/value pairs, the pairs, then of each tensor
its name, shape, type and place. Of arrays only the short ones of whole numbers are read, of others the length: the
list of all words is the largest part by far. A model may be split into several files, each with a head of its own.
"""

import re
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from maas.domain.errors import InvalidInput
from maas.models.sizing.architecture import Architecture, Attention, Method, Quantisation

_MAGIC = b"GGUF"
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_WHOLE = frozenset("BbHhIiQq")
_MOST = 100_000  # fields, and tensors
_MOST_LAYERS = 10_000
_MOST_DIMENSIONS = 4
_MOST_OF_ANYTHING = 2**31
_MOST_FILES = 1000
_LONGEST_TEXT = 2**24


def read(path: Path) -> Architecture:
    """Raises InvalidInput."""
    pairs, parameters = _opened(path)
    files = _parts(path, pairs)
    parameters += sum(_opened(file)[1] for file in files if file != path)
    return _architecture(pairs, str(path), sum(file.stat().st_size for file in files), parameters)


def _opened(path: Path) -> tuple[dict[str, Any], int]:
    if not path.is_file():
        raise InvalidInput(f"{path} is no file")
    try:
        with path.open("rb") as file:
            return _head(file)
    except (OSError, struct.error, OverflowError, ValueError) as error:
        raise InvalidInput(f"{path} can't be read as GGUF: {error or 'it ends too early'}") from error


def _parts(path: Path, pairs: Mapping[str, Any]) -> list[Path]:
    """All files of the model: llama.cpp names them model-00001-of-00003.gguf, and wants the first."""
    count = pairs.get("split.count", 1)
    named = re.fullmatch(r"(.*-)(\d{5})-of-(\d{5})\.gguf", path.name)
    if not isinstance(count, int) or not 1 < count <= _MOST_FILES or named is None:
        return [path]
    if int(named[2]) != 1:
        raise InvalidInput(f"{path} is a later part of a model: give the first, {named[1]}00001-of-{named[3]}.gguf")
    parts = [path.with_name(f"{named[1]}{number:05}-of-{count:05}.gguf") for number in range(1, count + 1)]
    if missing := next((part for part in parts if not part.is_file()), None):
        raise InvalidInput(f"{path} is one of {count} files, and {missing.name} is not beside it")
    return parts


def _head(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """The pairs, and how many parameters all tensors have together."""
    if file.read(4) != _MAGIC:
        raise ValueError("it does not begin as such a file does")
    version, tensors, count = struct.unpack("<IQQ", _exactly(file, 20))
    if version >= 2**16:
        raise ValueError("it is a big-endian file: take the usual one, which is little-endian")
    if version < 2:
        raise ValueError(f"it is of version {version}, which llama.cpp reads no more: take a newer file")
    if max(count, tensors) > _MOST:
        raise ValueError(f"it claims to have {count} fields and {tensors} tensors")
    pairs = {_text(file): _value(file, _number(file, "I")) for _ in range(count)}
    return pairs, sum(_parameters(file) for _ in range(tensors))


def _parameters(file: BinaryIO) -> int:
    _text(file)  # the name
    dimensions = _number(file, "I")
    if dimensions > _MOST_DIMENSIONS:
        raise ValueError(f"it claims to hold a tensor of {dimensions} dimensions")
    shape = [int(_number(file, "Q")) for _ in range(dimensions)]
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


def _array(file: BinaryIO) -> int | list[int]:
    """Of texts, how many; whole numbers, where there are as few as layers; other numbers are passed over."""
    kind, length = _number(file, "I"), _number(file, "Q")
    if kind == _STRING:
        for _ in range(length):
            file.seek(_number(file, "Q"), 1)
        return int(length)
    if kind not in _NUMBERS:
        raise ValueError(f"it holds an array of an unknown type, {kind}")
    if _NUMBERS[kind] in _WHOLE and length <= _MOST_LAYERS:
        return [int(_number(file, _NUMBERS[kind])) for _ in range(length)]
    file.seek(length * struct.calcsize(_NUMBERS[kind]), 1)
    return []


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


@dataclass(frozen=True)
class _Fields:
    """Of the model's own kind: "llama.block_count"."""

    pairs: Mapping[str, Any]
    family: str
    name: str

    def number(self, key: str, otherwise: int | None = None) -> int:
        """Where each layer has its own, that of the largest."""
        value = self.pairs.get(f"{self.family}.{key}", otherwise)
        value = max(value, default=0) if isinstance(value, list) else value
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MOST_OF_ANYTHING:
            raise InvalidInput(f"the GGUF file {self.name} has no usable {self.family}.{key}")
        return value

    def of_layers(self, key: str, layers: int, otherwise: int) -> list[int]:
        value = self.pairs.get(f"{self.family}.{key}")
        if not isinstance(value, list):
            return [self.number(key, otherwise)] * layers
        if len(value) < layers or min(value) < 0 or max(value) > _MOST_OF_ANYTHING:
            raise InvalidInput(f"the GGUF file {self.name} has no usable {self.family}.{key}: one for each layer")
        return value[:layers]


def _attention(fields: _Fields, layers: int, heads: int, head_dim: int) -> tuple[Attention, ...]:
    """Layers without heads keep no cache: a convolution or a state, which is small."""
    if "attention.key_length_mla" in (key.partition(".")[2] for key in fields.pairs):
        return (Attention(layers, 1, fields.number("attention.key_length"), latent=True),)
    counts = Counter(fields.of_layers("attention.head_count_kv", layers, heads))
    return tuple(Attention(number, kv_heads, head_dim) for kv_heads, number in counts.items() if kv_heads)


def _architecture(pairs: Mapping[str, Any], name: str, size: int, parameters: int) -> Architecture:
    family = str(pairs.get("general.architecture", ""))
    fields = _Fields(pairs, family, name)
    layers, hidden = fields.number("block_count"), fields.number("embedding_length")
    if layers > _MOST_LAYERS:
        raise InvalidInput(f"the GGUF file {name} claims to have {layers} layers")
    heads = fields.number("attention.head_count")
    head_dim = fields.number("attention.key_length", hidden // heads)
    return Architecture(
        name=name,
        family=family,
        layers=layers,
        hidden=hidden,
        heads=heads,
        vocabulary=_vocabulary(fields),
        width=fields.number("feed_forward_length", 4 * hidden),
        attention=_attention(fields, layers, heads, head_dim),
        parameters=parameters,
        plain_parameters=0,
        active_parameters=parameters,
        max_context=fields.number("context_length"),
        quantisation=Quantisation(Method.gguf, 8.0 * size / max(1, parameters)),
        weights_bytes=size,
    )


def _vocabulary(fields: _Fields) -> int:
    words = fields.pairs.get("tokenizer.ggml.tokens")
    return words if isinstance(words, int) and 0 < words <= _MOST_OF_ANYTHING else fields.number("vocab_size", 32_000)
