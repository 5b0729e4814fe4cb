"""Golden files for all that is printed for people, none of it wider than a terminal of 80 columns."""

from collections.abc import Callable

import pytest

from tests.api.fake import FakeControl
from tests.cli_nouns.conftest import Run

NOUNS = {
    "keys": ("create", "list", "revoke", "rotate", "import"),
    "tiers": ("list", "show"),
    "models": ("list", "add", "remove"),
    "usage": (),
    "apply": (),
    "explain": (),
}
HELPS = [(noun, verb) for noun, verbs in NOUNS.items() for verb in verbs or ("",)]
Golden = Callable[[str, str], None]


def make_keys(maas: Run, control: FakeControl) -> None:
    assert maas("keys", "create", "--user", "alice", "--name", "laptop").code == 0
    control.now += 1
    assert maas("keys", "create", "--user", "bob", "--tier", "enterprise", "--name", "nightly batch").code == 0
    control.now += 1
    assert maas("keys", "create", "--expires", "30d").code == 0
    assert maas("keys", "revoke", "key_1").code == 0


@pytest.mark.parametrize(("noun", "verb"), HELPS)
def test_help_has_an_example(maas: Run, noun: str, verb: str) -> None:
    said = maas(noun, *filter(None, [verb]), "--help")
    assert said.code == 0
    assert f"Example: maas {noun} {verb}".strip() in said.out or f"$(maas {noun} {verb}" in said.out


SHOWN = {
    "tiers-list": ("tiers", "list"),
    "tiers-show": ("tiers", "show", "free", "--user", "alice"),
    "models-list": ("models", "list"),
    "usage": ("usage",),
    "usage-of-one-model": ("usage", "--by", "model", "--user", "bob"),
    "usage-csv": ("usage", "-o", "csv"),
    "usage-records": ("usage", "--records"),
    "explain-admitted": ("explain", "req-1"),
    "explain-refused": ("explain", "req-2"),
    "keys-list": ("keys", "list"),
    "keys-list-all": ("keys", "list", "--all"),
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown(maas: Run, control: FakeControl, golden: Golden, name: str) -> None:
    make_keys(maas, control)
    said = maas(*SHOWN[name])
    assert said.code == 0
    golden(name, said.out + said.err)
    if "csv" not in name and "records" not in name:
        assert max(map(len, said.out.splitlines())) <= 80


def test_what_changes_is_shown(maas: Run, control: FakeControl, golden: Golden) -> None:
    text = control.text.replace("requests: 5,", "requests: 7,").replace("tokens: 5000", "tokens: 6000")
    dry = maas("apply", "-f", "-", "--dry-run", "--diff", stdin=text)
    assert control.text != text
    done = maas("apply", "-f", "-", stdin=text)
    again = maas("apply", "-f", "-", stdin=text)
    golden("apply", dry.out + done.out + again.out)


def test_every_mistake_in_a_file_is_shown(maas: Run, golden: Golden) -> None:
    said = maas(
        "apply", "-f", "-", stdin="models: {a: {runtime: b}}\ntiers: {free: {limits: [{request: 1, per: 1}]}}\n"
    )
    assert (said.code, said.out) == (2, "")
    golden("apply-mistakes", said.err)
