"""A request's walk: to admission, to the model, and back."""

import json
import uuid
from functools import partial

import pytest

from maas.embedded.access_log import ending
from tests.gateway_config.running import CHAT, KEY, MODEL, USAGE, Running, error_of, to_model
from tests.gateway_config.server import Answer, Asked, said

ASK = {"model": "chatty", "messages": []}


def test_an_admitted_request_reaches_the_model_and_its_answer_the_client(up: Running) -> None:
    answer = up.post(ASK)

    assert answer.status_code == 200
    assert answer.json()["usage"] == USAGE
    assert answer.headers["server"] == "maas"
    assert answer.headers["x-ratelimit-remaining-requests"] == "4"
    assert not [name for name in answer.headers if name.startswith(("x-envoy-", "x-maas-"))]


def test_one_request_id_is_known_to_client_admission_model_and_log(up: Running) -> None:
    request_id = up.post(ASK).headers["x-request-id"]

    assert uuid.UUID(request_id).version == 4
    assert up.admission.last["x-request-id"] == request_id
    assert up.model.last["x-request-id"] == request_id
    assert up.log_line(request_id)["cluster"] == MODEL


def test_the_log_has_what_settles_and_explains_a_request_but_no_secret(up: Running) -> None:
    line = up.log_line(up.post(ASK, path=f"{CHAT}?secret=1").headers["x-request-id"])

    assert line["path"] == CHAT
    assert (line["method"], line["status"], line["flags"]) == ("POST", 200, "-")
    assert (line["prompt"], line["completion"]) == (7, 2)
    assert line["received"] == len('{"model": "chatty", "messages": []}')
    assert line["sent"] > 0
    assert float(line["start"]) > 1e9
    assert 0 <= line["first_ms"] <= line["ms"]
    assert line["ctype"] == "application/json"
    assert "sk-maas-test" not in up.home.access_log.read_text()


def test_a_model_is_not_asked_to_compress_its_answer_whose_usage_is_to_be_read(up: Running) -> None:
    up.post(ASK, **{"accept-encoding": "gzip, br"})

    assert up.model.last["accept-encoding"] is None


def test_a_model_sees_neither_the_key_nor_the_platform_s_headers_nor_the_client_s_address(up: Running) -> None:
    up.post(ASK, **{"x-api-key": "sk-other", "cookie": "a=b"})

    private = {"authorization", "x-api-key", "cookie", "x-forwarded-for", "x-forwarded-proto"}
    assert not up.model.last.names & private
    assert not [name for name in up.model.last.names if name.startswith(("x-maas-", "x-envoy-"))]


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/chatty/v1/chat/completions", "/v1/chat/completions"),
        ("/llm/chatty/v1/messages", "/v1/messages"),
        ("/llm/chatty/v1/messages?beta=true", "/v1/messages?beta=true"),
        ("/llm/v1/embeddings", "/v1/embeddings"),
    ],
)
def test_a_model_sees_its_own_path(up: Running, asked: str, seen: str) -> None:
    up.post(ASK, path=asked)

    assert up.admission.last.path == f"/authz{asked}"
    assert up.model.last.path == seen


def test_the_host_that_admission_sees_has_no_port(up: Running) -> None:
    up.post(ASK, host="chatty.maas.local:8443")

    assert up.admission.last["host"] == "chatty.maas.local"


def test_a_refusal_reaches_the_client_as_admission_wrote_it(up: Running) -> None:
    with up.client() as client:
        answer = client.post(CHAT, json=ASK)

    assert answer.status_code == 401
    assert error_of(answer)["code"] == "no_key"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["x-ratelimit-limit-requests"] == "5"
    assert uuid.UUID(answer.headers["x-request-id"])
    assert not {"x-secret", "x-envoy-upstream-service-time"} & answer.headers.keys()
    assert not up.model.asked


def test_discovery_is_answered_by_the_control_plane(up: Running) -> None:
    with up.client(headers=KEY) as client:
        assert client.get("/v1/models").json() == {"control": "/v1/models"}
    assert not up.model.asked


def test_what_admission_sends_nowhere_ends_at_the_control_plane(up: Running) -> None:
    up.admission.handler = lambda asked: Answer() if asked.path.startswith("/authz") else said({}, 404)

    assert up.post(ASK).status_code == 404
    assert not up.model.asked


def test_health_asks_nobody_for_permission(up: Running) -> None:
    with up.client() as client:
        assert client.get("/health").status_code == 200
    assert [asked.path for asked in up.admission.asked] == ["/health"]


