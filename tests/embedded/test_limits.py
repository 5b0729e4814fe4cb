"""Limits as clients meet them: through a real Envoy, with the model's own count beside ours."""

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest

from maas.domain import durations
from tests.running import PATIENCE, Running, bearer, eventually, running


def test_five_of_seven_then_429(up: Running) -> None:
    key = up.key("ann", "free")
    answers = [up.chat(key, max_tokens=5) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    refused = answers[-1]
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert 0 < int(refused.headers["retry-after"]) <= 120
    error = refused.json()["error"]
    assert (error["code"], error["type"]) == ("rate_limit_exceeded", "requests")
    assert "5 requests per 2m" in error["message"]
    assert up.chat(up.key("bob", "free"), max_tokens=5).status_code == 200, "another user of the tier"


def test_five_of_seven_as_a_user_would_try_it(up: Running) -> None:
    """No max_tokens, the tiers of the file that `maas init` writes."""
    for number in range(5):
        key = up.key(f"trying-{number}", "free")
        assert [up.chat(key).status_code for _ in range(7)] == [200] * 5 + [429] * 2


def test_seven_at_once_without_max_tokens(up: Running) -> None:
    """Each holds all the tokens that are left, so they pass one after the other, but five of them do pass."""
    key = up.key("ann-at-once", "roomy")
    statuses = asyncio.run(_at_once(up, key, 7, {}))
    assert sorted(statuses) == [200] * 5 + [429] * 2


def test_the_window_ends_when_it_says(up: Running) -> None:
    key = up.key("brief", "brief")
    assert [up.chat(key).status_code for _ in range(3)] == [200, 200, 429]
    refused = up.chat(key)
    told = time.monotonic()
    left = refused.headers["x-ratelimit-reset-requests"]
    seconds = durations.parse(left)
    eventually(lambda: up.chat(key).status_code == 200, within=seconds + 1)
    assert time.monotonic() - told >= seconds - 1.1, f"told {left}, which is rounded up"


def test_discovery_is_free_and_open_when_the_quota_is_spent(up: Running) -> None:
    key = up.key("spent", "brief")
    for _ in range(3):
        up.chat(key)
    listed = httpx.get(f"{up.url}/v1/models", headers=bearer(key))
    assert listed.status_code == 200
    assert [model["id"] for model in listed.json()["data"]] == ["other", "simulator"]
    assert listed.headers["x-ratelimit-remaining-requests"] == "0"


def test_usage_headers_and_ledger_agree(up: Running) -> None:
    key = up.key("counted", "open")
    answer = up.chat(key, max_tokens=7)
    usage = answer.json()["usage"]
    told = {name: int(answer.headers[f"x-odhu-usage-{name}-tokens"]) for name in ("input", "output", "total")}
    assert told == {
        "input": usage["prompt_tokens"],
        "output": usage["completion_tokens"],
        "total": usage["total_tokens"],
    }
    row = eventually(lambda: up.usage().get("counted"))
    assert (row["prompt_tokens"], row["completion_tokens"]) == (usage["prompt_tokens"], usage["completion_tokens"])


@pytest.fixture(scope="module")
def slow() -> Iterator[Running]:
    """Slow enough for fifty requests to be under way at once."""
    with running("time-to-first-token: 150ms, inter-token-latency: 10ms, mode: echo") as platform:
        yield platform


OVERSHOOT: dict[str, dict[str, object]] = {
    "whole": {"max_tokens": 20},
    "streams": {"max_tokens": 20, "stream": True},
    "whole answers of unknown length": {},
    "streams of unknown length": {"stream": True},
}


@pytest.mark.parametrize("kind", OVERSHOOT)
def test_fifty_at_once_overshoot_by_at_most_one_answer(slow: Running, kind: str) -> None:
    """200 tokens in an hour, answers of 20 or 30: at most 229 are spent, by the model's own count."""
    user = f"fifty-{kind}"
    before = _spent(slow)
    statuses = asyncio.run(_at_once(slow, slow.key(user, "tokens"), 50, OVERSHOOT[kind] | _words(20)))
    assert set(statuses) == {200, 429}
    spent = eventually(lambda: _settled(slow) and _spent(slow)) - before
    assert 0 < spent <= 230, spent
    eventually(lambda: slow.usage().get(user, {}).get("total_tokens") == spent)


def test_aborted_streams_are_charged_what_was_streamed(slow: Running) -> None:
    key = slow.key("aborted", "tokens")
    before = _spent(slow)

    async def cut_off() -> None:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            await asyncio.gather(*(_abort(client, slow, key) for _ in range(50)))

    for _ in range(4):
        asyncio.run(cut_off())
    spent = eventually(lambda: _settled(slow) and _spent(slow)) - before
    assert spent <= 230, spent
    what = "estimated from what was streamed, and never nothing"
    eventually(lambda: slow.usage().get("aborted", {}).get("total_tokens", 0) >= 0.5 * spent, what)


def _words(count: int) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": " ".join(["w"] * count)}]}


async def _at_once(up: Running, key: str, count: int, body: dict[str, object]) -> list[int]:
    content = {"model": "simulator", "messages": [{"role": "user", "content": "Hello"}], **body}
    async with httpx.AsyncClient(timeout=PATIENCE, headers=bearer(key), limits=httpx.Limits()) as client:
        answers = await asyncio.gather(
            *(client.post(f"{up.url}/v1/chat/completions", json=content) for _ in range(count))
        )
    return [answer.status_code for answer in answers]


async def _abort(client: httpx.AsyncClient, up: Running, key: str) -> None:
    """Read a few events of a stream, then hang up."""
    content = {"model": "simulator", "stream": True, "max_tokens": 20, **_words(20)}
    url = f"{up.url}/v1/chat/completions"
    async with client.stream("POST", url, json=content, headers=bearer(key)) as answer:
        if answer.status_code == 200:
            events = 0
            async for line in answer.aiter_lines():
                events += line.startswith("data:")
                if events >= 8:
                    return


def _spent(up: Running) -> int:
    """By the model's own count."""
    ended = [line for line in up.requests_seen() if line.get("event") != "start"]
    return sum(line["prompt_tokens"] + line["completion_tokens"] for line in ended)


def _settled(up: Running) -> bool:
    lines = up.requests_seen()
    return sum(1 for line in lines if line["event"] == "start") * 2 == len(lines)
