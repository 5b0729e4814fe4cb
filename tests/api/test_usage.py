"""Usage, records and explanations over the API."""

import pytest
from starlette.testclient import TestClient


def test_usage_is_exact_and_has_a_total(api: TestClient) -> None:
    usage = api.get("/v1/usage", params={"by": "user", "since": "24h"}).json()
    assert (usage["since"], usage["until"]) == ("2023-11-13T22:13:20Z", "2023-11-14T22:13:20Z")
    assert usage["data"][0] == {
        "name": "alice",
        "requests": 12,
        "prompt_tokens": 300,
        "completion_tokens": 4500,
        "total_tokens": 4800,
        "cost": "0.002745",
        "estimated": 0,
        "failed": 1,
    }
    assert (usage["total"]["requests"], usage["total"]["cost"]) == (13, "0.0027585")
    only = api.get("/v1/usage", params={"user": "bob"}).json()
    assert [row["name"] for row in only["data"]] == ["bob"]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("1d", "2023-11-13T22:13:20Z"),
        ("9" * 30 + "d", "1970-01-01T00:00:00Z"),
        ("2023-11-01", "2023-11-01T00:00:00Z"),
        ("2023-11-01T12:00:00+02:00", "2023-11-01T10:00:00Z"),
    ],
)
def test_a_time_is_written_as_people_do(api: TestClient, since: str, expected: str) -> None:
    assert api.get("/v1/usage", params={"since": since}).json()["since"] == expected


@pytest.mark.parametrize("since", ["yesterday", "", "0001-01-01T00:00:00+23:00", "2999-01-01"])
def test_what_is_no_time_is_refused(api: TestClient, since: str) -> None:
    answer = api.get("/v1/usage", params={"since": since})
    assert answer.status_code == 400
    assert "since: " in answer.json()["error"]["message"]


def test_records_come_as_csv(api: TestClient) -> None:
    answer = api.get("/v1/usage/records", params={"since": "1h"})
    assert answer.headers["content-type"].startswith("text/csv")
    header, line = answer.text.splitlines()
    assert dict(zip(header.split(","), line.split(","), strict=True))["completion_tokens"] == "20"
    assert len(api.get("/v1/usage/records", params={"since": "1s"}).text.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("user", "alice"), ("model", "simulator"), ("tier", "free"), ("key", "key_1")]
)
def test_records_may_be_of_one_alone(api: TestClient, name: str, value: str) -> None:
    lines = [api.get("/v1/usage/records", params={name: one}).text.splitlines() for one in (value, "another")]
    assert list(map(len, lines)) == [2, 1]


def test_a_request_is_explained(api: TestClient) -> None:
    admitted = api.get("/v1/requests/req-1").json()
    assert (admitted["verdict"], admitted["status"], admitted["cost"]) == ("admitted", 200, "0.0000135")
    refused = api.get("/v1/requests/req-2").json()
    assert (refused["verdict"], refused["why"]) == ("refused", "rate_limit_exceeded")
    assert refused["limits"][0]["remaining"] == "0"
    assert api.get("/v1/requests/nix").status_code == 404
