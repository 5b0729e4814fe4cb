"""One file that cannot be read is a fact; a path that holds no snapshot is an error that says what to give."""

import copy
import gzip
import os
from pathlib import Path

import pytest

from maas.cluster.facts import snapshot, snapshot_files
from maas.cluster.facts.model import Facts, NotRead
from maas.cluster.kinds import NODE
from maas.cluster.objects import name
from maas.domain.errors import InvalidInput
from tests.kubernetes.offline import facts as facts_of
from tests.kubernetes.snapshots import trees, written

_GOOD = {"nodes.yaml": trees.as_yaml(trees.list_of(trees.NODE))}
_BILLION = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
_BROKEN = {
    "no YAML": (b"apiVersion: v1\nkind: [Pod\nmetadata: {", "it is not YAML"),
    "a tab": (b"apiVersion: v1\n\tkind: Pod\n", "in line 2"),
    "no UTF-8": (b"apiVersion: v1\nkind: Pod # \xc3\x28\n", "it is not UTF-8"),
    "a binary file": (b"\x7fELF\x00\x00\x01", "it is not"),
    "control characters": (b"apiVersion: v1\nkind: \x01Pod\n", "it is not YAML"),
    "anchors": (_BILLION.encode(), "anchors"),
    "an alias of nothing": (b"apiVersion: *nothing\n", "anchors"),
    "a deep flow": (b"[" * 5000 + b"]" * 5000, "it"),
    "a deep block": (b"- " * 5000, "levels deep"),
    "deep JSON in YAML": (b'{"a":' * 3000 + b"1" + b"}" * 3000, "it"),
    "a list as a key": (b"? [a, b]\n: c\n", "a key of it is a list"),
    "cut in a string": (b'kind: Pod\nmetadata: {name: "abc', "it is not YAML"),
}


@pytest.mark.parametrize(("data", "why"), _BROKEN.values(), ids=_BROKEN)
def test_a_broken_file_is_told_and_the_others_are_read(data: bytes, why: str, tmp_path: Path) -> None:
    tree = {**_GOOD, "broken.yaml": data}
    for path in (trees.in_folder(tmp_path / "a", tree), trees.in_archive(tmp_path / "a.tar.gz", tree, root=".")):
        facts = snapshot.read(path)
        assert [name(node) for node in facts.all(NODE)] == ["worker-1"]
        assert list(facts.unreadable) == ["broken.yaml"]
        assert why in facts.unreadable["broken.yaml"]
        assert "\n" not in facts.unreadable["broken.yaml"]


@pytest.mark.parametrize("data", [b'{"kind": ', b"[" * 100_000, b'{"kind": "Pod"}}', b"", b"\xff\xff"])
def test_broken_json_is_told(data: bytes, tmp_path: Path) -> None:
    facts = snapshot.read(trees.in_folder(tmp_path, {**_GOOD, "broken.json": data}))
    assert facts.unreadable["broken.json"].startswith("it is not JSON")


def test_the_documents_before_a_broken_one_hold_good(tmp_path: Path) -> None:
    tree = {"all.yaml": trees.as_yaml(trees.NODE) + b"---\nkind: [\n"}
    facts = snapshot.read(trees.in_folder(tmp_path, tree))
    assert [name(node) for node in facts.all(NODE)] == ["worker-1"]
    assert list(facts.unreadable) == ["all.yaml"]


def _read(folder: Path, tree: trees.Tree) -> Facts:
    return snapshot.read(trees.in_folder(folder, tree))


_TWO = [{**copy.deepcopy(trees.NODE), "metadata": {"name": f"worker-{number}"}} for number in (1, 2)]


@pytest.mark.parametrize("form", ["exported", "ours", "one by one"])
def test_a_list_that_breaks_off_is_a_part_of_one(form: str, tmp_path: Path) -> None:
    """What nobody could read may be what is wrong: it is not judged as a list of all."""
    whole = {
        "exported": {"nodes.yaml": trees.as_yaml(trees.list_of(*_TWO)) + b"---\nkind: [\n"},
        "ours": {"lists/nodes.json": written.files(facts_of(*_TWO), tmp_path)["snapshot/lists/nodes.json"][:-9]},
        "one by one": {**trees.inspected(*_TWO), "cluster-scoped-resources/core/nodes/worker-3.yaml": b"kind: [\n"},
    }[form]
    facts = _read(tmp_path / "cut", whole)
    (file,) = facts.unreadable
    assert facts.known(NODE)
    assert facts.partial == {"nodes": f"{file} could not be read to its end: there may be further nodes"}
    with pytest.raises(NotRead):
        facts.whole(NODE)


def test_a_list_that_breaks_off_before_its_first_object_is_none(tmp_path: Path) -> None:
    begun = written.files(facts_of(*_TWO), tmp_path)["snapshot/lists/nodes.json"].split(b"\n")[0] + b"\n"
    facts = _read(tmp_path / "cut", {"lists/nodes.json": begun, "lists/pods.yaml": trees.as_yaml(trees.POD)})
    with pytest.raises(NotRead, match="could not be read to its end"):
        facts.all(NODE)


def test_a_list_that_another_file_holds_whole_is_whole(tmp_path: Path) -> None:
    facts = _read(tmp_path, {**_GOOD, "a.yaml": trees.as_yaml(trees.list_of(*_TWO)) + b"---\nkind: [\n"})
    assert len(facts.whole(NODE)) == 2


