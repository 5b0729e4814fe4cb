"""What people and tools export is read, whatever its layout."""

from pathlib import Path
from typing import Any

import pytest

from maas.cluster.facts import snapshot
from maas.cluster.facts.model import Log
from maas.cluster.kinds import CONFIG_MAP, EVENT, GATEWAY, NODE, POD, SECRET
from maas.cluster.objects import name, place, text
from tests.kubernetes.snapshots import trees

_OBJECTS = (trees.POD, trees.NODE, trees.GATEWAY)
_TREES = {
    "one list": {"all.yaml": trees.as_yaml(trees.list_of(*_OBJECTS))},
    "one list in JSON": {"all.json": trees.as_json(trees.list_of(*_OBJECTS))},
    "a file for each": {f"some/where/{name(o)}.yaml": trees.as_yaml(o) for o in _OBJECTS},
    "a JSON file for each": {f"{name(o)}.json": trees.as_json(o) for o in _OBJECTS},
    "documents": {"all.yml": b"# exported\n---\n" + trees.as_yaml(*_OBJECTS) + b"---\n"},
    "JSON in a file called YAML": {"all.yaml": trees.as_json(trees.list_of(*_OBJECTS))},
    "JSON lines": {"all.jsonl": b"\n".join(trees.as_json(o).replace(b"\n", b"") for o in _OBJECTS)},
    "a plain array": {"all.json": trees.as_json(list(_OBJECTS))},
    "lists in a list": {"all.yaml": trees.as_yaml(trees.list_of(trees.list_of(*_OBJECTS)))},
    "UTF-16, as PowerShell writes": {"all.yaml": trees.as_yaml(trees.list_of(*_OBJECTS)).decode().encode("utf-16")},
    "a byte order mark": {"all.yaml": b"\xef\xbb\xbf" + trees.as_yaml(trees.list_of(*_OBJECTS))},
    "oc adm inspect": trees.inspected(*_OBJECTS),
    "must-gather": trees.must_gather(*_OBJECTS),
}


@pytest.mark.parametrize("tree", _TREES.values(), ids=_TREES)
def test_the_objects_are_found_in_a_folder_and_in_an_archive(tree: trees.Tree, tmp_path: Path) -> None:
    folder = trees.in_folder(tmp_path / "export", tree)
    archive = trees.in_archive(tmp_path / "export.tar.gz", tree)
    for facts in (snapshot.read(folder), snapshot.read(archive)):
        assert [place(pod) for pod in facts.all(POD)] == ["llm/vllm-0"]
        assert [name(node) for node in facts.all(NODE)] == ["worker-1"]
        assert [place(gateway) for gateway in facts.all(GATEWAY)] == ["llm/maas-gateway"]
        assert text(facts.all(POD)[0], "kind") == "Pod"
        assert not facts.unreadable
        assert not facts.source.live


def test_a_single_file_will_do(tmp_path: Path) -> None:
    file = tmp_path / "nodes.yaml"
    file.write_bytes(trees.as_yaml(trees.list_of(trees.NODE)))
    assert [name(node) for node in snapshot.read(file).all(NODE)] == ["worker-1"]


def test_items_of_a_typed_list_get_the_kind_of_the_list(tmp_path: Path) -> None:
    """As the API itself answers: kubectl get --raw /api/v1/nodes."""
    item = {key: value for key, value in trees.NODE.items() if key not in ("apiVersion", "kind")}
    file = tmp_path / "answer.json"
    file.write_bytes(trees.as_json({"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": [item]}))
    assert [text(node, "kind") for node in snapshot.read(file).all(NODE)] == ["Node"]


@pytest.mark.parametrize(("first", "second", "kept"), [("9", "10", "10"), ("10", "9", "10"), ("", "", "second")])
def test_of_two_copies_of_an_object_the_newer_counts(first: str, second: str, kept: str, tmp_path: Path) -> None:
    """By resourceVersion, as a number; by the order of the files where they have none."""
    tree = {
        "1.yaml": trees.as_yaml(_labelled(first, first or "first")),
        "2.yaml": trees.as_yaml(_labelled(second, second or "second")),
    }
    (node,) = snapshot.read(trees.in_folder(tmp_path, tree)).all(NODE)
    assert text(node, "metadata", "labels", "copy") == kept


def _labelled(version: str, label: str) -> dict[str, Any]:
    metadata = {"name": "worker-1", "labels": {"copy": label}} | ({"resourceVersion": version} if version else {})
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata}


def test_only_what_a_live_cluster_is_asked_for_is_kept(tmp_path: Path) -> None:
    """Events that warn, Secrets that are API keys, the one ConfigMap: so that both judge alike."""
    key = {"authorino.kuadrant.io/managed-by": "authorino"}
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Event", "type": kind, "metadata": {"name": kind, "namespace": "llm"}}
        for kind in ("Normal", "Warning")
    ]
    objects += [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "llm", "labels": labels}}
        for name, labels in (("key", key), ("other", {}))
    ]
    objects += [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "kserve"}}
        for name in ("inferenceservice-config", "other")
    ]
    facts = snapshot.read(trees.in_folder(tmp_path, {"all.yaml": trees.as_yaml(trees.list_of(*objects))}))
    found = {kind.key: [name(each) for each in facts.all(kind)] for kind in (EVENT, SECRET, CONFIG_MAP)}
    assert found == {"events": ["Warning"], "secrets": ["key"], "configmaps": ["inferenceservice-config"]}


