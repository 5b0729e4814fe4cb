"""What the commands do, where values of keys may appear, and how failures are told."""

import json
from pathlib import Path

import pytest

from tests.api.fake import FakeControl
from tests.cli_nouns.conftest import Run


def test_the_value_of_a_new_key_is_alone_on_stdout(maas: Run, control: FakeControl) -> None:
    said = maas("keys", "create", "--tier", "premium", "--model", "simulator", "--expires", "30d")
    assert said.out.startswith("sk-maas-")
    assert len(said.out.split()) == 1
    assert "not shown again" in said.err
    (key,) = control.keys()
    assert (key.user, key.tier, key.models) == ("olga", "premium", frozenset({"simulator"}))
    assert key.expires_at == control.now + 30 * 86400


def test_json_is_what_the_api_says(maas: Run) -> None:
    created = json.loads(maas("keys", "create", "-o", "json").out)
    assert created["key"].startswith("sk-maas-")
    listed = json.loads(maas("keys", "list", "-o", "json").out)
    assert listed == [{name: value for name, value in created.items() if name != "key"}]
    assert json.loads(maas("tiers", "list", "-o", "json").out)[0]["limits"][0]["seconds"] == 120
    assert json.loads(maas("tiers", "show", "free", "--user", "a", "-o", "json").out)["quota"][0]["remaining"] == "2"
    assert json.loads(maas("models", "list", "-o", "json").out)[0]["id"] == "simulator"
    assert json.loads(maas("usage", "-o", "json").out)["total"]["requests"] == 13
    assert json.loads(maas("explain", "req-2", "-o", "json").out)["why"] == "rate_limit_exceeded"


@pytest.mark.parametrize("from_file", [True, False])
def test_an_imported_value_is_read_from_a_file_or_a_pipe(maas: Run, tmp_path: Path, from_file: bool) -> None:
    file = tmp_path / "key.txt"
    file.write_text("freeuser1_key\n")
    arguments = ["--from-file", str(file)] if from_file else []
    said = maas("keys", "import", "--user", "alice", *arguments, stdin="freeuser1_key\n")
    assert said.out == "Imported key_1 for alice in the tier free.\n"
    assert "warning: this key has at most" in said.err
    assert "freeuser1_key" not in said.out + said.err
    again = maas("keys", "import", "--user", "alice", *arguments, stdin="freeuser1_key\n")
    assert (again.code, again.err) == (5, "error: this key exists already\n")


def test_a_value_can_not_be_an_argument(maas: Run) -> None:
    assert maas("keys", "import", "freeuser1_key").code == 2


def test_keys_are_listed_over_all_pages(maas: Run) -> None:
    for _ in range(101):
        maas("keys", "create")
    assert len(maas("keys", "list", "-o", "csv").out.splitlines()) == 102


def test_many_are_revoked_only_when_that_is_meant(maas: Run, control: FakeControl) -> None:
    for user in ("alice", "alice", "bob"):
        maas("keys", "create", "--user", user)
    asked = maas("keys", "revoke", "--user", "alice", stdin="n\n")
    assert asked.code == 1
    assert "Revoke 2 active keys?" in asked.out
    assert not any(key.revoked_at for key in control.kept.values())
    assert maas("keys", "revoke", "--user", "alice", stdin="y\n").out.endswith("2 keys revoked\n")
    assert maas("keys", "revoke", "--tier", "free", "--yes").out == "1 key revoked\n"


@pytest.mark.parametrize("arguments", [(), ("key_1", "--user", "alice")])
def test_what_to_revoke_must_be_clear(maas: Run, arguments: tuple[str, ...]) -> None:
    said = maas("keys", "revoke", *arguments)
    assert said.code == 2
    assert "name the ids of keys" in said.err


def test_a_rotated_key_has_a_grace_period(maas: Run, control: FakeControl) -> None:
    maas("keys", "create", "--user", "alice")
    said = maas("keys", "rotate", "key_1", "--grace", "24h")
    assert said.out.startswith("sk-maas-")
    assert "key_2 in place of key_1, which ends at 2023-11-15T22:13:20Z" in said.err
    assert control.kept["key_1"].expires_at == control.now + 86400


def test_models_come_and_go(maas: Run, control: FakeControl) -> None:
    before = control.text
    said = maas("models", "add", "llama", "--url", "http://h:1", "--price-input", "0.15", "--context-length", "4096")
    assert said.out == "Added llama; it is ready.\n"
    assert "  llama:\n    runtime: external\n" in control.text
    added = maas("models", "add", "slow", "--runtime", "simulator", "--option", "time-to-first-token=1s", "-o", "json")
    assert json.loads(added.out)["options"] == {"time-to-first-token": "1s"}
    maas("models", "remove", "slow")
    assert maas("models", "remove", "llama").out == "Removed llama.\n"
    assert control.text == before


@pytest.mark.parametrize("option", ["--user", "--model", "--tier", "--key"])
def test_records_may_be_of_one_alone(maas: Run, option: str) -> None:
    assert len(maas("usage", "--records").out.splitlines()) == 2
    assert len(maas("usage", "--records", option, "another").out.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("keys", "revoke", "key_9"), 4, "no key 'key_9'"),
        (("keys", "create", "--tier", "nix"), 2, "no tier 'nix'"),
        (("keys", "create", "--expires", "soon"), 2, "expiresIn: must be a duration"),
        (("keys", "import", "--from-file", "/nix"), 2, "error: there is no file /nix\n"),
        (("tiers", "show", "nix"), 4, "no tier 'nix'"),
        (("tiers", "show", "a/b"), 4, "nothing at this path"),
        (("models", "add", "simulator", "--url", "http://h:1"), 5, "exists already"),
        (("models", "add", "m"), 2, "models.m: url is missing"),
        (("models", "add", "m", "--option", "x"), 2, "write x=VALUE"),
        (("usage", "--since", "yesterday"), 2, "since: is no time"),
        (("usage", "--records", "--since", "yesterday"), 2, "since: is no time"),
        (("apply", "-f", "/nix"), 2, "error: there is no file /nix\n"),
        (("apply", "-f", "/"), 2, "error: / is a folder, and a file is asked for\n"),
        (("explain", "nix"), 4, "nothing is known"),
    ],
)
def test_failures_are_told_in_a_line_and_a_code(maas: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    ended = maas(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("error: ")
    assert said in ended.err
