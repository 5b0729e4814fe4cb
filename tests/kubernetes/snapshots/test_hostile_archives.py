"""An archive may come from anybody: it is never extracted, and what it pretends is bounded."""

import gzip
import io
import random
import tarfile
from pathlib import Path

import pytest

from maas.cluster.facts import snapshot, snapshot_files
from maas.cluster.kinds import NODE
from maas.cluster.objects import name
from maas.domain.errors import InvalidInput
from tests.kubernetes.snapshots import trees

_NODE = trees.as_yaml(trees.NODE)
_PODS = trees.as_yaml(trees.list_of(*[trees.POD] * 3000))


def test_nothing_is_written_wherever_a_member_wants_to_go(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    outside = tmp_path / "evil.yaml"
    tree = {"../../evil.yaml": _NODE, str(outside): _NODE, "a/../../../evil.yaml": _NODE}
    (folder / "x.tar.gz").write_bytes(trees.archived(tree))
    facts = snapshot.read(folder / "x.tar.gz")
    assert [name(node) for node in facts.all(NODE)] == ["worker-1"]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["x.tar.gz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_passed_over(kind: bytes, tmp_path: Path) -> None:
    member = tarfile.TarInfo("pods.yaml")
    member.type, member.linkname = kind, "/etc/passwd"
    path = tmp_path / "x.tar.gz"
    path.write_bytes(trees.archived({"nodes.yaml": _NODE}, [member]))
    facts = snapshot.read(path)
    assert len(facts.all(NODE)) == 1
    assert not facts.unreadable


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("packed", [True, False])
def test_of_an_archive_that_was_cut_off_the_beginning_counts(share: float, packed: bool, tmp_path: Path) -> None:
    whole = trees.archived({"nodes.yaml": _NODE, "a.log": random.Random(1).randbytes(99_000), "pods.yaml": _PODS})
    data = whole if packed else gzip.decompress(whole)
    path = tmp_path / "x.tar.gz"
    path.write_bytes(data[: int(len(data) * share)])
    facts = snapshot.read(path)
    assert len(facts.all(NODE)) == 1
    assert facts.unreadable


def test_a_member_of_rubbish_after_good_ones_is_told(tmp_path: Path) -> None:
    """tarfile itself would take it for the end."""
    plain = gzip.decompress(trees.archived({"nodes.yaml": _NODE}))[:1024]
    path = tmp_path / "x.tar"
    path.write_bytes(plain + b"rubbish!" * 128)
    facts = snapshot.read(path)
    assert len(facts.all(NODE)) == 1
    assert facts.unreadable == {"x.tar": "the archive ends early: files may be missing"}


def test_bits_that_flipped_are_told(tmp_path: Path) -> None:
    data = bytearray(trees.archived({"nodes.yaml": _NODE, "pods.yaml": _PODS}))
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    path = tmp_path / "x.tar.gz"
    path.write_bytes(bytes(data))
    assert snapshot.read(path).unreadable


def test_gzip_of_something_else_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(b"hello\n" * 10_000))
    with pytest.raises(InvalidInput, match="is no readable tar archive"):
        snapshot.read(path)


def test_what_an_archive_unpacks_to_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_files, "MOST_BYTES", 1 << 20)
    path = tmp_path / "x.tar.gz"
    path.write_bytes(trees.archived({"nodes.yaml": _NODE, "bomb.yaml": bytes(2 << 20), "pods.yaml": _NODE}))
    facts = snapshot.read(path)
    assert len(facts.all(NODE)) == 1
    assert facts.unreadable == {"x.tar.gz": "the archive is too big: its further files are not read"}


def test_a_member_that_pretends_to_be_huge_is_not_read(tmp_path: Path) -> None:
    """A sparse file of a terabyte takes a kilobyte in the archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("nodes.yaml")
        info.size = len(_NODE)
        archive.addfile(info, io.BytesIO(_NODE))
        sparse = tarfile.TarInfo("pods.yaml")
        sparse.pax_headers = {
            "GNU.sparse.map": "0,0",
            "GNU.sparse.realsize": str(1 << 40),
            "GNU.sparse.size": str(1 << 40),
        }
        archive.addfile(sparse)
    path = tmp_path / "x.tar"
    path.write_bytes(buffer.getvalue())
    facts = snapshot.read(path)
    assert len(facts.all(NODE)) == 1
    assert facts.unreadable


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (gzip.compress(b'{"kind": "List", "items": []}'), "what gzip packed in it is no tar"),
        (gzip.compress(bytes(range(256)) * 9)[:30], "it ends early"),
        (gzip.compress(b"x" * 600)[:10] + b"\xff" * 40, "its compression is broken"),
    ],
    ids=["packed JSON", "cut", "broken"],
)
def test_what_is_no_archive_is_said_in_one_sentence(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "x.json.gz"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as raised:
        snapshot.read(path)
    first, *wanted = str(raised.value).splitlines()
    assert first == f"{path} is no readable tar archive: {why}"
    assert wanted[0].startswith("Give a folder or a .tar.gz")
