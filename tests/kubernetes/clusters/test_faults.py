"""One fault at a time in a healthy cluster: it is found by the right code, and what else is said names its cause."""

import pytest

from maas.readiness.findings import Finding, Status
from maas.readiness.judging import judge
from tests.kubernetes.clusters.faults import Fault
from tests.kubernetes.clusters.faults_components import COMPONENTS
from tests.kubernetes.clusters.faults_installed import INSTALLED
from tests.kubernetes.clusters.faults_platform import PLATFORM

EVERY = [*PLATFORM, *COMPONENTS, *INSTALLED]


def bad(findings: tuple[Finding, ...]) -> list[Finding]:
    return [each for each in findings if each.status in (Status.failed, Status.warning, Status.unknown)]


@pytest.mark.parametrize("planted", EVERY, ids=lambda planted: str(planted.name))
def test_is_found_by_its_code_and_nothing_else_is_blamed(planted: Fault) -> None:
    scenario = planted.planted()
    found = bad(judge(scenario.facts(), scenario.asked))
    assert planted.finds <= {each.code for each in found}
    unexplained = {each.code for each in found if not each.because_of}
    assert unexplained - planted.finds - planted.also == set(), [f"{each.code} {each.message}" for each in found]
