"""What Limitador and the models' servers count, read as they write it."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest

from maas.cluster.control import limitador, spent
from maas.cluster.failures import Missing
from maas.domain import platform_file
from maas.domain.admission import Status
from maas.domain.errors import Unavailable
from maas.domain.platform import Platform, Tier

TIERS = """
models:
  simulator: {runtime: simulator, price: {input: 1, output: 2}}
  afar: {runtime: external, url: http://example.com}
tiers:
  free: {limits: [{requests: 5, per: 2m}, {tokens: 5, per: 2m}, {requests: 100, per: 1d}]}
"""
_PROXY = "/api/v1/namespaces/kuadrant-system/services/limitador-limitador:8080/proxy"


@pytest.fixture
def platform() -> Platform:
    return platform_file.load(TIERS)


@pytest.fixture
def free(platform: Platform) -> Tier:
    return platform.tiers["free"]


@dataclass
class Answering:
    """Of the Api what is asked of it: JSON or text, by path."""

    answers: dict[str, Any] = field(default_factory=dict)
    described: str = "a test"
    asked: list[str] = field(default_factory=list)

    async def text(self, path: str) -> str:
        self.asked.append(path)
        if path not in self.answers:
            raise Missing("the cluster does not serve this API (404)")
        found = self.answers[path]
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, str) else json.dumps(found)

    async def get(self, path: str) -> Any:
        return self.answers[path]


def counter(kind: str, most: int, seconds: int, user: str, remaining: int, *, tier: str = "free") -> dict[str, Any]:
    """As Limitador's GET /counters/NAMESPACE has it."""
    return {
        "limit": {
            "namespace": "llm/simulator",
            "max_value": most,
            "seconds": seconds,
            "name": tier,
            "conditions": [f'descriptors[0]["{kind}.{tier}__0a1b2c3d"] == "1"'],
            "variables": ['descriptors[0]["auth.identity.userid"]'],
        },
        "set_variables": {'descriptors[0]["auth.identity.userid"]': user},
        "remaining": remaining,
        "expires_in_seconds": 51,
    }


def left(api: Answering, tier: Tier, *routes: str) -> list[Status]:
    return asyncio.run(limitador.statuses(api, "alice", tier, routes))  # type: ignore[arg-type]


def test_what_is_left_of_each_limit(free: Tier) -> None:
    counters = [
        counter("limit", 5, 120, "alice", 3),
        counter("tokenlimit", 5, 120, "alice", 0),
        counter("limit", 5, 120, "bob", 1),
        counter("limit", 5, 120, "alice", 2, tier="premium"),
    ]
    api = Answering({f"{_PROXY}/counters/llm%2Fsimulator": counters})
    by_requests, by_tokens, by_day = left(api, free, "llm/simulator")
    assert (by_requests.remaining, by_requests.resets_in) == (3, 51)
    assert (by_tokens.remaining, by_tokens.resets_in) == (0, 51)
    assert (by_day.remaining, by_day.resets_in) == (100, 86400), "nothing was counted yet"
    assert [unquote(each) for each in api.asked] == [f"{_PROXY}/counters/llm/simulator"]


def test_at_the_address_where_least_is_left(free: Tier) -> None:
    api = Answering(
        {
            f"{_PROXY}/counters/llm%2Fmaas": [counter("limit", 5, 120, "alice", 1)],
            f"{_PROXY}/counters/llm%2Fsimulator": [counter("limit", 5, 120, "alice", 4)],
        }
    )
    assert left(api, free, "llm/simulator", "llm/maas", "llm/never-called")[0].remaining == 1


@pytest.mark.parametrize("answer", ["<html>", Missing("services not found", object_named=True)])
def test_without_limitador(free: Tier, answer: Any) -> None:
    with pytest.raises(Unavailable, match=r"Limitador, which counts, does not answer"):
        left(Answering({f"{_PROXY}/counters/llm%2Fmaas": answer}), free, "llm/maas")


METRICS = """\
# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{model_name="simulator"} 120.0
vllm:generation_tokens_total{model_name="simulator"} 1.5e+03
vllm:request_success_total{finished_reason="stop",model_name="simulator"} 7.0
vllm:request_success_total{finished_reason="length",model_name="simulator"} 3.0
vllm:request_success_created{finished_reason="stop",model_name="simulator"} 1.7e+09
"""


def test_tokens_of_all_pods_of_a_model(platform: Platform) -> None:
    pods = "/api/v1/namespaces/llm/pods"
    chosen = "labelSelector=serving.kserve.io%2Finferenceservice%3Dsimulator"
    api = Answering(
        {
            f"{pods}?{chosen}": {"items": [_pod("a"), _pod("b"), _pod("c", "Pending")]},
            f"{pods}/a:8080/proxy/metrics": METRICS,
            f"{pods}/b:8080/proxy/metrics": METRICS.replace("120.0", "1.0"),
        }
    )
    (row,) = asyncio.run(spent.by_model(api, platform, "llm"))  # type: ignore[arg-type]
    assert (row.name, row.requests, row.prompt_tokens, row.completion_tokens) == ("simulator", 20, 121, 3000)
    assert row.cost == platform.models["simulator"].price.cost(121, 3000)


def _pod(name: str, phase: str = "Running") -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"phase": phase}}
