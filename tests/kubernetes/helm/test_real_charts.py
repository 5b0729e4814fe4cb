"""The real charts, where somebody has them: $MAAS_REAL_MIRROR names a folder that `maas mirror` made with a network.

What the stand-ins only claim is held against them: that they take our values, make what is waited for, hold nothing
that the printed role may not make, and what they make of the values that matter.
"""

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from maas.cluster import kinds, mirror, rbac, sites
from maas.cluster.components.steps import steps
from maas.cluster.helm import Helm
from maas.cluster.objects import Object, annotation, items, mapping, name
from maas.cluster.plan.model import Apply, Chart, Step
from maas.cluster.wanted import Target, Wanted
from maas.domain.platform import Platform

KUBERNETES = "1.34"


@pytest.fixture(scope="module")
def folder(helm: Path) -> Path:
    named = os.environ.get("MAAS_REAL_MIRROR")
    if not named:
        pytest.skip("no real charts: $MAAS_REAL_MIRROR names no folder of `maas mirror`")
    return mirror.read(Path(named)).folder


@pytest.fixture(scope="module")
def rendered(folder: Path) -> dict[str, list[Object]]:
    """By release."""

    async def main() -> dict[str, list[Object]]:
        tool = Helm(mirror=folder)
        return {chart.release: await tool.rendered(chart, KUBERNETES) for step in wanted() for chart in charts(step)}

    return asyncio.run(main())


def wanted() -> list[Step]:
    site = replace(sites.assumed(Target.kubernetes), kubernetes=KUBERNETES)
    return steps(Wanted(Platform({}, {}), site, gpu_operator=True))


def charts(step: Step) -> list[Chart]:
    return [action for action in step.actions if isinstance(action, Chart)]


def test_they_make_what_more_is_set_on(rendered: dict[str, list[Object]]) -> None:
    for step in wanted():
        made = {(each["kind"], name(each)): each for chart in charts(step) for each in rendered[chart.release]}
        for action in step.actions:
            if isinstance(action, Apply) and action.brought:
                found = made[action.object["kind"], name(action.object)]
                of = ("spec", "template", "spec", "containers")
                assert [name_of(c) for c in items(action.object, *of)] == [name_of(c) for c in items(found, *of)]


def name_of(container: Object) -> str:
    return str(container["name"])


def test_they_make_what_is_waited_for(rendered: dict[str, list[Object]]) -> None:
    for step in wanted():
        made = {(each["kind"], name(each)) for chart in charts(step) for each in rendered[chart.release]}
        for wait in step.waits if made else ():
            if wait.tried is None and wait.kind.name in ("Deployment", "CustomResourceDefinition", "ClusterPolicy"):
                assert (wait.kind.name, wait.name) in made, (step.key, wait.what)


def test_they_hold_nothing_that_the_printed_role_may_not_make(rendered: dict[str, list[Object]]) -> None:
    granted = {
        (verb, group, resource)
        for rule in rbac.cluster_role("kubernetes")["rules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    for release, objects in rendered.items():
        for kind in {kinds.of(each) for each in objects}:
            for verb in ("get", "create", "patch", "delete"):
                known = {(verb, kind.group, each) for each in (kind.plural, "*")}
                assert known & granted, f"{release} holds a {kind.name}, and the role may not {verb} it"


def test_their_namespaces_are_those_that_we_make(rendered: dict[str, list[Object]]) -> None:
    made = {chart.namespace for step in wanted() for chart in charts(step)}
    assert not [each for objects in rendered.values() for each in objects if each["kind"] == "Namespace"]
    assert "kuadrant-system" in made


def test_values_that_matter_have_arrived(rendered: dict[str, list[Object]]) -> None:
    config = next(each for each in rendered["kserve"] if name(each) == "inferenceservice-config")
    read = {key: json.loads(mapping(config, "data")[key]) for key in ("deploy", "ingress", "service")}
    assert read["deploy"]["defaultDeploymentMode"] == "Standard"
    assert read["ingress"]["disableIngressCreation"] is True
    assert read["service"]["serviceClusterIPNone"] is False
    istiod = next(each for each in rendered["istiod"] if each["kind"] == "Deployment")
    container = items(istiod, "spec", "template", "spec", "containers")[0]
    assert mapping(container, "resources", "requests") == {"cpu": "250m", "memory": "512Mi"}
    crds = [each for each in rendered["cert-manager"] if each["kind"] == "CustomResourceDefinition"]
    assert {annotation(each, "helm.sh/resource-policy") for each in crds} == {"keep"}
    assert not [each for each in rendered["cert-manager"] if each["kind"] == "Job"]
