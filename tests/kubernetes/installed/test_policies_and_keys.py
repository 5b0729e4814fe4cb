"""Policies that do not hold, tiers without limits, keys that are none."""

from dataclasses import replace
from typing import Any

import pytest

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.stack import rules
from maas.readiness.findings import Status
from tests.kubernetes.clusters.installation import key
from tests.kubernetes.installed.planting import Change, both, conditioned, drop, facts, healthy, problems, put, said

AUTH, LIMITS, TOKENS = "AuthPolicy llm/maas-auth", "RateLimitPolicy llm/maas-requests", "TokenRateLimitPolicy"
ALICE = "Secret kuadrant-system/maas-key-alice"
SCHEME = ("spec", "rules", "authentication", "api-key-users")
MISSING = "[Gateway API provider (istio / envoy gateway)] is not installed, please restart Kuadrant Operator pod"


@pytest.mark.parametrize(
    ("on", "change", "code", "message", "remedy"),
    [
        (
            AUTH,
            conditioned("Enforced", "False", "Unknown", "AuthPolicy is not in the path to any existing routes"),
            "MAAS-320",
            "is not enforced: Unknown: AuthPolicy is not in the path",
            "Attach an HTTPRoute",
        ),
        (
            LIMITS,
            conditioned("Accepted", "False", "MissingDependency", MISSING),
            "MAAS-320",
            "is not accepted: MissingDependency",
            "kubectl rollout restart deployments.apps/kuadrant-operator-controller-manager -n kuadrant-system",
        ),
        (
            LIMITS,
            conditioned("Accepted", "False", "TargetNotFound", "maas-gateway was not found"),
            "MAAS-320",
            "is not accepted: TargetNotFound: maas-gateway was not found",
            "targetRef",
        ),
        (AUTH, drop("status"), "MAAS-320", "is not accepted: its controller says nothing of it", "Restart"),
        (
            AUTH,
            lambda o: o["status"]["conditions"].pop(),
            "MAAS-320",
            "is not enforced: its controller says nothing of it",
            "Restart",
        ),
        (AUTH, put("spec", "rules", value={}), "MAAS-322", "has no authentication rule", "kubectl edit authpolicy"),
        (
            AUTH,
            put(*SCHEME, "apiKey", "credentials", value={"authorizationHeader": {"prefix": "APIKEY"}}),
            "MAAS-322",
            "credentials of api-key-users stand below apiKey",
            "kubectl edit",
        ),
        (
            AUTH,
            put("spec", "rules", "authentication", "all", value={"anonymous": {}}),
            "MAAS-322",
            "all lets everybody in without a key",
            "kubectl edit",
        ),
        (
            AUTH,
            put("spec", "when", value=[{"predicate": "!request.path.startsWith('/v1')"}]),
            "MAAS-322",
            "asks for a key only if !request.path.startsWith('/v1'): whatever else comes is let in",
            "kubectl edit",
        ),
        (
            AUTH,
            drop("spec", "rules", "response"),
            "MAAS-323",
            "which no AuthPolicy hands on: it limits nobody",
            "response.success.filters.identity",
        ),
        (AUTH, put(*SCHEME, "apiKey", "selector", value={}), "MAAS-322", "every Secret with api_key", "kubectl edit"),
        (
            LIMITS,
            put("spec", "limits", "free", "rates", value=[{"limit": 5, "window": "1d"}]),
            "MAAS-323",
            "free has the rate 5 per '1d', which is not valid",
            "window: 2m",
        ),
        (LIMITS, put("spec", "limits", value={}), "MAAS-323", "has no limits", "kubectl edit"),
        (LIMITS, put("spec", "limits", "free", "rates", value=[]), "MAAS-323", "limits nothing", "kubectl edit"),
        (
            ALICE,
            put("metadata", "labels", value={"authorino.kuadrant.io/managed-by": "authorino"}),
            "MAAS-331",
            "is found by no AuthPolicy, so its key gets 401",
            "app",
        ),
        (ALICE, put("data", value={"apikey": "eA=="}), "MAAS-332", "has no data.api_key; it has apikey", "api_key"),
        (ALICE, put("data", value={"api_key": ""}), "MAAS-332", "has no data.api_key", "api_key"),
        (ALICE, drop("metadata", "annotations", "kuadrant.io/groups"), "MAAS-334", "has no tier", "kuadrant.io/groups"),
        (
            ALICE,
            put("metadata", "annotations", "kuadrant.io/groups", value="gold"),
            "MAAS-334",
            "is of the tier gold, which is none of free, premium",
            "annotate",
        ),
        (ALICE, drop("metadata", "annotations", "secret.kuadrant.io/user-id"), "MAAS-334", "has no user", "annotate"),
        (
            ALICE,
            both(
                put("metadata", "labels", "maas-temporary", value="1a2b"),
                put("metadata", "annotations", "maas-expires", value="2026-09-21T00:00:00Z"),
            ),
            "MAAS-335",
            "was left by a maas validate that was killed",
            "kubectl delete secrets/maas-key-alice -n kuadrant-system",
        ),
    ],
)
def test_each_fault(on: str, change: Change, code: str, message: str, remedy: str) -> None:
    found = problems(facts((on, change)))
    assert code in found, found
    assert message in found[code].message
    mended = found[code].remedy
    assert mended is not None
    assert remedy in f"{mended.text} {' '.join(mended.all_commands)}"


