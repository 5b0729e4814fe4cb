"""Refusals as the official clients see them: the right class, a message that says what to do, and retries that wait."""

from collections.abc import Iterator
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.embedded.sdk import HELLO, SIMULATOR, anthropic_client, hearing, openai_client
from tests.running import Running, eventually, running

TIERS = """
tiers:
  brief: {limits: [{requests: 2, per: 2s}]}
  spent: {limits: [{requests: 1, per: 1h}, {tokens: 100000, per: 1h}]}
  narrow: {models: [other]}
  open: {}
"""


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    with running(tiers=TIERS) as platform:
        yield platform


def ask(up: Running, key: str, model: str = SIMULATOR, **fields: Any) -> Any:
    with openai_client(up, key, **fields) as client:
        return client.chat.completions.create(model=model, messages=HELLO, max_tokens=5)


def message(up: Running, key: str, model: str = SIMULATOR, **fields: Any) -> Any:
    with anthropic_client(up, key, **fields) as client:
        return client.messages.create(model=model, messages=HELLO, max_tokens=5)


# --- 401: each reason has its own code and its own words

REASONS = {
    "missing": ("missing_api_key", "No API key was sent"),
    "unknown": ("invalid_api_key", "not known here"),
    "revoked": ("revoked_api_key", "has been revoked"),
    "expired": ("expired_api_key", "has expired"),
}


def _bad_key(up: Running, why: str) -> str:
    if why == "revoked":
        made = up.made_key("revoked", "open")
        up.api.delete(f"/v1/api-keys/{made['id']}").raise_for_status()
        return str(made["key"])
    if why == "expired":
        made = up.made_key("expired", "open", expiresIn="1s")
        eventually(lambda: up.api.get(f"/v1/api-keys/{made['id']}").json()["status"] == "expired")
        return str(made["key"])
    return "sk-maas-nobody-knows-me"


@pytest.mark.parametrize("why", REASONS)
def test_a_key_that_is_no_good(up: Running, why: str) -> None:
    code, words = REASONS[why]
    key = _bad_key(up, why)
    headers: Any = {"Authorization": openai.Omit()} if why == "missing" else {}
    with openai_client(up, key) as client, pytest.raises(openai.AuthenticationError, match=words) as raised:
        client.chat.completions.create(model=SIMULATOR, messages=HELLO, extra_headers=headers)
    assert raised.value.code == code
    assert raised.value.response.headers["www-authenticate"].startswith("Bearer")
    assert key not in raised.value.message
    with openai_client(up, key) as client, pytest.raises(openai.AuthenticationError, match=words):
        client.models.list(extra_headers=headers)


@pytest.mark.parametrize("why", ["unknown", "revoked", "expired"])
def test_a_key_that_is_no_good_for_messages(up: Running, why: str) -> None:
    with pytest.raises(anthropic.AuthenticationError, match=REASONS[why][1]) as raised:
        message(up, _bad_key(up, why))
    body: Any = raised.value.body
    assert (body["type"], body["error"]["type"]) == ("error", "authentication_error")


# --- 403 and 404


def test_a_model_that_the_tier_does_not_have(up: Running) -> None:
    key = up.key("narrow", "narrow")
    assert ask(up, key, "other").choices
    with pytest.raises(openai.PermissionDeniedError, match="not open to the tier 'narrow'") as raised:
        ask(up, key)
    assert (raised.value.code, raised.value.param) == ("model_not_allowed", "model")
    with pytest.raises(anthropic.PermissionDeniedError, match="not open to the tier 'narrow'"):
        message(up, key)


def test_a_model_that_the_key_is_not_for(up: Running) -> None:
    key = up.key("scoped", "open", models=["other"])
    assert ask(up, key, "other").choices
    with pytest.raises(openai.PermissionDeniedError, match="not open to this API key"):
        ask(up, key)


def test_a_model_that_does_not_exist(up: Running) -> None:
    key = up.key("lost", "open")
    with pytest.raises(openai.NotFoundError, match="'gpt-0' does not exist") as raised:
        ask(up, key, "gpt-0")
    assert raised.value.code == "model_not_found"
    with pytest.raises(anthropic.NotFoundError, match="'gpt-0' does not exist"):
        message(up, key, "gpt-0")