def test_a_list_cut_between_two_lines_is_told(tmp_path: Path) -> None:
    """It is YAML still, but the kind that kubectl writes last is not there."""
    cut = trees.as_yaml(trees.list_of(*_TWO)).partition(b"kind: List")[0]
    facts = _read(tmp_path, {"nodes.yaml": cut, "pods.yaml": trees.as_yaml(trees.POD)})
    assert facts.unreadable["nodes.yaml"].startswith("it ends early")


def test_objects_one_by_one_in_an_archive_that_breaks_off_may_not_be_all(tmp_path: Path) -> None:
    data = gzip.decompress(trees.archived(trees.inspected(*_TWO)))
    path = tmp_path / "must-gather.tar.gz"
    path.write_bytes(gzip.compress(data[: data.index(b"worker-2.yaml") + 100]))
    facts = snapshot.read(path)
    assert [name(node) for node in facts.known(NODE)] == ["worker-1"]
    assert "nodes" in facts.partial


@pytest.mark.parametrize("file", ["version.json", "apis.json", "probes.json", "unread.json", "snapshot.json"])
@pytest.mark.parametrize("data", [b"{", b"[]", b"17", b'{"v1": 3, "lists": [], "pods": {"cause": 1}, "taken_at": {}}'])
def test_what_describes_the_snapshot_may_be_broken_too(file: str, data: bytes, tmp_path: Path) -> None:
    facts = snapshot.read(trees.in_folder(tmp_path, {**_GOOD, file: data}))
    assert [name(node) for node in facts.all(NODE)] == ["worker-1"]
    assert list(facts.unreadable) == ([] if data.startswith(b'{"v1"') else [file])


def test_what_is_called_alike_deep_in_a_tree_describes_nothing(tmp_path: Path) -> None:
    assert not _read(tmp_path, {**_GOOD, "cluster/logs/of/a/version.json": b"[]"}).unreadable


@pytest.mark.parametrize(
    "document",
    [
        b"null",
        b"3",
        b"text",
        b"[]",
        b"{}",
        b"kind: Pod",
        b"kind: List\nitems: 3",
        b"kind: PodList\nitems: [1, [2], null]",
        b"kind: Pod\napiVersion: 3\n",
        b"kind: [Pod]\napiVersion: v1\n",
        b"kind: Pod\napiVersion: v1\nmetadata: []\n",
    ],
)
def test_what_is_no_object_is_passed_over(document: bytes, tmp_path: Path) -> None:
    facts = snapshot.read(trees.in_folder(tmp_path, {**_GOOD, "odd.yaml": document}))
    assert [name(node) for node in facts.all(NODE)] == ["worker-1"]
    assert not facts.unreadable


def test_only_files_are_opened(tmp_path: Path) -> None:
    """A pipe would be waited on for ever, a link in a circle followed for ever."""
    folder = trees.in_folder(tmp_path / "a", _GOOD)
    os.mkfifo(folder / "pipe.yaml")
    (folder / "circle").symlink_to(folder)
    (folder / "itself.yaml").symlink_to(folder / "itself.yaml")
    (folder / "nowhere.yaml").symlink_to("nowhere")
    (folder / "zero.yaml").symlink_to("/dev/zero")
    facts = snapshot.read(folder)
    assert len(facts.all(NODE)) == 1
    assert sorted(facts.unreadable) == ["itself.yaml", "nowhere.yaml", "pipe.yaml", "zero.yaml"]
    assert facts.unreadable["pipe.yaml"] == facts.unreadable["zero.yaml"] == "it is no regular file"


def test_what_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without rights taken away: the tests may run as root, who may read everything."""

    def denied(path: Path, mode: str = "r") -> object:
        raise PermissionError(13, "Permission denied", str(path))

    folder = trees.in_folder(tmp_path, {**_GOOD, "secret/pods.json": b"{}"})
    opened = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, mode="r": (denied if path.name == "pods.json" else opened)(path, mode)
    )
    assert snapshot.read(folder).unreadable == {"secret/pods.json": "it cannot be read: Permission denied"}


def test_what_is_too_big_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs are: their ends."""
    monkeypatch.setattr(snapshot_files, "LARGEST", 2048)
    tree = {**_GOOD, "big.yaml": b"a" * 4096, "version.json": b" " * 4096, "x.log": b"a\n" * 4096}
    facts = snapshot.read(trees.in_folder(tmp_path, tree))
    assert sorted(facts.unreadable) == ["big.yaml", "version.json"]
    assert facts.unreadable["big.yaml"].startswith("it is too big")


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({}, "is empty"),
        ({"readme.txt": b"hello"}, "holds no Kubernetes objects"),
        ({"a.yaml": b"replicas: 3\n"}, "holds no Kubernetes objects"),
        ({"a.yaml": b"{"}, "a.yaml: it is not"),
    ],
)
def test_a_path_without_objects_is_an_error_that_says_what_to_give(tree: trees.Tree, said: str, tmp_path: Path) -> None:
    for path in (tmp_path, trees.in_archive(tmp_path.parent / f"{tmp_path.name}.tar.gz", tree)):
        with pytest.raises(InvalidInput) as error:
            snapshot.read(trees.in_folder(path, tree) if path.is_dir() else path)
        assert said in str(error.value)
        assert "kubectl get pods -A -o yaml" in str(error.value)


def test_a_path_that_is_none_is_an_error_that_says_so(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "text.txt").write_text("hello\n" * 1000)
    (tmp_path / "empty.tar.gz").write_bytes(b"")
    for path, said in {
        tmp_path / "nothing.tar.gz": "there is no such file",
        tmp_path / "pipe": "is neither a folder nor a file",
        tmp_path / "text.txt": "is no tar archive",
        tmp_path / "empty.tar.gz": "is empty",
    }.items():
        with pytest.raises(InvalidInput, match=said):
            snapshot.read(path)
