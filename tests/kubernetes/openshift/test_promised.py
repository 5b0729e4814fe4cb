"""What the preflight says that `maas install` does, is a step of the plan, under that name."""

from dataclasses import replace

import pytest

from maas.cluster import sites
from maas.cluster.components.steps import steps as components
from maas.cluster.resources.steps import steps as resources
from maas.cluster.wanted import Wanted
from maas.domain.platform import Model, Platform, Tier
from maas.readiness.catalogue import Asked, Phase, Target
from maas.readiness.findings import Status
from maas.readiness.judging import judge
from tests.kubernetes.clusters import operators, typical
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.openshift.shapes import bare, offering

_PLATFORM = Platform({"simulator": Model("simulator", "simulator")}, {"free": Tier("free")})


def _without_istio_objects() -> Scenario:
    """Service Mesh 3 has its operator, and nobody has asked it for a mesh."""
    operator = operators.operator("servicemeshoperator3", "servicemeshoperator3.v3.3.1", "openshift-operators")
    scenario = bare("4.16.48", "v1.29.14", *operator)
    return replace(scenario, components=(*scenario.components, "sail-operator"))


@pytest.mark.parametrize(
    "scenario",
    [
        bare("4.16.48", "v1.29.14", probes=offering()),
        bare("4.20.4", "v1.33.5", probes=offering()),
        typical.openshift_4_12(),
        typical.openshift_4_16(),
        typical.openshift_4_20(),
        typical.rosa(),
        _without_istio_objects(),
    ],
    ids=lambda scenario: scenario.name,
)
def test_every_promise_is_a_step(scenario: Scenario) -> None:
    facts = scenario.facts()
    asked = Asked(Target.openshift, Phase.before, gpu=True)
    promised = {
        each.remedy.step: each.code
        for each in judge(facts, asked)
        if each.status is Status.to_install and each.remedy is not None
    }
    wanted = Wanted(_PLATFORM, sites.of(facts), gpu_operator=True)
    planned = {step.key for step in (*components(wanted), *resources(wanted))}
    assert {step: code for step, code in promised.items() if step not in planned} == {}
