"""What is left to do: what is wanted, minus what facts show to be done."""

from dataclasses import replace

import pytest

from maas.cluster import kinds
from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import CRD, DEPLOYMENT, GATEWAY, NAMESPACE, RELEASE, SUBSCRIPTION, Kind
from maas.cluster.objects import Object
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Apply, Approve, Chart, Manifest, Restart, Seen, Stage, Wait
from maas.cluster.plan.planning import reduced
from tests.kubernetes.plan.making import LABELS, actions, config_map, facts, made, ours, release, step

CONFIG_MAP = Kind("ConfigMap", "configmaps")
CHART = Chart("istiod", "istio-system", "istiod", "1.30.3", "https://charts.example.com", {"a": 1})


def exists(named: str, kind: Kind = GATEWAY) -> Wait:
    return Wait(kind, named, "llm", conditions.exists, f"{named} is there")


def test_what_is_done_is_left_out() -> None:
    a, b = config_map("a", x="1"), config_map("b", x="1")
    plan = reduced([step("one", a, b)], facts(ours(a)))
    assert actions(plan.steps) == {"one": ["Apply b"]}
    assert reduced([step("one", a, b)], facts(ours(a), ours(b))).is_empty


def test_a_field_that_is_not_wanted_any_more_is_noticed() -> None:
    """All that is wanted is there; the hash of what was applied last is another one."""
    before, now = config_map("a", x="1", old="2"), config_map("a", x="1")
    assert actions(reduced([step("one", now)], facts(ours(before))).steps) == {"one": ["Apply a"]}


def test_what_is_others_is_left_alone_unless_it_is_to_be_adopted() -> None:
    theirs = config_map("a", x="theirs")
    left = reduced([step("one", config_map("a", x="ours"))], facts(theirs))
    assert left.is_empty and left.notes == ("ConfigMap llm/a is there and not ours: it is left alone",)
    adopted = step("one", Apply(config_map("a", x="ours"), adopt=True))
    assert actions(reduced([adopted], facts(theirs)).steps) == {"one": ["Apply a"]}


def test_what_others_have_as_it_is_wanted_is_not_touched() -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kuadrant-system", "labels": {"a": "b"}}}
    wanted = step("one", Apply({**space, "metadata": {"name": "kuadrant-system", "labels": {"a": "b"}}}, adopt=True))
    assert reduced([wanted], facts(space)).is_empty


def test_what_is_being_deleted_is_not_there() -> None:
    wanted = config_map("a")
    found = dict(ours(wanted))
    going = {**found, "metadata": {**found["metadata"], "deletionTimestamp": "2026-09-20T06:00:00Z"}}
    assert actions(reduced([step("one", wanted)], facts(going)).steps) == {"one": ["Apply a"]}


def test_what_was_not_read_counts_as_not_done() -> None:
    wanted = config_map("a")
    unread = {"configmaps@maas": Unread(Cause.denied, "no")}
    nothing = facts(unread=unread)
    lists = {key: value for key, value in nothing.lists.items() if key != "configmaps"}
    assert actions(reduced([step("one", wanted)], replace(nothing, lists=lists)).steps) == {"one": ["Apply a"]}


def test_a_step_stays_for_what_it_waits_for() -> None:
    assert actions(reduced([step("one", waits=[exists("a")])], facts()).steps) == {"one": []}
    assert reduced([step("one", waits=[exists("a")])], facts(made(GATEWAY, "a"))).is_empty


def test_good_enough_and_what_nobody_can_know_is_waited_for_no_more() -> None:
    enough = replace(exists("a"), until=lambda found: Seen(Stage.waiting, "no address", enough=True))
    unknown = exists("a", Kind("Widget", "widgets", "example.com"))
    tried = replace(exists("a"), tried=config_map("tried"))
    for wait in (enough, tried):
        assert reduced([step("one", waits=[wait])], facts()).is_empty
    denied = facts(unread={GATEWAY.key: Unread(Cause.denied, "no")})
    assert reduced([step("one", waits=[exists("a")])], denied).is_empty
    assert actions(reduced([step("one", waits=[unknown])], facts()).steps) == {"one": []}, "no API: surely not there"


def test_of_what_others_have_of_a_kind_nobody_knows_where_only_ours_is_read() -> None:
    """A Secret that cert-manager makes is in none of the lists: it is waited for by whoever makes it, not again."""
    secret = exists("maas-gateway-tls", Kind("Secret", "secrets"))
    assert reduced([step("one", waits=[secret])], facts()).is_empty


