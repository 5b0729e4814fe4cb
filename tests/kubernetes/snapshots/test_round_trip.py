"""What was written is what is read: facts judged from a snapshot are the facts that were read live."""

import dataclasses
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas.cluster.facts import snapshot
from maas.cluster.facts.model import Cause, Facts, Log, Source, Unread
from maas.cluster.facts.redaction import redacted
from maas.cluster.facts.snapshot_writing import write
from maas.cluster.kinds import ALL, KUADRANT, NODE, POD, SECRET
from maas.domain.errors import Conflict, InvalidInput
from tests.kubernetes.offline import facts as made
from tests.kubernetes.snapshots import trees

_NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=12)
_SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
_JSON = st.recursive(
    _SCALARS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
)
_OBJECTS = st.lists(st.dictionaries(st.text(max_size=8), _JSON, max_size=4), max_size=4)
_NOT_ASKED = Unread(Cause.timeout, "nobody asked")
_UNREAD = st.builds(Unread, st.sampled_from(Cause), _NAMES)
_IN_PATHS = st.text(min_size=1, max_size=16)  # longer ones are cut; a character may take 12 bytes in a file's name
_LINES = st.lists(st.text(max_size=60).map(lambda line: line.replace("\n", " ").rstrip("\r")), max_size=5).map(tuple)
_NO_SECRETS = st.sampled_from([kind.key for kind in ALL if kind is not SECRET])
_FACTS = st.builds(
    Facts,
    source=st.just(Source(False, "snapshot snapshot.tar.gz")),
    taken_at=st.floats(1e9, 4e9),
    version=st.dictionaries(_NAMES, _NAMES).map(lambda found: {"gitVersion": "v1.34.0", **found}) | _UNREAD,
    apis=st.dictionaries(_NAMES, st.frozensets(_NAMES), min_size=1) | _UNREAD,
    lists=st.dictionaries(_NO_SECRETS, _OBJECTS | _UNREAD, max_size=4).map(
        lambda found: {**{kind.key: _NOT_ASKED for kind in ALL}, **found}
    ),
    probes=st.dictionaries(_NAMES, _JSON | _UNREAD),
    logs=st.lists(
        st.builds(Log, _IN_PATHS, _IN_PATHS, _IN_PATHS, _LINES, st.booleans()),
        max_size=3,
        unique_by=lambda log: (log.namespace, log.pod, log.container, log.previous),
    ),
    unreadable=st.dictionaries(_NAMES, _NAMES),
    partial=st.dictionaries(_NAMES, _NAMES),
)


def _comparable(facts: Facts) -> dict[str, Any]:
    return {
        "taken_at": facts.taken_at,
        "version": facts.version,
        "apis": facts.apis,
        "lists": facts.lists,
        "probes": facts.probes,
        "logs": sorted(facts.logs, key=repr),
        "unreadable": facts.unreadable,
        "partial": facts.partial,
    }


def _without_credentials(facts: Facts) -> Facts:
    """What hypothesis happened to write that looks like one."""
    logs = [dataclasses.replace(log, lines=tuple(redacted("\n".join(log.lines)).split("\n"))) for log in facts.logs]
    return dataclasses.replace(
        facts,
        version=facts.version if isinstance(facts.version, Unread) else redacted(facts.version),
        lists={key: found if isinstance(found, Unread) else redacted(found) for key, found in facts.lists.items()},
        probes={
            key: found if isinstance(found, Unread) else redacted({key: found})[key]
            for key, found in facts.probes.items()
        },
        logs=[log if log.lines != ("",) else was for log, was in zip(logs, facts.logs, strict=True)],
    )


@pytest.mark.parametrize("name", ["snapshot.tar.gz", "snapshot"])
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(facts=_FACTS)
def test_facts_come_back(name: str, facts: Facts, tmp_path: Path) -> None:
    write(facts, tmp_path / name, overwrite=True)
    assert _comparable(snapshot.read(tmp_path / name)) == _comparable(_without_credentials(facts))


@pytest.mark.parametrize("name", ["snapshot.tar.gz", "snapshot"])
@pytest.mark.parametrize("long", ["x" * 252, "x" * 253, "𝓍" * 40, "ü" * 300])
def test_names_longer_than_a_files_are_cut_and_told_apart(name: str, long: str, tmp_path: Path) -> None:
    logs = [Log("llm", f"{long}{number}", "server", (f"line {number}",)) for number in (1, 2)]
    write(made(logs=logs), tmp_path / name)
    back = snapshot.read(tmp_path / name).logs
    assert sorted(log.lines for log in back) == [("line 1",), ("line 2",)]
    assert all(log.namespace == "llm" and log.pod[:10] == long[:10] for log in back)


