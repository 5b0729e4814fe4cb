"""Bringing weights from a hub that fails in every way that hubs do."""

import fcntl
import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from maas.domain.errors import InvalidInput, MaasError, Unavailable
from maas.models.weights import download, places
from tests.weights.conftest import CONTENT
from tests.weights.hub import MEANT, Hub, left_over, pull

SOURCES = Path(__file__).parents[2] / "src"
TOKEN = "hf_0123456789"


def test_a_file_comes_with_progress_and_only_once(hub: Hub, tmp_path: Path) -> None:
    shown: list[tuple[int, int]] = []
    place = download.pull(MEANT, tmp_path, lambda so_far, all_of_it: shown.append((so_far, all_of_it)))
    assert place == tmp_path / "org" / "repo" / "model-Q8_0.gguf"
    assert place.read_bytes() == CONTENT
    assert shown[-1] == (len(CONTENT), len(CONTENT)) and shown == sorted(shown)
    assert pull(tmp_path)[0] == place
    assert len(hub.asked_for("model-Q8_0.gguf")) == 1, "the second time nothing was fetched"
    assert places.locate("org/repo:Q8_0", tmp_path) == place
    assert not left_over(tmp_path)


@pytest.mark.parametrize("ends", [False, True])
def test_a_dropped_connection_is_resumed(hub: Hub, tmp_path: Path, ends: bool) -> None:
    hub.drops, hub.ends = [100_000, 50_000, 1], ends
    place, pauses = pull(tmp_path)
    assert place.read_bytes() == CONTENT
    assert hub.asked_for("Q8_0.gguf") == ["", "bytes=100000-", "bytes=150000-", "bytes=150001-"]
    assert len(pauses) == 3


def test_a_server_that_can_not_resume_starts_anew(hub: Hub, tmp_path: Path) -> None:
    hub.drops, hub.ranged = [100_000], False
    assert pull(tmp_path)[0].read_bytes() == CONTENT


@pytest.mark.parametrize("ends", [False, True])
def test_it_does_not_try_for_ever(hub: Hub, tmp_path: Path, ends: bool) -> None:
    hub.drops, hub.ends = [1000] + [0] * 100, ends
    with pytest.raises(Unavailable, match="what has come is kept"):
        pull(tmp_path)
    assert 3 <= len(hub.asked_for("Q8_0.gguf")) <= 10
    assert [part.stat().st_size for part in left_over(tmp_path)] == [1000]


def test_what_came_before_a_kill_is_used(hub: Hub, tmp_path: Path) -> None:
    hub.holding = threading.Event()
    hub.drops = [120_000]
    program = f"""
from pathlib import Path
from maas.models.weights import download, places
download.pull(places.OnHub("org/repo", "Q8_0"), Path({str(tmp_path)!r}), lambda so_far, _: print(so_far, flush=True))
"""
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        while int(process.stdout.readline()) < 120_000:
            pass
        process.send_signal(signal.SIGKILL)
    hub.holding.set()
    hub.holding = None
    (part,) = left_over(tmp_path)
    kept = part.stat().st_size
    assert kept > 0
    assert pull(tmp_path)[0].read_bytes() == CONTENT
    assert hub.asked_for("Q8_0.gguf")[-1] == f"bytes={kept}-"


def test_a_wrong_checksum_is_not_kept(hub: Hub, tmp_path: Path) -> None:
    hub.sha256 = "0" * 64
    with pytest.raises(Unavailable, match="checksum"):
        pull(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_damaged_part_is_noticed(hub: Hub, tmp_path: Path) -> None:
    hub.drops = [100_000] + [0] * 10
    with pytest.raises(Unavailable):
        pull(tmp_path)
    hub.drops = []
    (part,) = left_over(tmp_path)
    with part.open("r+b") as file:
        file.write(b"other bytes")
    with pytest.raises(Unavailable, match="checksum"):
        pull(tmp_path)
    assert pull(tmp_path)[0].read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_starts_anew(hub: Hub, tmp_path: Path) -> None:
    hub.drops = [100_000] + [0] * 10
    with pytest.raises(Unavailable):
        pull(tmp_path)
    hub.drops, hub.files["model-Q8_0.gguf"] = [], CONTENT[::-1]
    assert pull(tmp_path)[0].read_bytes() == CONTENT[::-1]
    assert hub.asked_for("Q8_0.gguf")[-1] == ""
    assert not left_over(tmp_path), "and what came of the old one is thrown away"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_repository_that_is_not_for_everybody(hub: Hub, tmp_path: Path, status: int) -> None:
    hub.api_status = status
    with pytest.raises(InvalidInput, match=r"org/repo.*HF_TOKEN"):
        pull(tmp_path)


@pytest.mark.parametrize("status", [401, 403])
def test_a_file_whose_licence_must_be_accepted(hub: Hub, tmp_path: Path, status: int) -> None:
    hub.statuses = [status]
    with pytest.raises(InvalidInput, match=r"licence.*HF_TOKEN"):
        pull(tmp_path)


def test_a_hub_that_is_out_of_order(hub: Hub, tmp_path: Path) -> None:
    hub.api_status = 500
    with pytest.raises(Unavailable, match="answered 500"):
        pull(tmp_path)


def test_a_hub_that_asks_for_patience_gets_some(hub: Hub, tmp_path: Path) -> None:
    hub.statuses = [429, 503, 200]
    place, pauses = pull(tmp_path)
    assert place.read_bytes() == CONTENT
    assert pauses == sorted(pauses) and len(pauses) == 2
    hub.statuses, hub.files["model-Q8_0.gguf"] = [500] * 20, b"new"
    with pytest.raises(Unavailable, match="answered 500"):
        pull(tmp_path)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "nonsense", "http://[", "http://127.0.0.1:9:9"])