@pytest.mark.parametrize(
    ("path", "usage", "told"),
    [
        (CHAT, USAGE, ("7", "2", "9")),
        ("/v1/responses", {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}, ("3", "4", "7")),
        ("/v1/messages", {"input_tokens": 3, "output_tokens": 4}, ("3", "4", "7")),
        ("/v1/embeddings", {"prompt_tokens": 5, "total_tokens": 5}, ("5", "0", "5")),
        (CHAT, None, (None, None, None)),
        ("/v1/embeddings", None, (None, None, None)),
    ],
)
def test_the_usage_of_a_plain_answer_is_told_in_headers(
    up: Running, path: str, usage: object, told: tuple[str | None, ...]
) -> None:
    up.model.handler = lambda asked: said({"id": "x", "usage": usage, "data": [{"usage": 1}]})

    answer = up.post(ASK, path=path)

    assert tuple(answer.headers.get(f"x-odhu-usage-{kind}-tokens") for kind in ("input", "output", "total")) == told
    line = up.log_line(answer.headers["x-request-id"])
    assert [None if count is None else str(count) for count in (line["prompt"], line["completion"])] == [*told[:2]]


@pytest.mark.parametrize(
    "value", [-1, 1e300, True, None, [1], {"a": 1}, "7", "inf", "nan", "1e400", "a\r\nx-evil: 1", "é"]
)
@pytest.mark.parametrize("name", ["prompt_tokens", "output_tokens", "total_tokens"])
def test_only_counts_are_told_as_usage(up: Running, name: str, value: object) -> None:
    up.model.handler = lambda asked: said({"usage": {name: value}})

    answer = up.post(ASK)

    assert answer.status_code == 200
    assert not [header for header in answer.headers if header.startswith(("x-odhu-", "x-evil"))]
    ended = ending(json.dumps(up.log_line(answer.headers["x-request-id"])).encode())
    assert ended is not None
    assert ended.prompt in (None, 0, 10**9)
    assert ended.completion in (None, 0, 10**9)


@pytest.mark.parametrize("usage", [5, [USAGE], "x", {"prompt_tokens": 2**64}])
def test_no_usage_is_told_that_cannot_be_read(up: Running, usage: object) -> None:
    up.model.handler = lambda asked: said({"usage": usage})

    assert "x-odhu-usage-input-tokens" not in up.post(ASK).headers


def test_a_fraction_of_a_token_is_none(up: Running) -> None:
    up.model.handler = lambda asked: said({"usage": {"prompt_tokens": 2.9, "completion_tokens": 1e3}})

    headers = up.post(ASK).headers

    assert [headers[f"x-odhu-usage-{kind}-tokens"] for kind in ("input", "output", "total")] == ["2", "1000", "1002"]


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "application/json;x"])
def test_the_usage_is_read_however_the_model_writes_its_type(up: Running, content_type: str) -> None:
    body = json.dumps({"usage": USAGE}).encode()
    up.model.handler = lambda asked: Answer(headers={"content-type": content_type}, body=body)

    assert up.post(ASK).headers["x-odhu-usage-total-tokens"] == "9"


def _json(body: bytes, asked: Asked) -> Answer:
    return Answer(headers={"content-type": "application/json"}, body=body)


def test_what_is_nested_too_deep_is_not_read_and_passes(up: Running) -> None:
    """Parsers have overflowed their stacks on less, and so would one that frees the parts by recursion."""
    for body in (b"[" * 1_000_000 + b"]" * 1_000_000, b'{"usage":' * 1_000_000 + b"1" + b"}" * 1_000_000):
        up.model.handler = partial(_json, body)
        assert up.post(ASK).content == body


def test_a_model_cannot_speak_for_the_platform(up: Running) -> None:
    up.model.handler = lambda asked: said(
        {"usage": USAGE}, server="evil", x_ratelimit_remaining_tokens="999", x_odhu_usage_input_tokens="0"
    )

    answer = up.post(ASK)

    assert answer.headers["server"] == "maas"
    assert "x-ratelimit-remaining-tokens" not in answer.headers
    assert answer.headers["x-odhu-usage-input-tokens"] == "7"


def test_a_client_cannot_have_itself_metered_at_nothing_by_naming_a_field_usage(up: Running) -> None:
    echoed = {"tools": [{"parameters": {"usage": {"input_tokens": 0, "output_tokens": 0}}}]}
    used = {"usage": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}}
    up.model.handler = lambda asked: said({**echoed, **used, "metadata": echoed})

    assert up.post(ASK, path="/v1/responses").headers["x-odhu-usage-output-tokens"] == "4"


def test_large_answers_pass(up: Running) -> None:
    embedding = {"object": "embedding", "embedding": [0.123456789] * 1536}
    answer = {"data": [embedding] * 1000, "usage": {"prompt_tokens": 5, "total_tokens": 5}}
    up.model.handler = lambda asked: said(answer)

    received = up.post(ASK, path="/v1/embeddings")

    assert len(received.content) > 20 * 1000 * 1000
    assert received.headers["x-odhu-usage-input-tokens"] == "5"


def test_a_cluster_that_is_named_by_admission_only(up: Running) -> None:
    up.admission.handler = lambda asked: to_model(asked, "no-such-cluster")

    answer = up.post(ASK)

    assert answer.status_code == 503
    assert error_of(answer)["code"] == "model_unavailable"