@pytest.mark.parametrize("path", ["/files", "/audio/speech", "/chat", "/batches"])
def test_an_endpoint_that_does_not_exist(up: Running, path: str) -> None:
    key, unknown = up.key("lost", "open"), pytest.raises(openai.NotFoundError, match="There is nothing at")
    with openai_client(up, key) as client, unknown:
        client.post(path, body={"model": SIMULATOR}, cast_to=object)


# --- 400


def test_no_model(up: Running) -> None:
    with openai_client(up, up.key("careless", "open")) as client:
        for body in ({"messages": HELLO}, {"messages": HELLO, "model": ""}, {"messages": HELLO, "model": None}):
            with pytest.raises(openai.BadRequestError, match="names no `model`"):
                client.post("/chat/completions", body=body, cast_to=object)


def test_two_models(up: Running) -> None:
    key = up.key("careless", "open")
    with openai_client(up, key, "/other/v1") as client:
        with pytest.raises(openai.BadRequestError, match="the path names 'other', the body names 'simulator'"):
            client.chat.completions.create(model=SIMULATOR, messages=HELLO)
        assert client.chat.completions.create(model="other", messages=HELLO).choices
    with pytest.raises(openai.BadRequestError, match="the host names 'other'"):
        ask(up, key, default_headers={"host": "other.maas.local"})


def test_what_the_model_refuses_is_told_in_its_own_words(up: Running) -> None:
    with (
        openai_client(up, up.key("careless", "open")) as client,
        pytest.raises(openai.BadRequestError, match="messages"),
    ):
        client.chat.completions.create(model=SIMULATOR, messages=[])


# --- 429


def test_over_the_limit(up: Running) -> None:
    key = up.key("spender", "spent")
    ask(up, key)
    with pytest.raises(openai.RateLimitError, match="Over the limit of 1 requests per 1h") as raised:
        ask(up, key)
    headers = raised.value.response.headers
    assert (raised.value.code, raised.value.type) == ("rate_limit_exceeded", "requests")
    assert 3000 < int(headers["retry-after"]) <= 3600
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]) == ("1", "0")
    assert int(headers["x-ratelimit-remaining-tokens"]) > 99_000, "a refused request burns nothing"
    with pytest.raises(anthropic.RateLimitError, match="Over the limit") as also:
        message(up, key)
    body: Any = also.value.body
    assert body["error"]["type"] == "rate_limit_error"


@pytest.mark.parametrize("call", [ask, message])
def test_the_client_waits_as_long_as_it_is_told_and_then_succeeds(up: Running, call: Any) -> None:
    """Two requests in two seconds: whoever goes on is refused once, waits by itself, and never notices."""
    key = up.key(f"patient-{call.__name__}", "brief")
    with hearing() as heard:
        while 429 not in heard.statuses:
            call(up, key, http_client=heard.http, max_retries=2)
    refused = heard.answers[heard.statuses.index(429)]
    assert heard.statuses[-2:] == [429, 200]
    assert refused.headers["retry-after"] in ("1", "2")


# --- ways to present a key


@pytest.mark.parametrize(
    "header", ["authorization: APIKEY {}", "authorization: apikey {}", "authorization: bearer {}", "x-api-key: {}"]
)
def test_ways_to_present_a_key(up: Running, header: str) -> None:
    name, _, form = header.partition(": ")
    headers = {name: form.format(up.key("presenter", "open"))}
    body = {"model": SIMULATOR, "messages": HELLO}
    assert httpx.post(f"{up.url}/v1/chat/completions", json=body, headers=headers).status_code == 200
    assert httpx.get(f"{up.url}/v1/models", headers=headers).status_code == 200


def test_the_anthropic_client_with_a_token_instead_of_a_key(up: Running) -> None:
    with anthropic.Anthropic(auth_token=up.key("presenter", "open"), base_url=up.url) as client:
        assert client.messages.create(model=SIMULATOR, messages=HELLO, max_tokens=5).content
