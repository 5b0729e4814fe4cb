"""`maas models add` and `remove` change the user's file and leave everything else in it alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.domain.errors import Conflict, InvalidInput, InvalidPlatform, NotFound
from maas.domain.platform import Platform
from maas.domain.platform_file import default_text, dump, load
from maas.domain.platform_file.editing import with_model, without_model
from tests.platform_file.platforms import platforms

SPEC = {"runtime": "external", "url": "http://h:1", "price": {"input": 0.15, "output": 1}, "context_length": None}
ENTRY = ["  new:", "    runtime: external", "    url: http://h:1", "    price: {input: 0.15, output: 1}"]


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that are gone, and lines that are new."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


def test_the_default_file_keeps_its_comments() -> None:
    added = with_model(default_text(), "new", SPEC)
    assert changed(default_text(), added) == ([], ENTRY)
    assert without_model(added, "new") == default_text()


def test_a_new_model_stands_behind_the_last_and_its_comments() -> None:
    lines = with_model(default_text(), "new", SPEC).splitlines()
    at = lines.index("  new:")
    assert lines[at - 1].startswith("    # options:")
    assert lines[at + len(ENTRY)] == ""


@pytest.mark.parametrize(
    "text",
    [
        "tiers:\n  free:\n",
        "tiers:\n  free:",
        "tiers: {free: }\nmodels:\n",
        "models: # none yet\n  # a:\n  #   runtime: simulator\ntiers:\n",
        "models: {} # none yet\ntiers: {}\n",
        "models: null\n",
        "models: ~",
        "models:\n  a: {runtime: simulator}",
        "models:\r\n    a:\r\n        runtime: simulator # c\r\n\r\n\r\n# c\r\ntiers:\r\n",
        "models:\n  a:\n    runtime: simulator\n    description: |\n      some\n\n      text\n\n# c\ntiers: {}\n",
        "models:\n  a:\n    runtime: simulator\n    options:\n      # c\n\n# end",
        "models: {a: {runtime: simulator}} # c\n",
        "models: {\n  a: {runtime: simulator}, # c\n}\n",
        '{"models": {"a": {"runtime": "simulator"}}, "tiers": {}}',
        '{"tiers": {}}',
        '{"models": {}, "tiers": {}}',
        '{"models": null}',
        "\ufeffmodels:\n  a: {runtime: simulator}\n",
        "---\nmodels:\n  a: {runtime: simulator}\n...\n",
    ],
)
def test_any_layout_can_be_added_to_and_restored(text: str) -> None:
    added = with_model(text, "new", SPEC)
    assert load(added).models.keys() == load(text).models.keys() | {"new"}
    assert added.count("# c") == text.count("# c")
    assert load(without_model(added, "new")) == load(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("models: {a: {runtime: simulator}, b: {runtime: simulator}}", "models: {b: {runtime: simulator}}"),
        ("models: {b: {runtime: simulator}, a: {runtime: simulator}}", "models: {b: {runtime: simulator}}"),
        ("models: {a: {runtime: simulator}}", "models: {}"),
        ("models:\n  a:\n    runtime: simulator\n    # of a\n  # of the section\n", "models:\n  # of the section\n"),
    ],
)
def test_what_is_removed_goes_with_the_comments_inside_it(text: str, left: str) -> None:
    assert without_model(text, "a") == left


def test_a_second_model_of_that_name_is_refused() -> None:
    with pytest.raises(Conflict, match="exists already"):
        with_model(default_text(), "simulator", SPEC)


def test_a_wrong_entry_is_told_with_its_place() -> None:
    with pytest.raises(InvalidPlatform, match=r"^maas\.yaml, models\.new\.url: 'x' is no address"):
        with_model(default_text(), "new", {"runtime": "external", "url": "x"})
    with pytest.raises(InvalidPlatform, match="is no name"):
        with_model(default_text(), "a: b\n", SPEC)


def test_only_what_nobody_needs_can_be_removed() -> None:
    with pytest.raises(NotFound, match="no model 'nix'"):
        without_model(default_text(), "nix")
    with pytest.raises(Conflict, match=r"tiers\.free\.models"):
        without_model("models: {a: {runtime: simulator}}\ntiers: {free: {models: [a]}}", "a")


def test_a_layout_that_no_command_can_change_is_left_to_its_author() -> None:
    with pytest.raises(InvalidInput, match="by hand"):
        with_model("models:\n  ? a\n  : runtime: simulator\n", "new", SPEC)


@settings(max_examples=60, deadline=None)
@given(platforms(), st.data())
def test_removing_undoes_adding(platform: Platform, data: st.DataObject) -> None:
    text = dump(platform)
    if "new" not in platform.models:
        assert load(without_model(with_model(text, "new", SPEC), "new")) == platform
