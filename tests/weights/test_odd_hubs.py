"""A hub whose answers have odd shapes, and one that sends other bytes than it was asked for."""

import json
from pathlib import Path

import pytest

from maas.domain.errors import InvalidInput, Unavailable
from maas.models.weights import download
from maas.models.weights.places import OnHub
from tests.weights.hub import Hub, left_over, pull

NAME = "model-Q8_0.gguf"
LFS = {"sha256": "0" * 64}
ENTRY = {"rfilename": NAME, "size": 5, "lfs": LFS}


@pytest.mark.parametrize(
    "listing",
    [
        [ENTRY],
        None,
        {"siblings": None},
        {"siblings": [None]},
        {"siblings": ["text"]},
        {"siblings": ENTRY},
        {"siblings": [{**ENTRY, "rfilename": None}]},
        {"siblings": [{**ENTRY, "rfilename": 5}]},
        {"siblings": [{**ENTRY, "rfilename": [NAME]}]},
        {"siblings": [ENTRY | {"size": None}]},
        {"siblings": [ENTRY | {"size": True}]},
        {"siblings": [ENTRY | {"size": 0}]},
        {"siblings": [ENTRY | {"size": -5}]},
        {"siblings": [ENTRY | {"size": "5"}]},
        {"siblings": [ENTRY | {"size": 10**400}]},
        {"siblings": [ENTRY | {"lfs": None}]},
        {"siblings": [ENTRY | {"lfs": "text"}]},
        {"siblings": [ENTRY | {"lfs": [LFS]}]},
        {"siblings": [ENTRY | {"lfs": {"sha256": 5}}]},
    ],
)
def test_a_listing_of_another_shape_is_told_in_words(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listing: object
) -> None:
    monkeypatch.setattr(hub, "listing", lambda: json.dumps(listing).encode())
    with pytest.raises(Unavailable, match=r"not as the hub does|not taken on trust"):
        pull(tmp_path)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"siblings": [' + b" " * 40 * 2**20 + b"]}", b"\xff\xfe\xfa"])
def test_a_listing_that_can_not_be_read(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: bytes) -> None:
    monkeypatch.setattr(hub, "listing", lambda: body)
    with pytest.raises(Unavailable, match="not as the hub does"):
        pull(tmp_path)


@pytest.mark.parametrize("name", ["\x1b[2J-Q8_0.gguf", "\ud800-Q8_0.gguf", "a\nb-Q8_0.gguf"])
def test_a_name_that_can_not_be_shown_is_not_taken(hub: Hub, tmp_path: Path, name: str) -> None:
    hub.files = {name: b"bytes"}
    with pytest.raises(InvalidInput, match="no single GGUF"):
        pull(tmp_path)


@pytest.mark.parametrize("name", ["a?b#c-Q8_0.gguf", "100%41 ä-Q8_0.gguf"])
def test_a_name_is_asked_for_as_it_is_written(hub: Hub, tmp_path: Path, name: str) -> None:
    hub.files = {name: b"bytes"}
    assert pull(tmp_path)[0].read_bytes() == b"bytes"


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("resumed", [False, True])
def test_more_than_was_announced_is_not_written(hub: Hub, tmp_path: Path, ends: bool, resumed: bool) -> None:
    hub.surplus, hub.ends, hub.drops = 2_000_000, ends, [1000, 10**9] if resumed else [10**9]
    shown: list[int] = []
    with pytest.raises(Unavailable, match=r"more than the .* announced"):
        download.pull(OnHub("org/repo", "Q8_0"), tmp_path, lambda so_far, _: shown.append(so_far), lambda _: None)
    assert max(shown, default=0) <= len(hub.files[NAME])
    assert not left_over(tmp_path), "what came of it is not worth keeping"


@pytest.mark.parametrize(
    "content_range",
    ["bytes 0-299999/300000", "bytes 100000-299999/999999", "bytes 99999-299999/300000", "items", None],
)
def test_another_part_than_was_asked_for_is_not_appended(hub: Hub, tmp_path: Path, content_range: str | None) -> None:
    hub.drops, hub.content_range = [100_000], content_range
    assert pull(tmp_path)[0].read_bytes() == hub.files[NAME]
    assert hub.asked_for(NAME) == ["", "bytes=100000-", ""], "it begins anew, since this server can't be resumed"


def test_a_part_of_unknown_whole_is_appended(hub: Hub, tmp_path: Path) -> None:
    hub.drops, hub.content_range = [100_000], "bytes 100000-299999/*"
    assert pull(tmp_path)[0].read_bytes() == hub.files[NAME]
    assert hub.asked_for(NAME) == ["", "bytes=100000-"]
