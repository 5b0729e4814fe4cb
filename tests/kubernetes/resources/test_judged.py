"""What we install is what our checks call good: no finding of any kind."""

import pytest

from maas.cluster import sites
from maas.cluster.wanted import Wanted
from maas.readiness.findings import Finding, Status
from maas.readiness.judging import judge
from tests.kubernetes.clusters import typical
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.resources.wishes import QWEN3, SIMULATOR, wanted
from tests.kubernetes.resources.working import installed

_EXTERNAL = "elsewhere: {runtime: external, url: https://api.example.com}"
_MODELS = {"openshift": (SIMULATOR, QWEN3, _EXTERNAL), "kubernetes": (SIMULATOR, _EXTERNAL)}
_CLUSTERS = {"openshift": typical.openshift_4_20, "kubernetes": typical.kubernetes_1_34}


def _wish(on: str) -> tuple[Scenario, Wanted]:
    scenario = _CLUSTERS[on]()
    return scenario, wanted(*_MODELS[on], on=sites.of(scenario.facts()))


def _said(scenario: Scenario) -> list[Finding]:
    found = judge(scenario.facts(), scenario.asked)
    return [each for each in found if each.status not in (Status.passed, Status.skipped)]


@pytest.mark.parametrize("on", _CLUSTERS)
def test_nothing_is_said_against_it(on: str) -> None:
    scenario, wish = _wish(on)
    assert [(each.code, each.message) for each in _said(installed(scenario, wish).after())] == []


@pytest.mark.parametrize("on", _CLUSTERS)
def test_most_checks_looked_at_it(on: str) -> None:
    scenario, wish = _wish(on)
    after = installed(scenario, wish).after()
    found = judge(after.facts(), after.asked)
    assert len([each for each in found if each.status is Status.passed]) > 90
