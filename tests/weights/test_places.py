"""What people write as weights, and that no name means a file outside of its folder."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maas.domain.errors import InvalidInput, MaasError, NotFound
from maas.models.weights import places
from maas.models.weights.places import OnHub

FILES = [
    "model-00001-of-00002.gguf",
    "model-F16.gguf",
    "model-Q4_K_M.gguf",
    "model-Q8_0.gguf",
    "sub/other.Q5_K_M.gguf",
    "model.safetensors",
]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("smollm2", None),
        ("/models/a.gguf", Path("/models/a.gguf")),
        ("~/a.gguf", Path.home() / "a.gguf"),
        ("Qwen/Qwen3-0.6B-GGUF", OnHub("Qwen/Qwen3-0.6B-GGUF")),
        ("Qwen/Qwen3-0.6B-GGUF:Q4_K_M", OnHub("Qwen/Qwen3-0.6B-GGUF", "Q4_K_M")),
        ("a/b/c.gguf", OnHub("a/b", None, "c.gguf")),
        ("a/b/sub/c.gguf", OnHub("a/b", None, "sub/c.gguf")),
    ],
)
def test_what_is_meant(written: str, meant: object) -> None:
    assert places.parse(written) == meant


@pytest.mark.parametrize(
    "written",
    ["", "model", "a.gguf", "./a.gguf", "a/b/c", "a/b:", "a/../b", "../b", "a/..", "./b", "a/b//etc/x.gguf",
     "a/b/../x.gguf", "a/b/./x.gguf", "~nobody/x", "/a\0b", "a/b\n", "a /b", "https://hub/a/b"],
)  # fmt: skip
def test_what_means_nothing(written: str) -> None:
    with pytest.raises(InvalidInput, match="names no weights"):
        places.parse(written)


@pytest.mark.parametrize(
    ("meant", "file"),
    [
        (OnHub("a/b"), "model-Q8_0.gguf"),
        (OnHub("a/b", "Q4_K_M"), "model-Q4_K_M.gguf"),
        (OnHub("a/b", "q4_k_m"), "model-Q4_K_M.gguf"),
        (OnHub("a/b", "Q5_K_M"), "sub/other.Q5_K_M.gguf"),
        (OnHub("a/b", None, "sub/other.Q5_K_M.gguf"), "sub/other.Q5_K_M.gguf"),
    ],
)
def test_which_file_is_taken(meant: OnHub, file: str) -> None:
    assert meant.choose(FILES) == file


@pytest.mark.parametrize("meant", [OnHub("a/b", "Q3_K"), OnHub("a/b", None, "x.gguf"), OnHub("a/b", "8_0")])
def test_what_is_not_there_is_told_with_what_is(meant: OnHub) -> None:
    with pytest.raises(InvalidInput, match=r"it has .*model-Q8_0\.gguf"):
        meant.choose(FILES)


parts = st.one_of(st.sampled_from(["..", ".", "", "a", "b.gguf", "~", "smollm2", "x-Q8_0.gguf", "\0", "C:"]), st.text())
names = st.lists(parts, max_size=6).map("/".join)


@given(names)
@example("a/b//etc/passwd.gguf")
@example("a/b/../../../../x.gguf")
@example("./..")
def test_no_name_escapes(tmp_path_factory: pytest.TempPathFactory, written: str) -> None:
    if written.startswith(("/", "~")):
        return
    folder = Path("/nowhere/weights")
    try:
        meant = places.parse(written)
    except InvalidInput:
        return
    assert not isinstance(meant, Path)
    if meant is not None:
        place = places.repository_place(meant.repository, folder) / (meant.file or "")
        assert len(place.parts) >= len(folder.parts) + 2
        assert ".." not in place.parts and place.is_relative_to(folder)


@given(st.lists(names, max_size=8), st.sampled_from([None, "Q8_0", "Q4_0"]))
def test_no_name_of_a_hub_escapes(files: list[str], quantisation: str | None) -> None:
    folder = Path("/nowhere/weights")
    try:
        chosen = folder / OnHub("a/b", quantisation).choose([*files, *(f"{file}-Q8_0.gguf" for file in files)])
    except InvalidInput:
        return
    assert ".." not in chosen.parts and chosen.is_relative_to(folder) and chosen != folder


@given(st.one_of(names, names.map("/".__add__)))
@example("/" + "a" * 5000)
@example("~root/x")
def test_any_name_is_answered_in_words(written: str) -> None:
    try:
        places.locate(written, Path("/nowhere/weights"))
    except MaasError as told:
        assert str(told)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=str(tmp_path / "no.gguf")):
        places.locate(str(tmp_path / "no.gguf"), tmp_path)


def test_what_is_packaged(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="maas models pull smollm2"):
        places.locate("smollm2", tmp_path)
    places.packaged_place(tmp_path).parent.mkdir()
    places.packaged_place(tmp_path).write_bytes(b"GGUF")
    assert places.locate("smollm2", tmp_path) == places.packaged_place(tmp_path)