def test_what_a_kind_is_comes_back(tmp_path: Path) -> None:
    """Objects, none of them, not served, and not read: four different things."""
    denied = Unread(Cause.denied, "listing nodes was denied")
    facts = made(trees.POD, unread={NODE: denied}, live=True)
    write(facts, tmp_path / "x.tgz")
    back = snapshot.read(tmp_path / "x.tgz")
    assert list(back.all(POD)) == [trees.POD]
    assert back.lists["services"] == []
    assert KUADRANT.key not in back.lists
    assert not back.serves(KUADRANT)
    assert back.lists[NODE.key] == denied
    assert back.apis == facts.apis


def test_absurd_strings_and_numbers_come_back(tmp_path: Path) -> None:
    """Half of a surrogate pair and an integer of 80 bits are no JSON for orjson."""
    pod = {**trees.POD, "spec": {"half": "\ud800", "big": 2**80, "names": {"\ud800": 1}}}
    write(made(pod), tmp_path / "x")
    (back,) = snapshot.read(tmp_path / "x").all(POD)
    assert back["spec"]["half"] == "\ud800"
    assert back["spec"]["big"] == pytest.approx(2**80)


@pytest.mark.parametrize("name", ["../../evil", "a/b", ".", "..", "a\x00b", "C:\\x", "ü", "%2F", ""])
def test_names_of_pods_cannot_leave_the_folder(name: str, tmp_path: Path) -> None:
    log = Log(name, name, name, ("line",))
    (tmp_path / "in").mkdir()
    write(made(trees.POD, logs=[log]), tmp_path / "in" / "snapshot")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["snapshot"]
    if name:
        assert list(snapshot.read(tmp_path / "in" / "snapshot").logs) == [log]


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tar", "x"])
def test_it_is_private_and_whole_or_not_there(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    write(made(trees.POD), path)
    for each in (path, *path.rglob("*")):
        assert stat.S_IMODE(each.stat().st_mode) == (0o700 if each.is_dir() else 0o600)
    before = path.stat().st_ino
    monkeypatch.setattr("maas.cluster.facts.snapshot_writing.orjson.dumps", _full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(made(trees.POD), path, overwrite=True)
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert path.stat().st_ino == before
    assert len(snapshot.read(path).all(POD)) == 1


def _full_disk(*_: object, **__: object) -> bytes:
    raise OSError(28, "No space left on device")


def test_nothing_is_replaced_without_being_told(tmp_path: Path) -> None:
    for name in ("x.tar.gz", "x"):
        write(made(trees.POD), tmp_path / name)
        with pytest.raises(Conflict, match="exists already"):
            write(made(), tmp_path / name)
        assert len(snapshot.read(tmp_path / name).all(POD)) == 1
        write(made(), tmp_path / name, overwrite=True)
        assert not snapshot.read(tmp_path / name).all(POD)


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    with pytest.raises(InvalidInput, match="something else"):
        write(made(), tmp_path / "home", overwrite=True)
    (tmp_path / "x.tar.gz").mkdir()
    with pytest.raises(InvalidInput, match="is a folder"):
        write(made(), tmp_path / "x.tar.gz", overwrite=True)
    with pytest.raises(InvalidInput, match="there is no folder"):
        write(made(), tmp_path / "no" / "x.tar.gz")
    assert (tmp_path / "home" / "thesis.txt").read_text() == "years of work"


def test_people_and_other_tools_can_read_it(tmp_path: Path) -> None:
    """A list is one JSON document, as kubectl and jq take it, and yet an object on each line."""
    import json

    facts = made(trees.POD, {**trees.POD, "metadata": {"name": "b"}})
    write(facts, tmp_path / "x")
    document = json.loads((tmp_path / "x/lists/pods.json").read_text())
    assert (document["kind"], document["apiVersion"], len(document["items"])) == ("List", "v1", 2)
    assert json.loads((tmp_path / "x/version.json").read_text()) == facts.version
    assert json.loads((tmp_path / "x/lists/services.json").read_text())["items"] == []
