"""What the head of a GGUF file says of a model, and what it can't be made to say."""

from pathlib import Path

import pytest

from maas.domain.errors import InvalidInput
from maas.models.sizing import gguf
from tests.sizing.gguf_files import SMOL, Value, write

HEADS = "llama.attention.head_count_kv"


def test_each_layer_has_its_own_heads(tmp_path: Path) -> None:
    """Layers without any keep no cache: OpenELM's heads differ, and those of hybrids are 0 where a state is kept."""
    file = tmp_path / "own.gguf"
    write(file, {**SMOL, HEADS: [3] * 10 + [0] * 15 + [1] * 5})
    model = gguf.read(file)
    assert [(each.layers, each.kv_heads) for each in model.attention] == [(10, 3), (5, 1)]
    assert model.kv_bytes_per_token() == (10 * 3 + 5 * 1) * 2 * 64 * 2


def test_query_heads_may_differ_as_well(tmp_path: Path) -> None:
    file = tmp_path / "own.gguf"
    heads: dict[str, Value] = {"llama.attention.head_count": [9] * 15 + [6] * 15, "llama.attention.key_length": 64}
    write(file, {**SMOL, **heads, "llama.feed_forward_length": [100, 1536] * 15})
    model = gguf.read(file)
    assert (model.heads, model.width) == (9, 1536)


def test_a_latent_cache_has_no_values(tmp_path: Path) -> None:
    """DeepSeek: llama.cpp keeps one compressed key of 512 + 64 numbers for each token and layer."""
    file = tmp_path / "mla.gguf"
    write(
        file,
        {
            "general.architecture": "deepseek2",
            "deepseek2.block_count": 27,
            "deepseek2.embedding_length": 2048,
            "deepseek2.attention.head_count": 16,
            "deepseek2.attention.head_count_kv": 1,
            "deepseek2.attention.key_length": 576,
            "deepseek2.attention.key_length_mla": 192,
            "deepseek2.attention.kv_lora_rank": 512,
            "deepseek2.feed_forward_length": 10944,
            "deepseek2.context_length": 163840,
        },
    )
    assert gguf.read(file).kv_bytes_per_token() == 27 * 576 * 2


def test_a_model_in_several_files(tmp_path: Path) -> None:
    first, second = (tmp_path / f"smol-0000{number}-of-00002.gguf" for number in (1, 2))
    write(first, {**SMOL, "split.count": 2, "split.no": 0})
    with pytest.raises(InvalidInput, match=r"is one of 2 files, and smol-00002-of-00002\.gguf is not beside it"):
        gguf.read(first)
    write(second, {"split.count": 2, "split.no": 1})
    model = gguf.read(first)
    assert model.weights_bytes == first.stat().st_size + second.stat().st_size
    assert model.parameters == 2 * 576_000
    with pytest.raises(InvalidInput, match=r"give the first, smol-00001-of-00002\.gguf"):
        gguf.read(second)


def test_a_file_for_other_machines(tmp_path: Path) -> None:
    file = tmp_path / "big.gguf"
    write(file, SMOL, order=">")
    with pytest.raises(InvalidInput, match="it is a big-endian file"):
        gguf.read(file)
    write(file, SMOL, version=1)
    with pytest.raises(InvalidInput, match="of version 1, which llama"):
        gguf.read(file)


def test_a_tensor_of_many_dimensions(tmp_path: Path) -> None:
    """Its size would be a number that nothing can hold."""
    file = tmp_path / "wide.gguf"
    write(file, SMOL, shape=(2**63,) * 200)
    with pytest.raises(InvalidInput, match="a tensor of 200 dimensions"):
        gguf.read(file)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (HEADS, [3] * 29),
        (HEADS, [3] * 29 + [-1]),
        (HEADS, []),
        (HEADS, [3] * 10_001),
        ("llama.attention.head_count", [0] * 30),
        ("llama.block_count", 0),
        ("llama.block_count", "many"),
        ("llama.context_length", 2**31 + 1),
    ],
)
def test_a_field_that_cannot_be_is_named(tmp_path: Path, field: str, value: Value) -> None:
    file = tmp_path / "odd.gguf"
    write(file, {**SMOL, field: value})
    with pytest.raises(InvalidInput, match=f"has no usable {field}"):
        gguf.read(file)


def test_more_layers_than_any_model_has(tmp_path: Path) -> None:
    file = tmp_path / "deep.gguf"
    write(file, {**SMOL, "llama.block_count": 1_000_000})
    with pytest.raises(InvalidInput, match="claims to have 1000000 layers"):
        gguf.read(file)
