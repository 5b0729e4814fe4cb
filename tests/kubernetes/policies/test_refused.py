"""What a cluster cannot keep is refused before anything is changed, with the tier's name and what to write instead."""

import pytest

from maas.cluster.resources import policies
from maas.domain.errors import InvalidInput
from tests.kubernetes.policies.platforms import wanted


def test_money() -> None:
    tiers = "tiers: {gold: {limits: [{requests: 5, per: 2m}, {money: 10, per: 30d}]}}"
    with pytest.raises(InvalidInput) as refused:
        policies.objects(wanted(tiers))
    assert str(refused.value) == (
        "tiers.gold.limits[1]: 10 money per 30d cannot be kept on a cluster, which counts requests and tokens and knows"
        " no prices; write tokens instead, such as {tokens: 5_000_000, per: 30d}"
    )


def test_every_problem_is_told() -> None:
    tiers = "tiers: {gold: {limits: [{money: 10, per: 30d}]}, silver: {limits: [{money: 1, per: 1d}]}}"
    with pytest.raises(InvalidInput) as refused:
        policies.objects(wanted(tiers))
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "tiers.gold.limits[0]",
        "tiers.silver.limits[0]",
    ]


def test_limits_of_requests_only_where_only_tokens_are_limited() -> None:
    tiers = "tiers: {free: {limits: [{requests: 5, per: 2m}]}, open: {}}"
    with pytest.raises(InvalidInput) as refused:
        policies.objects(wanted(tiers, tokens_only=True))
    assert str(refused.value) == (
        "tiers.free.limits: only requests are limited, and --token-rate-limit leaves those limits out; add one such as"
        " {tokens: 1000, per: 1m}, or leave the option out"
    )


def test_token_limits_instead_of_request_limits() -> None:
    tiers = "tiers: {free: {limits: [{requests: 5, per: 2m}, {tokens: 200, per: 1m}]}}"
    assert [each["kind"] for each in policies.objects(wanted(tiers, tokens_only=True))] == [
        "AuthPolicy",
        "TokenRateLimitPolicy",
    ]
    assert [each["kind"] for each in policies.objects(wanted(tiers))] == [
        "AuthPolicy",
        "RateLimitPolicy",
        "TokenRateLimitPolicy",
    ]
