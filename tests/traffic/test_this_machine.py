"""maas validate against the real platform on this machine: every promise is tried, and nothing stays behind."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from maas.readiness.findings import Finding, Status
from maas.readiness.traffic.embedded_site import EmbeddedSite
from maas.readiness.traffic.site import Key
from maas.readiness.traffic.validating import validate
from tests.running import Running, running


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    with running() as platform:
        yield platform


def active(up: Running) -> list[dict[str, Any]]:
    found = up.api.post("/v1/api-keys/search", json={"filters": {"status": ["active"]}}).raise_for_status().json()
    return [key for key in found["data"] if key["username"].startswith("maas-validate-")]


def test_a_healthy_platform_keeps_every_promise(up: Running) -> None:
    findings = asyncio.run(validate(EmbeddedSite(up.home)))
    assert {finding.code for finding in findings} == {f"MAAS-{code}" for code in (*range(500, 513), 514)}
    assert {finding.status for finding in findings} == {Status.passed}, [f for f in findings if f.status != "passed"]
    assert active(up) == []


def test_it_really_went_over_the_limit_and_no_further_than_needed(up: Running) -> None:
    def begun() -> int:
        return sum(seen.get("event") == "start" for seen in up.requests_seen())

    before = begun()
    asyncio.run(validate(EmbeddedSite(up.home), only=["MAAS-508"], model="simulator"))
    assert begun() - before == 5  # of 7 that were sent: the model never saw the refused ones


def test_real_users_and_their_quotas_are_not_touched(up: Running) -> None:
    up.key("alice", "free")
    quota = up.api.get("/v1/quota", params={"user": "alice", "tier": "free"}).json()
    keys = up.api.post("/v1/api-keys/search", json={"filters": {"username": "alice"}}).json()["data"]
    asyncio.run(validate(EmbeddedSite(up.home)))
    assert up.api.get("/v1/quota", params={"user": "alice", "tier": "free"}).json() == quota
    assert up.api.post("/v1/api-keys/search", json={"filters": {"username": "alice"}}).json()["data"] == keys


def test_no_key_is_in_any_finding(up: Running) -> None:
    values: list[str] = []

    class Watched(EmbeddedSite):
        async def make_key(self, tier: str, purpose: str) -> Key:
            made = await super().make_key(tier, purpose)
            values.append(made.value)
            return made

    findings = asyncio.run(validate(Watched(up.home)))
    assert len(values) >= 5
    told = repr(findings)
    assert not [value for value in values if value in told]


def test_only_and_skip_choose(up: Running) -> None:
    codes = [f.code for f in asyncio.run(validate(EmbeddedSite(up.home), only=["MAAS-50"], skip=["MAAS-505"]))]
    assert "MAAS-504" in codes and "MAAS-505" not in codes and "MAAS-511" not in codes


def test_a_deadline_that_is_over_is_said_and_nothing_is_called_good(up: Running) -> None:
    findings = asyncio.run(validate(EmbeddedSite(up.home), deadline=0.0))
    judged = {f.code: f for f in findings if f.code != "MAAS-514"}
    assert {f.status for f in judged.values()} == {Status.unknown}
    assert "no time left" in judged["MAAS-502"].message
    assert active(up) == []


def test_a_platform_with_one_tier_and_tokens_only_is_judged_by_its_tokens() -> None:
    with running(tiers="\ntiers:\n  only: {limits: [{tokens: 200, per: 1h}]}\n") as up:
        found = {f.code: f for f in asyncio.run(validate(EmbeddedSite(up.home)))}
    assert found["MAAS-508"].status is Status.skipped
    assert found["MAAS-509"].status is Status.passed, found["MAAS-509"]


def test_a_platform_without_limits_is_told_so() -> None:
    with running(tiers="\ntiers:\n  open: {}\n") as up:
        found = by_code(asyncio.run(validate(EmbeddedSite(up.home))))
    assert found["MAAS-508"].status is Status.failed
    assert "no tier has any limit" in found["MAAS-508"].message
    assert found["MAAS-505"].status is Status.passed


def test_a_dead_model_is_found_and_leaves_no_keys() -> None:
    with running(extra="  gone: {runtime: external, url: 'http://127.0.0.1:9'}\n") as up:
        found = by_code(asyncio.run(validate(EmbeddedSite(up.home), model="gone")))
        assert found["MAAS-505"].status is Status.failed
        assert found["MAAS-506"].status is Status.failed
        assert found["MAAS-504"].status is Status.passed
        assert active(up) == []


def test_a_tier_that_may_not_call_a_model_is_refused(up: Running) -> None:
    found = asyncio.run(validate(EmbeddedSite(up.home), only=["MAAS-512"], model="simulator"))
    assert [f.message for f in found if f.about == "narrow"] == ["the tier narrow may not call simulator: 403"]


def by_code(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.code: finding for finding in findings}