def test_what_is_said_of_a_former_version_of_a_policy_is_no_proof() -> None:
    found = problems(facts((AUTH, put("metadata", "generation", value=3))))  # status.observedGeneration is 1
    assert (found["MAAS-320"].status, found["MAAS-320"].message) == (Status.warning, "its status is of an older spec")


def test_a_temporary_key_that_is_in_use_is_no_leftover() -> None:
    mine = both(
        put("metadata", "labels", "maas-temporary", value="1a2b"),
        put("metadata", "annotations", "maas-expires", value="2026-09-21T15:00:00Z"),
    )
    assert "MAAS-335" not in problems(facts((ALICE, mine)))


def test_a_gateway_that_nobody_protects_is_a_failure() -> None:
    found = problems(facts(without=["AuthPolicy"]))["MAAS-321"]
    assert (found.status, found.message) == (Status.failed, "no AuthPolicy asks for a key")


def test_a_policy_on_one_route_leaves_the_others_open() -> None:
    to = put(
        "spec", "targetRef", value={"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "simulator"}
    )
    found = problems(facts((AUTH, to), openshift=True), openshift=True)["MAAS-321"]
    assert found.message == "qwen3-0-6b can be called without a key"
    assert "MAAS-321" not in problems(facts((AUTH, to)))


def on_listeners(*names: str) -> list[Any]:
    """The policy of the healthy installation, once for each of these listeners."""
    policy = next(dict(each) for each in healthy().objects if each["kind"] == "AuthPolicy")
    spec = {key: value for key, value in policy["spec"].items() if key != "targetRef"}
    target = policy["spec"]["targetRef"]
    return [
        {
            **policy,
            "metadata": {**policy["metadata"], "name": f"on-{each}"},
            "spec": {**spec, "targetRef": {**target, "sectionName": each}},
        }
        for each in names
    ]


def test_a_policy_on_each_listener_covers_the_gateway() -> None:
    assert "MAAS-321" not in problems(facts(without=["AuthPolicy"], more=on_listeners("http", "https")))


def test_the_listener_that_asks_for_no_key_is_named() -> None:
    found = problems(facts(without=["AuthPolicy"], more=on_listeners("https")))["MAAS-321"]
    assert (found.status, found.message) == (
        Status.failed,
        "simulator can be called without a key through the listener http",
    )


@pytest.mark.parametrize("way", ["elsewhere", "redirects"])
def test_a_listener_that_leads_to_no_model_may_be_open(way: str) -> None:
    change = put("spec", "parentRefs", 0, "sectionName", value="https")
    redirect = [{"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]}]
    plain = {"metadata": {"name": "plain", "namespace": "llm"}, "kind": "HTTPRoute"}
    http = {"parentRefs": [{"name": "maas-gateway", "sectionName": "http"}], "rules": redirect}
    more = [{"apiVersion": "gateway.networking.k8s.io/v1", **plain, "spec": http}] if way == "redirects" else []
    planted = facts(("HTTPRoute llm/simulator", change), without=["AuthPolicy"], more=[*on_listeners("https"), *more])
    assert "MAAS-321" not in problems(planted)


def test_a_policy_on_one_rule_of_a_route_leaves_the_others_open() -> None:
    ref = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "simulator", "sectionName": "chat"}
    to = (AUTH, put("spec", "targetRef", value=ref))
    assert "MAAS-321" in problems(facts(to))
    assert "MAAS-321" not in problems(facts(to, ("HTTPRoute", put("spec", "rules", 0, "name", value="chat"))))


@pytest.mark.parametrize(
    ("predicate", "told"), [("request.path != '/health'", False), ("request.path != '/v1/models'", True)]
)
def test_what_is_spared_of_keys_is_told_but_for_probes(predicate: str, told: bool) -> None:
    assert ("MAAS-322" in problems(facts((AUTH, put("spec", "when", value=[{"predicate": predicate}]))))) == told


@pytest.mark.parametrize(
    ("handed", "told"),
    [({"json": {"properties": {"groups": {}, "userid": {}}}}, False), ({"plain": {}}, False), ({"json": {}}, True)],
)
def test_limits_read_what_the_policy_hands_on(handed: dict[str, Any], told: bool) -> None:
    filters = put("spec", "rules", "response", "success", "filters", "identity", value=handed)
    assert ("MAAS-323" in problems(facts((AUTH, filters)))) == told


def test_no_limits_at_all() -> None:
    found = problems(facts(without=["RateLimitPolicy", "TokenRateLimitPolicy"]))
    assert found["MAAS-323"].message == "no policy limits requests or tokens"
    assert "MAAS-324" not in found


def test_a_tier_that_is_let_in_without_a_limit() -> None:
    rego = 'allow { groups[_] == "free" }\nallow { groups[_] == "premium" }\nallow { groups[_] == "gold" }'
    gold = put("spec", "rules", "authorization", "allow-groups", "opa", "rego", value=rego)
    found = problems(facts((AUTH, gold)))["MAAS-324"]
    assert (found.status, found.about) == (Status.failed, "gold")
    anybody = put("spec", "limits", "rest", value={"rates": [{"limit": 1, "window": "1m"}]})
    assert "MAAS-324" not in problems(facts((AUTH, gold), (LIMITS, anybody)))


def test_a_policy_that_lets_every_tier_in_needs_a_limit_for_everybody() -> None:
    found = problems(facts((AUTH, drop("spec", "rules", "authorization"))))["MAAS-324"]
    assert found.status is Status.warning
    assert "lets every tier in, and only free, premium are limited" in found.message


def test_two_keys_with_one_value_are_named_and_the_value_is_not() -> None:
    alice = key("alice", "free")["data"]["api_key"]
    changed = facts((ALICE, put("data", "api_key", value="sha256:0123456789abcdef")))
    assert "MAAS-333" not in problems(changed)
    twice = facts(*((f"Secret maas-key-{who}", put("data", "api_key", value=alice)) for who in ("alice", "bob")))
    found = problems(twice)["MAAS-333"]
    assert found.about == "Secret kuadrant-system/maas-key-alice and Secret kuadrant-system/maas-key-bob"
    assert alice not in repr(said(twice))


def test_values_that_a_tool_took_out_are_not_taken_for_equal() -> None:
    hidden = put("data", "api_key", value="[redacted]")
    found = problems(facts(("Secret", hidden)))
    assert found["MAAS-333"].status is Status.unknown
    assert "MAAS-332" not in found


def test_no_keys_is_a_warning_that_shows_how_to_make_one() -> None:
    found = problems(facts(without=["Secret"]))["MAAS-330"]
    assert found.status is Status.warning
    assert found.remedy is not None
    command = " ".join(found.remedy.commands)
    assert "authorino.kuadrant.io/managed-by=authorino app=maas" in command
    assert "kuadrant.io/groups=free" in command


def test_a_policy_that_looks_into_one_namespace_misses_keys_elsewhere() -> None:
    here = put(*SCHEME, "apiKey", "allNamespaces", value=False)
    moved = put("metadata", "namespace", value="team")
    found = problems(facts((AUTH, here), (ALICE, moved)))["MAAS-331"]
    assert "Secret team/maas-key-alice: no AuthPolicy looks into that namespace" in found.message


def test_a_policy_that_looks_into_one_namespace_finds_keys_wherever_kuadrant_runs() -> None:
    here = put(*SCHEME, "apiKey", "allNamespaces", value=False)
    moved = put("metadata", "namespace", value="kuadrant")
    everything = [(kind, moved) for kind in ("Kuadrant", "Secret")]
    assert "MAAS-331" not in problems(facts((AUTH, here), *everything))


def test_where_a_tier_is_read_from_is_no_tier() -> None:
    predicate = "auth.identity.metadata.annotations['kuadrant.io/groups'] in ['free', 'premium']"
    by_pattern = {"tiers": {"patternMatching": {"patterns": [{"predicate": predicate}]}}}
    assert "MAAS-324" not in problems(facts((AUTH, put("spec", "rules", "authorization", value=by_pattern))))


_GROUPS = "auth.identity.metadata.annotations.kuadrant\\.io/groups"
_SPLIT = 'groups := split(input.auth.identity.metadata.annotations["kuadrant.io/groups"], ",")\n'


@pytest.mark.parametrize(
    "authorization",
    [
        {
            "patternMatching": {
                "patterns": [{"selector": _GROUPS, "operator": "matches", "value": "^(free|premium|gold)$"}]
            }
        },
        {
            "patternMatching": {
                "patterns": [
                    {
                        "any": [
                            {"selector": _GROUPS, "operator": "incl", "value": tier}
                            for tier in ("free", "premium", "gold")
                        ]
                    }
                ]
            }
        },
        {"opa": {"rego": _SPLIT + 'allowed := {"free",\n "premium", "gold"}\nallow { allowed[groups[_]] }'}},
        {"opa": {"rego": _SPLIT + 'tiers = ["free", "premium", "gold"]\nallow if { some g in groups; g in tiers }'}},
    ],
)
def test_tiers_are_read_however_they_are_written(authorization: dict[str, Any]) -> None:
    by = put("spec", "rules", "authorization", value={"tiers": authorization})
    found = [each for each in said(facts((AUTH, by)), "MAAS-324") if each.status is not Status.passed]
    assert [(each.status, each.message) for each in found] == [
        (Status.failed, "the tier gold is let in, and has no limit")
    ]


def test_tiers_that_cannot_be_read_are_said_to_be_unread() -> None:
    opa = {"opa": {"rego": _SPLIT + "allow { data.tiers[groups[_]] }"}}
    found = problems(facts((AUTH, put("spec", "rules", "authorization", value={"tiers": opa}))))["MAAS-324"]
    assert (found.status, "cannot be read" in found.message) == (Status.unknown, True)


def test_a_key_without_authorinos_label_is_told_and_labelled() -> None:
    stray = [{"namespace": "llm", "name": "old"}]
    found = problems(replace(facts(), probes={"stray_keys": stray}))["MAAS-331"]
    assert (found.status, found.about) == (Status.warning, "Secret llm/old")
    assert found.remedy is not None
    assert found.remedy.changes[0].body == {"metadata": {"labels": {"authorino.kuadrant.io/managed-by": "authorino"}}}
    nothing: tuple[Any, ...] = ([], None, "absurd", Unread(Cause.timeout, "no answer"))
    for none in nothing:
        assert "MAAS-331" not in problems(replace(facts(), probes={"stray_keys": none}))


def test_evidence_stays_small_when_a_thousand_keys_are_wrong() -> None:
    many = [{**key(f"user-{n}", "gold")} for n in range(1000)]
    found = [f for f in said(facts(more=many), "MAAS-334") if f.status is Status.failed]
    assert len(found) == 5
    assert "and 995 more like it" in found[0].message


@pytest.mark.parametrize(
    ("window", "seconds"), [("2m", 120), ("1h30m", 5400), ("500ms", 0.5), ("1d", 0), ("", 0), ("2 m", 0), ("m", 0)]
)
def test_windows_are_those_of_the_crd(window: str, seconds: float) -> None:
    assert rules.Rate(1, window).seconds == seconds


@pytest.mark.parametrize(
    ("credentials", "headers"),
    [
        ({}, {"Authorization": "Bearer K"}),
        ({"authorizationHeader": {"prefix": "APIKEY"}}, {"Authorization": "APIKEY K"}),
        ({"customHeader": {"name": "X-API-Key"}}, {"X-API-Key": "K"}),
        ({"cookie": {"name": "key"}}, {"Cookie": "key=K"}),
        ({"queryString": {"name": "key"}}, None),
    ],
)
def test_how_a_key_is_sent(credentials: dict[str, Any], headers: dict[str, str] | None) -> None:
    assert rules.Scheme("x", {"apiKey": {}, "credentials": credentials}).headers("K") == headers
