"""What was read in part only, or not at all, is never a reason to say that all is well: of every check, every kind."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from maas.cluster.facts.model import Cause, Facts, Unread
from maas.cluster.kinds import NODE, POD
from maas.readiness.catalogue import Phase, checks
from maas.readiness.findings import Finding, Status, Verdict, verdict
from maas.readiness.judging import judge
from tests.kubernetes import offline
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.clusters.test_faults import EVERY
from tests.kubernetes.known_issues.planted import FAULTS

FINE = {Status.passed, Status.skipped, Status.to_install}
NO_LIST = {"MAAS-114"}  # it tells what was not read, and itself reads nothing of it
PARTS: tuple[Callable[[Sequence[Any]], Sequence[Any]], ...] = (
    lambda objects: (),
    lambda objects: objects[: len(objects) // 2],
    lambda objects: objects[len(objects) // 2 :],
)
PLANTED = [
    *((fault.name, fault.planted, fault.finds) for fault in EVERY),
    *((fault.code, fault.scenario, frozenset({fault.code})) for fault in FAULTS),
]


def broken_off(facts: Facts, **lists: Sequence[Any] | Unread) -> Facts:
    partial = {key: f"{key} break off" for key, found in lists.items() if not isinstance(found, Unread)}
    return dataclasses.replace(facts, lists={**facts.lists, **lists}, partial=partial)


def losses(facts: Facts) -> Iterator[Facts]:
    """Of each kind a part, or nothing."""
    for key, objects in facts.lists.items():
        if objects and not isinstance(objects, Unread):
            yield from (broken_off(facts, **{key: part(objects)}) for part in PARTS)
            yield broken_off(facts, **{key: Unread(Cause.denied, f"listing {key} was denied")})


def trouble(findings: Sequence[Finding]) -> set[str]:
    return {each.code for each in findings if each.status not in FINE}


@pytest.mark.parametrize("name, scenario, codes", PLANTED, ids=[str(name) for name, *_ in PLANTED])
def test_no_fault_is_passed_over_because_a_list_broke_off(
    name: str, scenario: Callable[[], Scenario], codes: frozenset[str]
) -> None:
    planted = scenario()
    facts = planted.facts()
    before = trouble(judge(facts, planted.asked, only=codes))
    assert before == codes
    for less in losses(facts):
        now = trouble(judge(less, planted.asked, only=codes))
        assert before <= now, (less.partial, before - now)


class Spied(Mapping[str, Any]):
    """Which lists anybody looked into."""

    def __init__(self, lists: Mapping[str, Any]) -> None:
        self.lists, self.read = lists, set[str]()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return self.lists[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.lists)

    def __len__(self) -> int:
        return len(self.lists)


@pytest.mark.parametrize("phase", [Phase.before, Phase.after])
@pytest.mark.parametrize("made", typical.ALL, ids=lambda made: str(made.__name__))
def test_no_check_passes_on_a_list_of_which_nothing_came(made: Callable[[], Scenario], phase: Phase) -> None:
    scenario = made()
    asked = dataclasses.replace(scenario.asked, phase=phase)
    whole = scenario.facts()
    for check in checks():
        nothing = broken_off(whole, **dict.fromkeys(whole.lists, ()))
        spied = Spied(nothing.lists)
        found = judge(dataclasses.replace(nothing, lists=spied), asked, only=[check.code])
        if spied.read & whole.lists.keys() and check.code not in NO_LIST:
            assert not {each.status for each in found} & FINE, (check.code, spied.read)


def test_what_was_found_in_a_part_still_fails_and_what_was_not_says_why() -> None:
    scenario = typical.openshift_4_12()
    facts = broken_off(scenario.facts(), **{NODE.key: scenario.facts().all(NODE)})
    found = judge(facts, scenario.asked)
    assert {"MAAS-101"} <= {each.code for each in found if each.status is Status.failed}
    unknown = next(each for each in found if each.code == "MAAS-121" and each.status is Status.unknown)
    assert unknown.message.startswith(f"{NODE.key} break off. Of what was read: ")
    assert verdict([unknown]) is Verdict.not_ready


def test_doubts_are_those_of_one_check_also_where_another_worked_it_out_before() -> None:
    facts = broken_off(offline.facts(), **{POD.key: ()})

    def pods(facts: Facts) -> int:
        return len(facts.all(POD))

    first, second, third = facts.afresh(), facts.afresh(), facts.afresh()
    assert first.derived(pods) == second.derived(pods) == 0
    assert first.doubts == second.doubts == {POD.key: f"{POD.key} break off"}
    assert third.doubts == facts.doubts == {}
