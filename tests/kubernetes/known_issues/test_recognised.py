"""Every known issue is recognised from its signs, and from nothing else."""

from collections.abc import Callable

import pytest

from maas.readiness.catalogue import checks
from maas.readiness.findings import Category, Finding, Status
from maas.readiness.judging import judge
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.known_issues.planted import FAULTS, KUBERNETES, OPENSHIFT, Fault

ONLY = ["MAAS-4"]


def problems(scenario: Scenario) -> list[Finding]:
    found = judge(scenario.facts(), scenario.asked, only=ONLY)
    return [each for each in found if each.status not in (Status.passed, Status.skipped)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_it_is_recognised_and_taken_for_no_other(fault: Fault) -> None:
    assert [(each.code, each.status, each.about) for each in problems(fault.scenario())] == [
        (fault.code, fault.status, fault.about)
    ]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_it_has_evidence_and_a_remedy(fault: Fault) -> None:
    (finding,) = problems(fault.scenario())
    assert finding.seen and finding.remedy and finding.remedy.text
    assert bool(finding.remedy.changes) is fault.mends
    assert finding.remedy.all_commands


@pytest.mark.parametrize("base", [KUBERNETES, OPENSHIFT], ids=lambda base: str(base.__name__))
def test_a_healthy_cluster_has_none(base: Callable[[], Scenario]) -> None:
    assert problems(base().after()) == []


def test_each_known_issue_is_planted_here() -> None:
    declared = {check.code for check in checks() if check.category is Category.known_issues}
    assert {fault.code for fault in FAULTS} == declared
