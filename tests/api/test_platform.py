"""Tiers, models and maas.yaml over the API."""

from starlette.testclient import TestClient

from maas.domain.platform_file import default_text
from tests.api.fake import FakeControl


def test_tiers_tell_their_limits(api: TestClient, control: FakeControl) -> None:
    control.text = control.text.replace(
        "  free:", "  paid: {limits: [{money: 2.50, per: 30d}], models: [simulator]}\n  free:"
    )
    paid = api.get("/v1/tiers/paid").json()
    assert paid["limits"] == [{"unit": "money", "amount": "2.5", "per": "30d", "seconds": 2592000}]
    assert paid["models"] == ["simulator"]
    free = api.get("/v1/tiers/free").json()
    assert free["limits"][0] == {"unit": "requests", "amount": "5", "per": "2m", "seconds": 120}
    assert free["models"] is None
    assert [tier["name"] for tier in api.get("/v1/tiers").json()["data"]] == ["paid", "free", "premium", "enterprise"]
    assert api.get("/v1/tiers/nix").json()["error"]["code"] == "not_found"


def test_a_quota_tells_what_is_left(api: TestClient) -> None:
    left = api.get("/v1/quota", params={"user": "alice", "tier": "free"}).json()
    assert [(line["remaining"], line["resets_in"]) for line in left["limits"]] == [("2", 42.5), ("100", 42.5)]
    assert api.get("/v1/quota", params={"user": "alice", "tier": "nix"}).status_code == 404


def test_a_model_is_added_to_the_file_and_removed_again(api: TestClient, control: FakeControl) -> None:
    new = {"name": "llama", "runtime": "external", "url": "http://h:1", "price": {"input": 0.15, "output": "0.6"}}
    added = api.post("/v1/models", json=new)
    assert added.status_code == 201
    assert added.json()["price"] == {"input": "0.15", "output": "0.6"}
    assert "price: {input: 0.15, output: 0.6}" in control.text
    assert [model["id"] for model in api.get("/v1/models").json()["data"]] == ["simulator", "llama"]
    assert api.post("/v1/models", json=new).status_code == 409
    assert api.delete("/v1/models/llama").json() == {"id": "llama", "object": "model", "deleted": True}
    assert control.text == default_text()
    assert api.delete("/v1/models/llama").status_code == 404


def test_a_model_that_can_not_be_is_refused(api: TestClient) -> None:
    answer = api.post("/v1/models", json={"name": "Llama", "runtime": "simulator"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_platform"
    assert "write for example llama" in answer.json()["error"]["message"]


def test_apply_tells_what_changes_and_then_does_it(api: TestClient, control: FakeControl) -> None:
    text = default_text().replace("requests: 5,", "requests: 7,")
    change = {
        "kind": "changed",
        "place": "tiers.free.limits.requests per 2m",
        "before": "5",
        "after": "7",
        "text": "~ tiers.free.limits.requests per 2m: 5 -> 7",
    }
    tried = api.post("/v1/platform/apply", json={"text": text, "dryRun": True})
    assert tried.json() == {"changes": [change], "dryRun": True}
    assert control.text == default_text()
    assert api.post("/v1/platform/apply", json={"text": text}).json() == {"changes": [change], "dryRun": False}
    assert api.get("/v1/platform").json() == {"text": text}


def test_every_problem_of_a_file_is_told(api: TestClient) -> None:
    error = api.post("/v1/platform/apply", json={"text": "models: 1\nusage: {days: x}\n"}).json()["error"]
    assert error["code"] == "invalid_platform"
    assert [line.split(":")[0] for line in error["message"].splitlines()] == [
        "maas.yaml line 1, models",
        "maas.yaml line 2, usage.days",
    ]