def test_crds_count_when_they_are_served() -> None:
    wait = Wait(CRD, GATEWAY.key, "", conditions.established, "CRD is Established")
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": CRD.name, "metadata": {"name": GATEWAY.key}}
    known = facts(definition)
    assert reduced([step("one", waits=[wait])], known).is_empty
    unserved = {key: plurals for key, plurals in known.apis.items() if not key.startswith(GATEWAY.group)}  # type: ignore[union-attr]
    assert not reduced([step("one", waits=[wait])], replace(known, apis=unserved)).is_empty


def test_needs_lead_through_what_fell_out() -> None:
    a, b, c = config_map("a"), config_map("b"), config_map("c")
    steps = [step("one", a), step("two", b, needs=("one",)), step("three", c, needs=("two",))]
    assert [(each.key, each.needs) for each in reduced(steps, facts(ours(b))).steps] == [
        ("one", ()),
        ("three", ("one",)),
    ]


@pytest.mark.parametrize(
    ("record", "left"),
    [
        (None, ["Chart istiod"]),
        (release(CHART), []),
        (release(CHART, "failed"), ["Chart istiod"]),
        (release(CHART, "pending-install"), ["Chart istiod"]),
        (release(replace(CHART, values={"a": 2})), ["Chart istiod"]),
        (release(CHART, by="somebody"), []),
    ],
)
def test_charts(record: Object | None, left: list[str]) -> None:
    known = facts(releases=[record] if record else [])
    assert actions(reduced([step("istio", CHART)], known).steps) == ({"istio": left} if left else {})


def test_another_version_is_for_upgrade() -> None:
    known = facts(releases=[release(replace(CHART, version="1.29.6"))])
    plan = reduced([step("istio", CHART)], known)
    assert plan.is_empty and plan.notes == ("istiod stays at 1.29.6: `maas upgrade` brings 1.30.3",)
    upgraded = reduced([step("istio", CHART)], known, upgrade=True)
    assert actions(upgraded.steps) == {"istio": ["Chart istiod"]}
    assert upgraded.steps[0].title == "the step istio (in place of 1.29.6)"


def test_nothing_goes_back_to_an_older_version() -> None:
    known = facts(releases=[release(replace(CHART, version="1.31.0"))])
    plan = reduced([step("istio", CHART)], known, upgrade=True)
    assert plan.is_empty and "newer than 1.30.3" in plan.notes[0]


def test_a_manifest_in_another_version_stays_until_upgrade() -> None:
    manifest = Manifest("gateway-api-1.5.1.yaml", "https://example.com/x", done=lambda facts: False)
    wanted = step("gateway-api", manifest, waits=[exists("a")])
    assert actions(reduced([wanted], facts()).steps) == {"gateway-api": ["Manifest gateway-api-1.5.1.yaml"]}
    there = facts(made(GATEWAY, "a"))
    assert reduced([wanted], there).is_empty
    assert not reduced([wanted], there, upgrade=True).is_empty
    done = step("gateway-api", replace(manifest, done=lambda facts: True))
    assert reduced([done], facts(), upgrade=True).is_empty


def test_restarts_are_for_those_that_have_not_seen_a_step() -> None:
    restart = Restart(DEPLOYMENT, "operator", "llm", "it looks only once", after=("one",), spared=("two",))
    steps = [step("one", config_map("a")), step("two", config_map("b")), step("three", restart, needs=("one", "two"))]
    a, b = ours(config_map("a")), ours(config_map("b"))
    assert "three" not in actions(reduced(steps, facts()).steps), "its own step starts it anew"
    assert actions(reduced(steps, facts(b)).steps) == {"one": ["Apply a"], "three": ["Restart operator"]}
    assert reduced(steps, facts(a, b)).is_empty
    stale = [*steps[:2], step("three", replace(restart, stale=lambda facts: True))]
    assert actions(reduced(stale, facts(a, b)).steps) == {"three": ["Restart operator"]}


def test_approvals_are_for_what_is_not_installed() -> None:
    approve = step("rhoai-operator", Approve("rhods-operator", "llm", "Why."))
    subscription = made(SUBSCRIPTION, "rhods-operator")
    assert not reduced([approve], facts(subscription)).is_empty
    installed = {**subscription, "status": {"installedCSV": "x.v1", "state": "UpgradePending"}}
    assert reduced([approve], facts(installed)).is_empty
    assert not reduced([approve], facts(installed), upgrade=True).is_empty


def test_a_release_list_that_was_not_read_is_no_empty_one() -> None:
    known = facts(unread={RELEASE.key: Unread(Cause.denied, "no")})
    assert not reduced([step("istio", CHART)], known).is_empty


def test_namespaces_are_found_among_all_that_were_read() -> None:
    space = {"apiVersion": "v1", "kind": NAMESPACE.name, "metadata": {"name": "llm", "labels": LABELS}}
    assert reduced([step("namespaces", Apply(space, adopt=True))], facts(ours(space))).is_empty
    assert kinds.of(space).namespaced is False
