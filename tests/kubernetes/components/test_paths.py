"""Every field of a custom resource that a check of components asks for is in that resource's schema."""

from dataclasses import replace
from typing import Any

import pytest

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import ALL, CERTIFICATE, Kind
from maas.readiness.judging import judge
from tests.kubernetes.components.making import AFTER, BEFORE, ON_OPENSHIFT, WITH_GPU, deployment
from tests.kubernetes.components.schematic import Schematic, objects_of
from tests.kubernetes.offline import facts

_CUSTOM = [
    kind for kind in ALL if ("." in kind.group and not kind.group.endswith(".k8s.io")) or "gateway" in kind.group
]
# Fields that only some versions have, and that are asked for because of it.
_OF_SOME_VERSIONS = {
    "DataScienceCluster spec.components.kserve.serving",  # 2.x, dropped in 3.x
    "DataScienceCluster spec.components.kserve.defaultDeploymentMode",
    "DSCInitialization spec.serviceMesh",
}
_DEPLOYMENTS = [
    deployment("cert-manager", "some-namespace"),
    deployment("kserve-controller-manager", "some-namespace"),
    deployment("kuadrant-operator-controller-manager", "some-namespace"),
    deployment("kserve-controller-manager", "redhat-ods-applications"),
    deployment("gpu-operator", "some-namespace"),
]


def _facts_of(lists: dict[Kind, list[Schematic]]) -> Facts:
    served = facts(*_DEPLOYMENTS, serves=[*lists, CERTIFICATE])
    objects: dict[str, list[Any]] = {kind.key: list(found) for kind, found in lists.items()}
    return replace(served, lists={**served.lists, **objects})


@pytest.mark.parametrize("well", [True, False])
@pytest.mark.parametrize("asked", [BEFORE, AFTER, ON_OPENSHIFT, WITH_GPU], ids=["before", "after", "openshift", "gpu"])
def test_checks_ask_only_for_fields_that_exist(asked: Any, well: bool) -> None:
    unknown: set[str] = set()
    lists = {kind: found for kind in _CUSTOM if (found := objects_of(kind, unknown, well=well))}
    findings = judge(_facts_of(lists), asked, only=["MAAS-2"])
    assert not [each for each in findings if "should not happen" in each.message]
    assert unknown <= _OF_SOME_VERSIONS


def test_a_field_that_does_not_exist_is_noted() -> None:
    from maas.cluster.kinds import KUADRANT
    from maas.cluster.objects import text

    unknown: set[str] = set()
    (kuadrant,) = objects_of(KUADRANT, unknown)
    assert text(kuadrant, "status", "conditions", 0, "type") == "Ready"
    assert text(kuadrant, "status", "fase") == ""
    assert unknown == {"Kuadrant status.fase"}


def test_most_kinds_have_a_schema() -> None:
    without = {kind.name for kind in _CUSTOM if not objects_of(kind, set())}
    assert without <= {"Proxy"}
