"""Whatever stands in the files, reading ends in facts or in one clear sentence, and the facts can be written again."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas.cluster.facts import snapshot
from maas.cluster.facts.snapshot_writing import write
from maas.cluster.kinds import ALL
from maas.domain.errors import InvalidInput
from tests.kubernetes.snapshots import trees

_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = ["metadata", "spec", "status", "data", "stringData", "items", "endpoints", "containers", "conditions", "name"]
_FIELDS += ["namespace", "labels", "annotations", "versions", "names", "resourceVersion", "creationTimestamp", "group"]
_OBJECT_LIKE = st.recursive(
    _ANYTHING, lambda inner: st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=4), max_leaves=6
)
_OBJECTS = st.sampled_from(ALL).flatmap(
    lambda kind: st.dictionaries(st.sampled_from(_FIELDS), _OBJECT_LIKE, max_size=5).map(
        lambda fields: {"apiVersion": f"{kind.group}/v1".lstrip("/"), "kind": kind.name, **fields}
    )
)
_PATHS = st.sampled_from(
    [
        "a.json",
        "pods.json",
        "namespaces/llm/core/pods.json",
        "cluster-scoped-resources/core/nodes/a.json",
        "version.json",
        "apis.json",
        "unread.json",
        "probes.json",
        "snapshot.json",
        "lists/pods.json",
        "namespaces/pods/a.json",
        "namespaces/a.json",
    ]
)
_SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@_SETTINGS
@given(documents=st.dictionaries(_PATHS, st.lists(_OBJECTS | _ANYTHING, max_size=4) | _OBJECTS | _ANYTHING, max_size=3))
def test_absurd_objects(documents: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    tree = {path: json.dumps(document).encode() for path, document in documents.items()}
    facts = snapshot.read(_with_a_node(tmp_path_factory.mktemp("in"), tree))
    assert facts.taken_at > 0
    write(facts, tmp_path_factory.mktemp("out") / "x.tar.gz")


@_SETTINGS
@given(data=st.data())
def test_files_with_bytes_changed(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """YAML whose bytes were flipped, cut out and doubled is YAML, or not; never a traceback."""
    text = bytearray(yaml.safe_dump(trees.list_of(trees.POD, trees.NODE, trees.GATEWAY)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(begin, min(begin + 9, len(text))))
        text[begin:end] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"\n", b"---\n", b"- ", b": ", b"&a ", b"'", b"\t"])
        )
    snapshot.read(_with_a_node(tmp_path_factory.mktemp("in"), {"all.yaml": bytes(text)}))


@_SETTINGS
@given(data=st.data())
def test_archives_with_bytes_changed(data: st.DataObject, tmp_path: Path) -> None:
    packed = data.draw(st.booleans())
    archive = trees.archived({"nodes.yaml": trees.as_yaml(trees.NODE), "a/b.log": b"x" * 700, "p.json": b"{}"})
    import gzip

    changed = bytearray(archive if packed else gzip.decompress(archive)[:4096])
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "x.tar.gz").write_bytes(bytes(changed))
    with contextlib.suppress(InvalidInput):
        snapshot.read(tmp_path / "x.tar.gz")


def _with_a_node(folder: Path, tree: trees.Tree) -> Path:
    return trees.in_folder(folder, {"good.yaml": trees.as_yaml(trees.NODE), **tree})
