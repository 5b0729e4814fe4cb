"""Generation 3's clients find their paths and fields; a key's value is seen once and in no error."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.fake import NOW, FakeControl

SECRET = "freeuser1_key-that-nobody-may-see"


def create(api: TestClient, **changes: Any) -> dict[str, Any]:
    body = {"name": "laptop", "username": "alice", "subscription": "free"} | changes
    answer = api.post("/v1/api-keys", json=body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def test_a_new_key_has_the_fields_of_generation_3(api: TestClient) -> None:
    created = create(api, expiresIn="30d", description="for tests")
    assert created["key"].startswith("sk-maas-")
    assert created["keyPrefix"] == "sk-maas-0000..."
    assert created["createdAt"] == "2023-11-14T22:13:20Z"
    assert created["expiresAt"] == "2023-12-14T22:13:20Z"
    expected = {"name": "laptop", "subscription": "free", "tier": "free", "ephemeral": False, "labels": {}}
    assert created.items() >= expected.items()


def test_its_value_is_never_shown_again(api: TestClient) -> None:
    created = create(api)
    got = api.get(f"/v1/api-keys/{created['id']}")
    assert got.status_code == 200
    assert got.json() == {name: value for name, value in created.items() if name != "key"}


def test_the_owner_is_named_or_is_who_asks(api: TestClient, control: FakeControl) -> None:
    body = {"name": "laptop", "tier": "free"}
    assert "username" in api.post("/v1/api-keys", json=body).json()["error"]["message"]
    answer = api.post("/v1/api-keys", json=body, headers={"X-MaaS-Username": "carol"})
    assert answer.json()["username"] == "carol"
    assert control.actors == ["carol"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subscription": "nix"}, "no tier 'nix'"),
        ({"subscription": None}, "subscription is missing"),
        ({"tier": "premium"}, "must not differ"),
        ({"name": "a\nb"}, "name: must not contain control characters"),
        ({"name": ""}, "name: "),
        ({"expiresIn": "2 days"}, "expiresIn: "),
        ({"expiresIn": "0s"}, "expiresIn: must be longer"),
        ({"expiresIn": "99999d"}, "at most 3650d"),
        ({"ephemeral": True}, "ephemeral: "),
        ({"expires_in": "30d"}, "expires_in: is not known here"),
        ({"labels": {"a": "b"}}, "labels: is not known here"),
    ],
)
def test_what_can_not_be_is_refused_with_its_field(api: TestClient, change: dict[str, Any], said: str) -> None:
    body = {"name": "laptop", "username": "alice", "subscription": "free"} | change
    answer = api.post("/v1/api-keys", json={name: value for name, value in body.items() if value is not None})
    assert answer.status_code == 400
    assert answer.json()["error"].items() >= {"type": "invalid_request_error", "code": "invalid_input"}.items()
    assert said in answer.json()["error"]["message"]


def test_search_filters_sorts_and_pages(api: TestClient, control: FakeControl) -> None:
    for name, user in (("b", "alice"), ("a", "alice"), ("c", "bob")):
        create(api, name=name, username=user)
        control.now += 1
    create(api, name="d", username="alice", expiresIn="1h")
    control.now += 7200

    def found(**wanted: Any) -> list[str]:
        answer = api.post("/v1/api-keys/search", json=wanted).json()
        assert answer["object"] == "list"
        return [key["name"] for key in answer["data"]]

    assert found() == ["d", "c", "a", "b"]
    assert found(filters={"username": "alice", "status": ["active"]}) == ["a", "b"]
    assert found(filters={"status": ["expired", "revoked"]}) == ["d"]
    assert found(sort={"by": "name", "order": "asc"}) == ["a", "b", "c", "d"]
    assert found(sort={"by": "expires_at", "order": "asc"})[0] == "d"
    page = api.post("/v1/api-keys/search", json={"pagination": {"limit": 2, "offset": 1}}).json()
    assert ([key["name"] for key in page["data"]], page["has_more"]) == (["c", "a"], True)
    assert api.post("/v1/api-keys/search").json()["has_more"] is False


def test_a_key_is_revoked_once(api: TestClient) -> None:
    path = f"/v1/api-keys/{create(api)['id']}"
    assert api.delete(path).json()["status"] == "revoked"
    assert api.delete(path).status_code == 404
    assert api.delete("/v1/api-keys/nix").status_code == 404


def test_many_are_revoked_at_once_or_only_counted(api: TestClient) -> None:
    for user in ("alice", "alice", "bob"):
        create(api, username=user)
    assert api.post("/v1/api-keys/bulk-revoke", json={}).status_code == 400
    would = api.post("/v1/api-keys/bulk-revoke", json={"username": "alice", "dryRun": True}).json()
    assert would == {"revokedCount": 2, "message": "2 keys would be revoked", "dryRun": True}
    did = api.post("/v1/api-keys/bulk-revoke", json={"username": "alice"}).json()
    assert did == {"revokedCount": 2, "message": "2 keys revoked", "dryRun": False}
    assert api.post("/v1/api-keys/bulk-revoke", json={"subscription": "free"}).json()["revokedCount"] == 1


def test_rotation_gives_a_successor_and_ends_the_old_key(api: TestClient, control: FakeControl) -> None:
    old = create(api, models=["simulator"])
    new = api.post(f"/v1/api-keys/{old['id']}/rotate", json={"grace": "1h"}).json()
    assert new["key"] != old["key"]
    assert (new["username"], new["models"]) == ("alice", ["simulator"])
    assert control.kept[old["id"]].expires_at == NOW + 3600
    control.now += 3600
    assert api.post(f"/v1/api-keys/{old['id']}/rotate").status_code == 409


def test_an_imported_key_keeps_its_value_and_is_judged(api: TestClient) -> None:
    body = {"name": "old", "username": "alice", "subscription": "free", "key": "freeuser1_key"}
    answer = api.post("/v1/api-keys/import", json=body)
    assert answer.status_code == 201
    assert "bits of entropy" in answer.json()["warnings"][0]
    assert "freeuser1_key" not in answer.text
    again = api.post("/v1/api-keys/import", json=body)
    assert again.status_code == 409
    assert "freeuser1_key" not in again.text


@pytest.mark.parametrize(
    "body",
    [
        {"key": SECRET + " with spaces"},
        {"key": SECRET * 100},
        {"key": [SECRET]},
        {"key": {"value": SECRET}},
        {"key": SECRET, "name": 1},
        {"key": SECRET, "expiresIn": SECRET},
        {"key": SECRET, "tier": "nix"},
        [SECRET],
        SECRET,
    ],
)
def test_no_error_repeats_a_secret(api: TestClient, body: Any, caplog: pytest.LogCaptureFixture) -> None:
    if isinstance(body, dict):
        body = {"name": "n", "username": "alice", "tier": "free"} | body
    answer = api.post("/v1/api-keys/import", json=body)
    assert answer.status_code == 400
    broken = api.post("/v1/api-keys/import", content=f'{{"key": "{SECRET}",,', headers={"content-type": "text/json"})
    assert broken.status_code == 400
    assert SECRET not in answer.text + broken.text + caplog.text


def test_config_says_how_long_a_key_may_live(api: TestClient) -> None:
    assert api.get("/v1/api-keys/config").json() == {"max_expiration_days": 3650, "ephemeral_max_expiration": None}
