"""The values that charts are given, against the names that the real charts have for them.

The stand-ins refuse values that facts/cluster.md does not name, so a slip of the pen fails here. That a real chart of
another version still has them is not shown by this; nor is what it makes of those that are not looked at below.
"""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maas.cluster import sites
from maas.cluster.components.steps import steps
from maas.cluster.helm import Helm
from maas.cluster.helm_failures import HelmFailed
from maas.cluster.mirroring import minors
from maas.cluster.objects import Object, annotation, items, mapping, name
from maas.cluster.plan.model import Chart
from maas.cluster.wanted import Target, Wanted
from maas.domain.platform import Platform
from tests.kubernetes.charts.stand_ins import mirrored

KUBERNETES = "1.34"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mirror")


def wanted_charts(kubernetes: str, folder: Path, **site: Any) -> dict[str, Chart]:
    where = replace(sites.assumed(Target.kubernetes), kubernetes=kubernetes, **site)
    found = steps(Wanted(Platform({}, {}), where, gpu_operator=True))
    mirrored(found, folder)
    return {action.release: action for step in found for action in step.actions if isinstance(action, Chart)}


def rendered(chart: Chart, folder: Path) -> list[Object]:
    return asyncio.run(Helm(mirror=folder).rendered(chart, KUBERNETES))


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def test_every_chart_takes_its_values(helm: Path, folder: Path) -> None:
    seen = set()
    for minor in minors():
        for release, chart in wanted_charts(minor, folder).items():
            asked = (release, json.dumps(chart.values))  # a stand-in is the same in all versions
            if asked not in seen:
                assert rendered(chart, folder), release
            seen.add(asked)


def test_a_value_of_another_name_would_be_refused(helm: Path, folder: Path) -> None:
    chart = wanted_charts(KUBERNETES, folder)["cert-manager"]
    with pytest.raises(HelmFailed, match="installCRDs"):
        rendered(replace(chart, values={"installCRDs": True}), folder)


def test_cert_manager_brings_its_kinds_keeps_them_and_lets_nobody_wait(helm: Path, folder: Path) -> None:
    found = rendered(wanted_charts(KUBERNETES, folder)["cert-manager"], folder)
    crds = of_kind(found, "CustomResourceDefinition")
    assert "certificates.cert-manager.io" in {name(each) for each in crds}
    assert {annotation(each, "helm.sh/resource-policy") for each in crds} == {"keep"}
    assert not of_kind(found, "Job")


def test_istiod_asks_for_what_a_small_cluster_has(helm: Path, folder: Path) -> None:
    found = of_kind(rendered(wanted_charts(KUBERNETES, folder)["istiod"], folder), "Deployment")
    asked = mapping(items(found[0], "spec", "template", "spec", "containers")[0], "resources", "requests")
    assert asked == {"cpu": "250m", "memory": "512Mi"}


@pytest.mark.parametrize(("kubernetes", "mode"), [("1.34", "Standard"), ("1.31", "RawDeployment")])
def test_kserve_needs_no_knative_writes_no_routes_and_its_services_have_addresses(
    helm: Path, folder: Path, kubernetes: str, mode: str
) -> None:
    found = of_kind(rendered(wanted_charts(kubernetes, folder)["kserve"], folder), "ConfigMap")
    config = {key: json.loads(value) for key, value in mapping(found[0], "data").items()}
    assert config["deploy"]["defaultDeploymentMode"] == mode
    assert config["ingress"]["disableIngressCreation"] is True
    assert config["service"]["serviceClusterIPNone"] is False


@pytest.mark.parametrize("there", [False, True])
def test_the_gpu_operator_brings_what_is_not_there(helm: Path, folder: Path, there: bool) -> None:
    theirs = frozenset({"nfd"} if there else ())
    chart = wanted_charts(KUBERNETES, folder, theirs=theirs, pod_monitors=there)["gpu-operator"]
    found = rendered(chart, folder)
    assert any("node-feature-discovery" in name(each) for each in of_kind(found, "Deployment")) is not there
    policy = of_kind(found, "ClusterPolicy")[0]
    assert mapping(policy, "spec", "dcgmExporter", "serviceMonitor") == {"enabled": there}


def test_what_charts_are_waited_for_is_what_they_make(helm: Path, folder: Path) -> None:
    """A wait for a Deployment of another name would end only with everybody's patience."""
    site = replace(sites.assumed(Target.kubernetes), kubernetes=KUBERNETES)
    wanted_charts(KUBERNETES, folder)
    for step in steps(Wanted(Platform({}, {}), site, gpu_operator=True)):
        mine = [action for action in step.actions if isinstance(action, Chart)]
        made = {(each["kind"], name(each)) for chart in mine for each in rendered(chart, folder)}
        for wait in step.waits if mine else ():
            if wait.tried is None and wait.kind.name in ("Deployment", "CustomResourceDefinition", "ClusterPolicy"):
                assert (wait.kind.name, wait.name) in made, (step.key, wait.what)
