"""What is said of each typical cluster: exactly these findings, and of the healthy ones nothing at all."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from maas.readiness.catalogue import Phase
from maas.readiness.findings import Status, Verdict, verdict
from maas.readiness.judging import judge
from tests.kubernetes.clusters import others, typical
from tests.kubernetes.clusters.scenario import Scenario

_STACK = {"MAAS-210", "MAAS-214", "MAAS-220", "MAAS-230", "MAAS-270", "MAAS-280"}  # what `maas install` brings
FAILED, WARNING, TO_INSTALL, UNKNOWN = Status.failed, Status.warning, Status.to_install, Status.unknown


def said(scenario: Scenario) -> dict[Status, set[str]]:
    findings = judge(scenario.facts(), scenario.asked)
    return {
        status: {finding.code for finding in findings if finding.status is status}
        for status in (FAILED, WARNING, TO_INSTALL, UNKNOWN)
    }


EXPECTED: dict[Callable[[], Scenario], tuple[set[str], set[str], set[str]]] = {
    # failed, warning, to install
    typical.openshift_4_12: ({"MAAS-101"}, {"MAAS-290", "MAAS-291"}, _STACK | {"MAAS-250"}),
    # 2.x serves headless Services with a KServe that is too old for hf://; Service Mesh 2 is at its end
    typical.openshift_4_16: (
        set(),
        {"MAAS-230", "MAAS-254", "MAAS-255", "MAAS-284", "MAAS-290"},
        _STACK - {"MAAS-230", "MAAS-280"},
    ),
    typical.openshift_4_20: (set(), set(), set()),
    # newest releases want a newer Kubernetes; T4 works with workarounds
    typical.eks_1_31: (set(), {"MAAS-132", "MAAS-290"}, _STACK),
    typical.kind: (set(), {"MAAS-154"}, _STACK),  # nothing gives LoadBalancers their addresses
    typical.rosa: (
        {"MAAS-131", "MAAS-135", "MAAS-263", "MAAS-264", "MAAS-401"},
        {"MAAS-291"},
        _STACK | {"MAAS-250"},
    ),
    typical.kubernetes_1_34: (set(), set(), set()),
}


@pytest.mark.parametrize("made", typical.ALL, ids=lambda made: str(made.__name__))
def test_exactly_this_is_said(made: Callable[[], Scenario]) -> None:
    failed, warning, to_install = EXPECTED[made]
    assert said(made()) == {FAILED: failed, WARNING: warning, TO_INSTALL: to_install, UNKNOWN: set()}


@pytest.mark.parametrize("made", [typical.openshift_4_20, typical.kubernetes_1_34], ids=lambda made: str(made.__name__))
def test_a_healthy_installation_is_ready_and_most_checks_looked_at_it(made: Callable[[], Scenario]) -> None:
    findings = judge(made().facts(), made().asked)
    assert verdict(findings) is Verdict.ready
    assert len([finding for finding in findings if finding.status is Status.passed]) > 100


@pytest.mark.parametrize(
    "made",
    [typical.openshift_4_20, typical.kubernetes_1_34, others.by_others],
    ids=lambda made: str(made.__name__),
)
def test_nothing_is_amiss_before_installing_again_either(made: Callable[[], Scenario]) -> None:
    scenario = made()
    findings = judge(scenario.facts(), replace(scenario.asked, phase=Phase.before))
    assert [each for each in findings if each.status not in (Status.passed, Status.skipped)] == []


def test_what_others_put_together_is_judged_by_what_it_does_and_not_by_its_names() -> None:
    scenario = others.by_others()
    findings = judge(scenario.facts(), scenario.asked)
    assert [each for each in findings if each.status not in (Status.passed, Status.skipped)] == []


def test_a_verdict_for_each() -> None:
    verdicts = {made().name: verdict(judge(made().facts(), made().asked)) for made in typical.ALL}
    assert verdicts == {
        "OpenShift 4.12": Verdict.not_ready,
        "OpenShift 4.16": Verdict.ready_with_warnings,
        "OpenShift 4.20": Verdict.ready,
        "EKS 1.31": Verdict.ready_with_warnings,
        "kind": Verdict.ready_with_warnings,
        "ROSA": Verdict.not_ready,
        "Kubernetes 1.34": Verdict.ready,
    }