def test_no_hub_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, endpoint: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(Unavailable, match="is there a network"):
        pull(tmp_path)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"siblings": 3}', b'{"siblings": [{}]}', b"<html>"])
def test_something_else_than_a_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: bytes) -> None:
    monkeypatch.setattr(hub, "listing", lambda: body)
    with pytest.raises(MaasError):
        pull(tmp_path)


@pytest.mark.parametrize("sha256", ["../../../escaped", "abc"])
def test_a_checksum_that_is_none(hub: Hub, tmp_path: Path, sha256: str) -> None:
    hub.sha256 = sha256
    with pytest.raises(Unavailable, match="not taken on trust"):
        pull(tmp_path)


def test_no_room(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    with pytest.raises(Unavailable, match="GB are free"):
        pull(tmp_path)
    assert not hub.asked_for("Q8_0.gguf"), "not a byte was fetched"


def test_a_disk_that_fills_up_meanwhile_keeps_what_has_come(hub: Hub, tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that writing fails, as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limit[1]))
    try:
        with pytest.raises(Unavailable, match=r"model-Q8_0\.gguf.*; what has come is kept"):
            pull(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    (part,) = left_over(tmp_path)
    kept = part.stat().st_size
    assert 0 < kept <= 200_000
    assert pull(tmp_path)[0].read_bytes() == CONTENT
    assert hub.asked_for("Q8_0.gguf") == ["", f"bytes={kept}-"]


def test_a_file_that_was_damaged_on_this_machine_is_fetched_again(hub: Hub, tmp_path: Path) -> None:
    place, _ = pull(tmp_path)
    place.write_bytes(CONTENT[::-1])
    assert pull(tmp_path)[0].read_bytes() == CONTENT


def test_two_at_once_do_not_spoil_each_other(hub: Hub, tmp_path: Path) -> None:
    part = tmp_path / "org" / "repo" / f"model-Q8_0.gguf.{hashlib.sha256(CONTENT).hexdigest()[:16]}.part"
    part.parent.mkdir(parents=True)
    with part.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="another process"):
            pull(tmp_path)
    assert pull(tmp_path)[0].read_bytes() == CONTENT


def test_the_token_goes_to_the_hub_and_nowhere_else(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN + "\n")
    pull(tmp_path)
    assert {headers.get("authorization") for _, headers in hub.seen} == {f"Bearer {TOKEN}"}
    for api, statuses in ((401, []), (500, []), (200, [401]), (200, [500] * 20)):
        hub.api_status, hub.statuses, hub.files["model-Q8_0.gguf"] = api, statuses, b"x" * api
        with pytest.raises(MaasError) as told:
            pull(tmp_path)
        assert TOKEN not in str(told.value)


@pytest.mark.parametrize("token", ["two\nlines", "täglich", "\0"])
def test_a_token_that_can_be_none_is_not_quoted(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, token: str
) -> None:
    if "\0" in token:
        monkeypatch.setattr(os, "environ", {**os.environ, "HF_TOKEN": token})
    else:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(MaasError) as told:
        pull(tmp_path)
    assert token not in str(told.value)


def test_names_that_a_hub_makes_up_stay_inside(hub: Hub, tmp_path: Path) -> None:
    hub.files = {"../../../evil-Q8_0.gguf": b"evil", "/tmp/evil-Q8_0.gguf": b"evil", "a/../../evil-Q8_0.gguf": b"evil"}
    with pytest.raises(InvalidInput, match="no single GGUF"):
        pull(tmp_path)
    assert list(tmp_path.rglob("*evil*")) == []


def test_a_mirror_is_used_in_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mirror, folder = tmp_path / "mirror", tmp_path / "weights"
    (mirror / "org" / "repo").mkdir(parents=True)
    (mirror / "org" / "repo" / "model-Q4_K_M.gguf").write_bytes(b"mirrored")
    monkeypatch.setenv("MAAS_WEIGHTS_MIRROR", str(mirror))
    assert places.locate("org/repo", folder) == mirror / "org" / "repo" / "model-Q4_K_M.gguf"
    assert places.locate("org/repo:q4_k_m", folder).parent == mirror / "org" / "repo"
    with pytest.raises(MaasError, match="maas models pull org/repo:Q8_0"):
        places.locate("org/repo:Q8_0", folder)
