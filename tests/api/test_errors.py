"""Whatever goes wrong, the answer has one shape and tells no more than it must."""

from collections.abc import Iterator
from typing import NoReturn

import pytest
from starlette.testclient import TestClient

from maas.api.codes import code_of, error_of
from maas.domain import errors
from tests.api.fake import FakeControl


def code(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]  # type: ignore[attr-defined]


def test_unknown_paths_and_methods(api: TestClient) -> None:
    assert code(api.get("/v1/nix")) == (404, "unknown_url")
    assert code(api.put("/v1/tiers")) == (405, "method_not_allowed")
    assert api.put("/v1/tiers").headers["allow"] == "GET"


def test_a_large_body_is_not_read(api: TestClient) -> None:
    assert code(api.post("/v1/platform/apply", json={"text": "x" * 2**20})) == (413, "request_too_large")

    def chunks() -> Iterator[bytes]:
        yield from (b"x" * 2**16 for _ in range(17))

    sent = api.post("/v1/platform/apply", content=chunks(), headers={"content-type": "application/json"})
    assert code(sent) == (413, "request_too_large")


def test_a_part_that_failed_is_named(api: TestClient, control: FakeControl) -> None:
    assert api.get("/health").json() == {"status": "healthy", "parts": {"journal": "ok", "ledger": "ok"}}
    control.parts["ledger"] = "the disk is full"
    answer = api.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")


def test_what_nobody_foresaw_stays_inside(api: TestClient, control: FakeControl) -> None:
    def failing() -> NoReturn:
        raise RuntimeError("sk-maas-secret")

    control.keys = failing  # type: ignore[method-assign]
    answer = api.post("/v1/api-keys/search")
    assert code(answer) == (500, "internal_error")
    assert "sk-maas" not in answer.text


def test_metrics_are_passed_on(api: TestClient) -> None:
    answer = api.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "authorized_calls_total 1.0" in answer.text


@pytest.mark.parametrize(
    "kind", [errors.InvalidInput, errors.NotFound, errors.Conflict, errors.NotRunning, errors.Unavailable]
)
def test_clients_get_the_error_back_that_was_raised(kind: type[errors.MaasError]) -> None:
    back = error_of(400, code_of(kind("said")).code, "said")
    assert (type(back), str(back)) == (kind, "said")


@pytest.mark.parametrize(
    ("status", "kind"), [(404, errors.NotFound), (413, errors.InvalidInput), (500, errors.MaasError)]
)
def test_answers_of_the_framework_go_by_their_status(status: int, kind: type[errors.MaasError]) -> None:
    assert type(error_of(status, "of the framework", "said")) is kind


def test_problems_of_a_file_stay_apart() -> None:
    back = error_of(400, code_of(errors.InvalidPlatform(["a", "b"])).code, "a\nb")
    assert isinstance(back, errors.InvalidPlatform)
    assert back.problems == ("a", "b")
