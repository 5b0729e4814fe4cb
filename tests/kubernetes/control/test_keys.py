"""Keys on a cluster: what Authorino will find, and what people read."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.kubernetes.cluster import Cluster
from tests.kubernetes.control.conftest import KEYS, Run, Said, commands, create, secrets
from tests.kubernetes.front import Fault, front

WATCHED, KEY_ID = "authorino.kuadrant.io/managed-by", "maas.io/key-id"


def value_of(secret: dict[str, object]) -> str:
    return base64.b64decode(secret["data"]["api_key"]).decode()  # type: ignore[index]


def listed(maas: Run, *options: str) -> dict[str, dict[str, object]]:
    found = json.loads(maas("keys", "list", "-o", "json", *options).out)
    return {str(each["id"]): each for each in found}


def test_a_key_is_a_secret_that_authorino_watches(platform: Cluster, maas: Run) -> None:
    made = maas(
        *("keys", "create", "--user", "alice", "--tier", "premium", "--name", "laptop", "--description", "for work"),
        *("--expires", "30d", "--model", "simulator"),
    )
    assert made.code == 0, made.err
    value = made.out.strip()
    assert re.fullmatch(r"sk-maas-[0-9A-Za-z]{43}", value)
    (secret,) = secrets(platform).values()
    metadata = secret["metadata"]
    assert value_of(secret) == value
    assert secret["type"] == "Opaque"
    assert metadata["labels"] == {
        "app": "maas",
        "app.kubernetes.io/managed-by": "maas",
        "app.kubernetes.io/part-of": "maas",
        WATCHED: "authorino",
        KEY_ID: next(iter(listed(maas))),
    }
    noted = metadata["annotations"]
    assert (noted["kuadrant.io/groups"], noted["secret.kuadrant.io/user-id"]) == ("premium", "alice")
    assert (noted["maas.io/models"], noted["maas.io/created-by"]) == ("simulator", "olga")
    ends = datetime.fromisoformat(noted["maas.io/expires"])
    assert timedelta(days=29, hours=23) < ends - datetime.now(UTC) <= timedelta(days=30)
    assert value not in json.dumps(metadata), "the value stands in data.api_key and nowhere else"


def test_the_value_is_shown_once(platform: Cluster, maas: Run) -> None:
    value = maas("keys", "create", "--user", "alice").out.strip()
    for again in (maas("keys", "list"), maas("keys", "list", "-o", "json"), maas("keys", "list", "-o", "csv")):
        assert value not in again.out + again.err
        assert value[:12] in again.out or "KEY" not in again.out


def test_what_people_read(platform: Cluster, maas: Run) -> None:
    assert maas("keys", "list") == Said(0, "", "no keys; `maas keys create` makes one\n")
    maas("keys", "create", "--user", "alice", "--tier", "premium")
    assert re.fullmatch(
        r"ID +USER +TIER +NAME +STATUS +EXPIRES *\n─+\n(key_[0-9a-f]{16}) +alice +premium +default +active +never *\n",
        maas("keys", "list").out,
    )


def test_revoked_at_once_and_remembered(platform: Cluster, maas: Run) -> None:
    maas("keys", "create", "--user", "alice")
    (id,) = listed(maas)
    assert maas("keys", "revoke", id) == Said(0, f"Revoked {id}.\n", "")
    (secret,) = secrets(platform).values()
    assert "data" not in secret
    assert WATCHED not in secret["metadata"]["labels"]
    assert listed(maas) == {}
    assert [each["status"] for each in listed(maas, "--all").values()] == ["revoked"]
    again = maas("keys", "revoke", id)
    assert (again.code, again.err) == (4, f"error: the key '{id}' is revoked already\n")


def test_all_of_a_user_are_revoked(platform: Cluster, maas: Run) -> None:
    for user in ("alice", "alice", "bob"):
        maas("keys", "create", "--user", user)
    assert maas("keys", "revoke", "--user", "alice", "--yes").out == "2 keys revoked\n"
    assert [each["username"] for each in listed(maas).values()] == ["bob"]


def test_rotated_with_grace(platform: Cluster, maas: Run) -> None:
    """Authorino takes no notice of annotations that change beside a value: the old key gets another Secret."""
    old_value = maas("keys", "create", "--user", "alice", "--tier", "premium").out.strip()
    (old,) = listed(maas)
    (before,) = secrets(platform)
    new_value = maas("keys", "rotate", old, "--grace", "1h").out.strip()
    assert new_value != old_value
    found = secrets(platform)
    assert before not in found
    assert {value_of(secret) for secret in found.values()} == {old_value, new_value}
    kept = next(secret for secret in found.values() if value_of(secret) == old_value)
    left = datetime.fromisoformat(kept["metadata"]["annotations"]["maas.io/expires"]) - datetime.now(UTC)
    assert timedelta(minutes=58) < left <= timedelta(hours=1)
    assert listed(maas)[old]["expiresAt"] is not None
    assert len(listed(maas)) == 2


def test_rotated_without_grace(platform: Cluster, maas: Run) -> None:
    maas("keys", "create", "--user", "alice")
    (old,) = listed(maas)
    new_value = maas("keys", "rotate", old).out.strip()
    watched = [each for each in secrets(platform).values() if WATCHED in each["metadata"]["labels"]]
    assert [value_of(each) for each in watched] == [new_value]
    assert maas("keys", "rotate", old).code == 5


def test_of_two_secrets_of_one_key_the_one_that_ends_counts(platform: Cluster, maas: Run) -> None:
    """What a rotation leaves that was killed between its two writes."""
    maas("keys", "create", "--user", "alice")
    (id,) = listed(maas)
    (secret,) = secrets(platform).values()
    ended = {
        "metadata": {
            "name": f"{secret['metadata']['name']}-1",
            "labels": secret["metadata"]["labels"],
            "annotations": {**secret["metadata"]["annotations"], "maas.io/expires": "2020-01-01T00:00:00+00:00"},
        },
        "data": secret["data"],
    }
    create(platform, f"/api/v1/namespaces/{KEYS}/secrets", ended)
    assert [each["status"] for each in listed(maas, "--all").values()] == ["expired"]
    assert maas("keys", "revoke", id).code == 0
    assert not [each for each in secrets(platform).values() if "data" in each], "both values are gone"


def test_imported_once(platform: Cluster, maas: Run) -> None:
    first = maas("keys", "import", "--user", "bob", stdin="an-old-key-of-bobs\n")
    assert first.code == 0
    assert "bits of entropy" in first.err
    second = maas("keys", "import", "--user", "carol", stdin="an-old-key-of-bobs\n")
    assert (second.code, second.err) == (5, "error: this key exists already\n")
    assert "an-old-key" not in first.out + first.err + second.out


def test_what_was_revoked_does_not_come_back(platform: Cluster, maas: Run) -> None:
    value = maas("keys", "create", "--user", "bob").out.strip()
    (id,) = listed(maas)
    maas("keys", "revoke", id)
    assert maas("keys", "import", "--user", "bob", stdin=f"{value}\n").code == 5
    assert maas("keys", "import", "--user", "bob", stdin=f"{value}x\n").code == 0
    assert value not in json.dumps([each["metadata"] for each in secrets(platform).values()])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tier", "gold"), "error: there is no tier 'gold'; there are free, premium\n"),
        (("--model", "gpt-9"), "error: there is no model 'gpt-9'; there are simulator\n"),
    ],
)
def test_what_does_not_exist(platform: Cluster, maas: Run, options: tuple[str, ...], said: str) -> None:
    refused = maas("keys", "create", *options)
    assert (refused.code, refused.err) == (2, said)
    assert secrets(platform) == {}


def test_keys_that_others_made(platform: Cluster, maas: Run) -> None:
    """As kubectl and the documents of the first generation make them."""
    labels = {WATCHED: "authorino", "app": "maas"}
    notes = {"kuadrant.io/groups": "free", "secret.kuadrant.io/user-id": "dave", "description": "by hand"}
    metadata = {"name": "freeuser1-apikey", "labels": labels, "annotations": notes}
    body = {"metadata": metadata, "data": {"api_key": base64.b64encode(b"freeuser1_key").decode()}}
    create(platform, f"/api/v1/namespaces/{KEYS}/secrets", body)
    (found,) = listed(maas).values()
    assert (found["id"], found["username"], found["tier"], found["keyPrefix"]) == (
        "freeuser1-apikey",
        "dave",
        "free",
        "fre...",
    )
    assert maas("keys", "revoke", "freeuser1-apikey").code == 0
    assert [each["status"] for each in listed(maas, "--all").values()] == ["revoked"]


def test_other_secrets_are_nobodys_business(platform: Cluster, maas: Run) -> None:
    create(platform, f"/api/v1/namespaces/{KEYS}/secrets", {"metadata": {"name": "other"}, "data": {"api_key": "eA=="}})
    assert listed(maas, "--all") == {}


def test_of_many_one_fails(
    platform: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, maas: Run
) -> None:
    """The others are revoked all the same."""
    for _ in range(3):
        maas("keys", "create", "--user", "alice")
    unlucky = sorted(secrets(platform))[0]
    with front(platform) as before:
        before.faults = [Fault(f"/secrets/{unlucky}", status=403)]
        with commands(platform.kubeconfig(url=before.url), monkeypatch, capsys, tmp_path) as through:
            said = through("keys", "revoke", "--user", "alice", "--yes")
    assert said.code == 7
    assert said.err.startswith("error: 2 of 3 keys are revoked; try again for the rest: ")
    assert [each["metadata"]["name"] for each in secrets(platform).values() if "data" in each] == [unlucky]
