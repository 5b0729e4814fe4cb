"""YAML means what it means to kubectl."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from maas.cluster.facts.snapshot_yaml import Unreadable, documents
from tests.kubernetes import shared

_SCALARS = {
    "": None, "~": None, "null": None, "true": True, "False": False, "yes": True, "off": False, "y": "y",
    "n": "n",
    "0": 0, "-12": -12, "+3": 3, "0x1F": 31, "0755": 493, "0o17": 15, "0b11": 3, "1.5": 1.5, "1e3": 1000.0, ".5": 0.5,
    "1.": 1.0, "1_000": 1000, "12:30": "12:30", "2026-08-20T10:00:00Z": "2026-08-20T10:00:00Z",
    "2026-08-20": "2026-08-20",
    "08": 8.0, "1.2.3": "1.2.3", "v1": "v1", "0x": "0x", "-": None, "100m": "100m", "1e": "1e",
    "9" * 500: "9" * 500, "=": "=",
}  # fmt: skip


@pytest.mark.parametrize(("written", "meant"), _SCALARS.items())
def test_scalars(written: str, meant: Any) -> None:
    """A timestamp is a string, 1e3 a number, 12:30 not 750: as sigs.k8s.io/yaml has it and PyYAML does not."""
    (found,) = documents(f"a: {written}\n") if written != "-" else documents("a:\n")
    assert found == {"a": meant}
    assert type(found["a"]) is type(meant)


@pytest.mark.parametrize("quoted", ["'12'", '"12"', "!!str 12"])
def test_what_is_quoted_is_a_string(quoted: str) -> None:
    assert list(documents(f"a: {quoted}\n")) == [{"a": "12"}]


def test_keys_are_strings() -> None:
    assert list(documents("1: a\ntrue: b\n~: c\n? d\n: e\n")) == [{"1": "a", "true": "b", "~": "c", "d": "e"}]


def test_block_scalars_and_folds() -> None:
    assert list(documents("a: |\n  x\n   y\nb: >-\n  x\n  y\nc: 'it''s\n  long'\nd: \"\\u00fc\"\n")) == [
        {"a": "x\n y\n", "b": "x y", "c": "it's long", "d": "ü"}
    ]


def test_documents_come_one_by_one() -> None:
    found = documents("a: 1\n---\n- 2\n---\n---\n5\n...\n---\nb: [\n")
    assert [next(found) for _ in range(4)] == [{"a": 1}, [2], None, 5]
    with pytest.raises(Unreadable):
        next(found)


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x\n", "a: &x {b: *x}\n", "<<: *x\n", "- &x [1]\n"])
def test_anchors_are_refused(text: str) -> None:
    with pytest.raises(Unreadable, match="anchors"):
        list(documents(text))


_TEXTS = st.text(st.characters(exclude_characters="\x85\u2028\u2029", codec="utf-8"))  # libyaml's line breaks
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(document=_JSON)
def test_what_pyyaml_writes_is_what_is_read(document: Any) -> None:
    (found,) = documents(yaml.safe_dump(document, allow_unicode=True, default_style=None))
    assert found == document


def test_the_schemas_of_the_platform_are_read_as_pyyaml_reads_them() -> None:
    """Megabytes of real YAML, other than in what Kubernetes reads differently."""
    for crd in shared.crds()[::9]:
        text = crd.path.read_text()
        assert list(documents(text)) == list(yaml.load_all(text, Loader=yaml.CBaseLoader)) or _agree(
            list(documents(text)), list(yaml.load_all(text, Loader=yaml.CSafeLoader))
        )


def _agree(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict):
        return list(ours) == [str(key) for key in theirs] and all(map(_agree, ours.values(), theirs.values()))
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(_agree, ours, theirs))
    return bool(ours == theirs or isinstance(ours, str))
