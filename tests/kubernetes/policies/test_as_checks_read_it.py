"""What the checks of an installation say of our own policies and keys: nothing but good, and in the right words."""

from collections.abc import Sequence
from typing import Any

import pytest

from maas.cluster.objects import Object, items, text
from maas.cluster.resources import policies
from maas.cluster.resources.rate_limits import CATCH_ALL
from maas.cluster.stack import rules
from maas.cluster.wanted import Wanted
from maas.readiness.findings import Category, Status
from maas.readiness.judging import judge
from maas.readiness.traffic import cluster_site
from maas.readiness.traffic.site import Unit
from tests.kubernetes.clusters import typical
from tests.kubernetes.policies.platforms import key, wanted

TIERS = """
tiers:
  free: {limits: [{requests: 5, per: 2m}, {tokens: 200, per: 1m}]}
  premium: {limits: [{tokens: 500000, per: 1d}], models: [simulator]}
  open: {}
"""
LIMITS = ("RateLimitPolicy", "TokenRateLimitPolicy")


@pytest.fixture(scope="module")
def made() -> dict[str, Object]:
    return {text(each, "kind"): each for each in policies.objects(_wanted())}


def _wanted() -> Wanted:
    return wanted(TIERS)


def test_the_tiers_that_are_let_in(made: dict[str, Object]) -> None:
    assert rules.admitted_tiers(made["AuthPolicy"]) == {"free", "premium", "open"}
    assert rules.asks_for_tier(made["AuthPolicy"])
    assert rules.tier_annotation(made["AuthPolicy"]) == "kuadrant.io/groups"
    assert rules.reads_user(made["AuthPolicy"])


@pytest.mark.parametrize("named", ["package", "my-package", "package.gold"])
def test_a_tier_whose_name_is_a_word_of_rego(named: str) -> None:
    """It is written with an escape, since Authorino looks for that word, and read without."""
    found = wanted(f"tiers: {{free: {{}}, {named}: {{limits: [{{requests: 5, per: 2m}}]}}, premium: {{}}}}")
    made = {text(each, "kind"): each for each in policies.objects(found)}
    written = str(made["AuthPolicy"])
    assert r"\\u0070ackage" in written and "package" not in written
    assert rules.admitted_tiers(made["AuthPolicy"]) == {"free", named, "premium"}
    (limit,) = [each for each in rules.limits(made["RateLimitPolicy"]) if each.name == named]
    assert limit.tiers == {named}


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (r'tier in ["free", "\u0070ro", "gold"]', ["free", "pro", "gold"]),
        (r"tier == '\u0067old'", ["gold"]),
        (r'tier == "\\u0067old"', []),  # a backslash, and no escape
        (r'tier in ["a\"b", "gold"]', ["gold"]),  # what no name holds keeps nobody from reading the rest
        (r'tier in ["\u0022, \u0022", "gold"]', ["gold"]),  # nor does a quote that is none
    ],
)
def test_words_with_escapes(expression: str, words: list[str]) -> None:
    assert list(rules.quoted(expression)) == words


@pytest.mark.parametrize("kind", LIMITS)
def test_limits_speak_only_of_what_is_handed_on(made: dict[str, Object], kind: str) -> None:
    handed = rules.handed_on(made["AuthPolicy"])
    assert handed is not None
    found = rules.limits(made[kind])
    assert found
    assert all(limit.reads <= handed for limit in found)


def test_every_tier_is_counted_by_its_tokens(made: dict[str, Object]) -> None:
    """Also those that no limit names: what nobody counts, nobody can read off any metric."""
    named = {limit.name: limit.tiers for limit in rules.limits(made["TokenRateLimitPolicy"])}
    assert {tier for tier in ("free", "premium", "open") if named[tier] == {tier}} == {"free", "premium", "open"}


def test_the_limit_of_unknown_tiers_is_nobodys(made: dict[str, Object]) -> None:
    """Or validation would take its 0 for a limit of every tier."""
    for kind in LIMITS:
        (last,) = [limit for limit in rules.limits(made[kind]) if limit.name == CATCH_ALL]
        assert (last.tiers, last.is_catch_all) == (frozenset(), False)


def test_what_validation_finds_of_the_tiers(made: dict[str, Object]) -> None:
    units = dict(zip(LIMITS, (Unit.requests, Unit.tokens), strict=True))
    limits = [(unit, limit) for kind, unit in units.items() for limit in rules.limits(made[kind])]
    tiers = cluster_site._tiers([made["AuthPolicy"]], limits)
    found = {tier.name: {(str(limit.unit), limit.amount) for limit in tier.limits} for tier in tiers}
    assert found == {
        "free": {("requests", 5), ("tokens", 200)},
        "premium": {("tokens", 500_000)},
        "open": {("tokens", 10**12)},
    }


def test_an_installation_with_them_is_healthy() -> None:
    scenario = typical.kubernetes_1_34().after().changed(_ours)
    found = judge(scenario.facts(), scenario.asked)
    bad = [each for each in found if each.status in (Status.failed, Status.warning, Status.unknown)]
    assert [(each.code, each.message) for each in bad if each.category in (Category.policies, Category.keys)] == []
    assert {"MAAS-320", "MAAS-324", "MAAS-334"} <= {each.code for each in found if each.status is Status.passed}


def _ours(objects: Sequence[Object]) -> list[Object]:
    kinds = ("AuthPolicy", *LIMITS)
    statuses = {text(each, "kind"): each["status"] for each in objects if text(each, "kind") in kinds}
    others = [each for each in objects if text(each, "kind") not in kinds and not _is_key(each)]
    ours: list[dict[str, Any]] = [
        {**each, "status": statuses[text(each, "kind")]} for each in policies.objects(_wanted())
    ]
    keys = [key(f"sk-maas-of-{tier}", tier) for tier in ("free", "premium", "open")]
    assert statuses.keys() == set(kinds)
    return [*others, *ours, *keys]


def _is_key(object: Object) -> bool:
    return text(object, "kind") == "Secret"


def test_each_way_looks_for_the_same_secrets(made: dict[str, Object]) -> None:
    ways = rules.schemes(made["AuthPolicy"])
    assert len({str(way.selector) for way in ways}) == 1
    labels = key("sk-maas-x", "free")["metadata"]["labels"]  # type: ignore[index]
    assert all(way.selector["matchLabels"].items() <= labels.items() for way in ways)
    assert not any(way.all_namespaces for way in ways)
    assert items(made["AuthPolicy"], "spec", "when") == [], "nothing is spared"
