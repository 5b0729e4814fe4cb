"""Lists that are long are read in pieces, and mean what they mean as a whole."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.cluster.facts import snapshot, snapshot_chunks
from maas.cluster.kinds import POD
from maas.cluster.objects import name
from tests.kubernetes.snapshots import trees

_TEXTS = st.text("ab \n-:#{}[]'\"|>&*%@`\\0é", max_size=30) | st.sampled_from(
    ["items:\n- a", "- x\n- y\n", "kind: List\n", "---\n", "\n- apiVersion: v1\n", "        }\n    ]", "}\n        {\n"]
)
_ITEMS = st.lists(
    st.dictionaries(st.sampled_from(["spec", "data", "items"]), _TEXTS | st.lists(_TEXTS, max_size=3)), max_size=8
)


def _pods(specs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{number}", "namespace": "llm"}, **spec}
        for number, spec in enumerate(specs)
    ]


@settings(deadline=None, max_examples=150)
@given(specs=_ITEMS, piece=st.integers(1, 400), style=st.sampled_from(["yaml", "folded yaml", "json", "oc", "compact"]))
def test_whatever_stands_in_them(
    specs: list[dict[str, Any]], piece: int, style: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pods = _pods(specs)
    folder = tmp_path_factory.mktemp("export")
    text = {
        "yaml": yaml.safe_dump(trees.list_of(*pods), width=10_000),
        "folded yaml": yaml.safe_dump(trees.list_of(*pods), width=20, allow_unicode=True),
        "oc": "---\n" + yaml.safe_dump({"apiVersion": "v1", "items": pods, "kind": "PodList"}),
        "json": json.dumps(trees.list_of(*pods), indent=4, ensure_ascii=False),
        "compact": json.dumps(trees.list_of(*pods)),
    }[style]
    (folder / f"pods.{'json' if style in ('json', 'compact') else 'yaml'}").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot_chunks, "_PIECE", piece)
        facts = snapshot.read(folder)
    assert [name(pod) for pod in facts.all(POD)] == [name(pod) for pod in pods]
    assert not facts.unreadable
    for kept, pod in zip(facts.all(POD), pods, strict=True):
        assert {key: kept[key] for key in ("data", "items") if key in pod} == {
            key: pod[key] for key in ("data", "items") if key in pod
        }


@pytest.mark.parametrize("style", ["yaml", "json"])
def test_most_of_it_is_never_in_memory_at_once(style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pruned is gone before the next piece is read."""
    noise = {"managedFields": [{"manager": f"m{number}", "fieldsV1": {"f:a": {}}} for number in range(100)]}
    pods = [{**pod, "metadata": {**pod["metadata"], **noise}} for pod in _pods([{}] * 60)]
    document = json.loads(json.dumps(trees.list_of(*pods)))  # or PyYAML writes anchors
    (tmp_path / f"pods.{style}").write_bytes(trees.as_yaml(document) if style == "yaml" else trees.as_json(document))
    monkeypatch.setattr(snapshot_chunks, "_PIECE", 8192)
    in_pieces = _peak(tmp_path)
    monkeypatch.setattr(snapshot_chunks, "of_yaml", lambda data: None)
    monkeypatch.setattr(snapshot_chunks, "of_json", lambda data: None)
    assert in_pieces < _peak(tmp_path) / 2


def _peak(folder: Path) -> int:
    tracemalloc.start()
    facts = snapshot.read(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(facts.all(POD)) == 60
    return peak


@pytest.mark.parametrize("broken", [b"  bad: [\n", b"  - \tx\n", b'  a: "unclosed\n'])
def test_what_comes_before_a_broken_item_holds_good(
    broken: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_chunks, "_PIECE", 1)
    whole = trees.as_yaml(trees.list_of(*_pods([{}] * 10)))
    place = whole.index(b"\n- ", len(whole) // 2) + 1
    (tmp_path / "pods.yaml").write_bytes(whole[:place] + b"- apiVersion: v1\n" + broken + whole[place:])
    facts = snapshot.read(tmp_path)
    assert 0 < len(facts.all(POD)) < 10
    assert "in line" in facts.unreadable["pods.yaml"]


def test_managed_fields_are_dropped_and_nothing_else(tmp_path: Path) -> None:
    """As text, before they cost anything; a text that only looks like them stays."""
    fields = [{"manager": "a", "fieldsV1": {"f:metadata": {"f:labels": {".": {}}}}}, {"manager": "b"}]
    text = "    managedFields:\n    - manager: a\n    kept: 1\n"
    spec = {"containers": [{"name": "c", "args": [text]}], "nodeSelector": {"managedFields": "kept"}}
    (pod,) = _pods([{"spec": spec, "status": {"message": text}}])
    with_fields = {**pod, "metadata": {**pod["metadata"], "managedFields": fields, "zone": "kept"}}
    objects = json.loads(
        json.dumps([with_fields, {**with_fields, "metadata": {**with_fields["metadata"], "name": "q"}}])
    )
    (tmp_path / "pods.yaml").write_bytes(trees.as_yaml(trees.list_of(*objects)))
    for found in snapshot.read(tmp_path).all(POD):
        assert "managedFields" not in found["metadata"]
        assert found["metadata"]["zone"] == "kept"
        assert found["spec"] == spec
        assert found["status"] == {"message": text}