_LOGS = {
    "namespaces/llm/pods/vllm-0/server/server/logs/current.log": Log("llm", "vllm-0", "server", ("one", "two")),
    "namespaces/llm/pods/vllm-0/server/server/logs/previous.log": Log("llm", "vllm-0", "server", ("one", "two"), True),
    "cluster-resources/pods/logs/llm/vllm-0/server.log": Log("llm", "vllm-0", "server", ("one", "two")),
    "cluster-resources/pods/logs/llm/vllm-0/server-previous.log": Log("llm", "vllm-0", "server", ("one", "two"), True),
    "var/log/pods/llm_vllm-0_0a-1b/server/0.log": Log("llm", "vllm-0", "server", ("one", "two")),
    "logs/vllm-0/server.log": Log("llm", "vllm-0", "server", ("one", "two")),
    "logs/vllm-0/server/today.log": Log("llm", "vllm-0", "server", ("one", "two")),
    "llm/vllm-0/logs.txt": Log("llm", "vllm-0", "server", ("one", "two")),
    "vllm-0.log": Log("llm", "vllm-0", "server", ("one", "two")),
    "vllm-0/server.previous.log": Log("llm", "vllm-0", "server", ("one", "two"), True),
}


@pytest.mark.parametrize(("path", "log"), _LOGS.items(), ids=_LOGS)
def test_a_log_is_its_container_s(path: str, log: Log, tmp_path: Path) -> None:
    tree = {"pods.yaml": trees.as_yaml(trees.list_of(trees.POD)), path: b"one\r\ntwo\n"}
    facts = snapshot.read(trees.in_folder(tmp_path / "export", tree))
    assert list(facts.logs) == [log]
    assert list(snapshot.read(trees.in_archive(tmp_path / "export.tgz", tree)).logs) == [log]


def test_of_a_long_log_only_the_end_is_kept(tmp_path: Path) -> None:
    lines = b"".join(b"line %d\n" % number for number in range(100_000))
    tree = {"pods.yaml": trees.as_yaml(trees.POD), "vllm-0.log": lines + b"x" * 100_000 + b"\n\xff\xfe\nlast"}
    for path in (trees.in_folder(tmp_path / "a", tree), trees.in_archive(tmp_path / "a.tar.gz", tree)):
        (log,) = snapshot.read(path).logs
        assert log.lines[-1] == "last"
        assert log.lines[-2] == "\ufffd\ufffd"
        assert log.lines[0].startswith("line 99")
        assert len(log.lines) <= 1000
        assert max(map(len, log.lines)) <= 4096


@pytest.mark.parametrize(
    ("tree", "version"),
    [
        ({"version.json": b'{"gitVersion": "v1.32.1", "major": "1"}'}, "v1.32.1"),
        ({"version.json": b'{"clientVersion": {}, "serverVersion": {"gitVersion": "v1.32.1"}}'}, "v1.32.1"),
        ({"cluster-info/cluster_version.json": b'{"info": {"gitVersion": "v1.32.1"}, "string": "v1.32.1"}'}, "v1.32.1"),
        ({}, "v1.33.2"),
        ({"namespaces/a/pods/b/c/c/version.json": b'{"gitVersion": "v0.0.1"}'}, "v1.33.2"),
    ],
)
def test_the_version_is_told_or_derived(tree: trees.Tree, version: str, tmp_path: Path) -> None:
    """A container's own version.json is not the cluster's."""
    facts = snapshot.read(trees.in_folder(tmp_path, {"nodes.yaml": trees.as_yaml(trees.NODE), **tree}))
    assert text(facts.version, "gitVersion") == version
    assert bool(text(facts.version, "derivedFrom")) == (version == "v1.33.2")


def test_the_version_of_openshift_tells_that_of_kubernetes(tmp_path: Path) -> None:
    cluster = {
        "apiVersion": "config.openshift.io/v1",
        "kind": "ClusterVersion",
        "metadata": {"name": "version"},
        "status": {"desired": {"version": "4.16.21"}},
    }
    facts = snapshot.read(trees.in_folder(tmp_path, {"a.yaml": trees.as_yaml(cluster)}))
    assert text(facts.version, "gitVersion") == "v1.29.0"


@pytest.mark.parametrize(
    ("tree", "moment"),
    [
        ({"snapshot.json": b'{"taken_at": 1787227300.5}'}, 1787227300.5),
        ({"timestamp": b"2026-08-20 12:00:00.5 +0000 UTC m=+0.1\n2026-08-20 12:30:00.5 +0000 UTC\n"}, 1787227200.0),
        ({}, 1787227140.0),
    ],
    ids=["it says so", "must-gather says so", "the newest heartbeat"],
)
def test_when_it_was_taken(tree: trees.Tree, moment: float, tmp_path: Path) -> None:
    """Never what an object says of the future: a certificate's end, an absurd clock."""
    absurd = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "b", "creationTimestamp": "9999-01-01T00:00:00Z"},
    }
    nodes = trees.as_yaml(trees.list_of(trees.NODE, absurd))
    assert snapshot.read(trees.in_folder(tmp_path, {"nodes.yaml": nodes, **tree})).taken_at == moment


def test_of_thousands_of_logs_so_many_are_kept_as_memory_bears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "MOST", 1000)
    tree = {f"namespaces/llm/pods/p-{number:02}/c/c/logs/current.log": b"x" * 100 + b"\n" for number in range(20)}
    facts = snapshot.read(trees.in_folder(tmp_path, {"nodes.yaml": trees.as_yaml(trees.NODE), **tree}))
    assert len(facts.logs) == 11
    assert len(facts.unreadable) == 9
