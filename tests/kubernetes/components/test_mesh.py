"""Which mesh carries the gateway, that it is up, and that there is only one."""

from typing import Any

import pytest

from maas.cluster.components import istio, service_mesh
from maas.cluster.components.service_mesh import Mesh
from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import DEPLOYMENT
from maas.readiness.findings import Status
from tests.kubernetes.components.making import (
    AFTER,
    BEFORE,
    ON_OPENSHIFT,
    ON_OPENSHIFT_AFTER,
    condition,
    conditions,
    csv,
    deployment,
    installed_operator,
    object_of,
    one,
    openshift,
    statuses,
    subscription,
)
from tests.kubernetes.offline import facts, found

_TWO = installed_operator("servicemeshoperator", "openshift-operators", "servicemeshoperator.v2.6.11")
_THREE = installed_operator("servicemeshoperator3", "openshift-operators", "servicemeshoperator3.v3.1.0")
_NEEDS_SERVERLESS = object_of(
    "datasciencecluster.opendatahub.io/v1",
    "DataScienceCluster",
    "default-dsc",
    spec={"components": {"kserve": {"managementState": "Managed", "serving": {"managementState": "Managed"}}}},
)


def _istiod(version: str = "1.30.3", **fields: Any) -> dict[str, Any]:
    labels = fields.pop("labels", {"app": "istiod", "app.kubernetes.io/managed-by": "Helm"})
    return deployment("istiod", "istio-system", f"docker.io/istio/pilot:{version}", labels=labels, **fields)


def _istio(name: str = "default", state: str = "Healthy", *given: dict[str, str]) -> dict[str, Any]:
    status = conditions(*(given or (condition("Ready"),)), state=state)
    return object_of("sailoperator.io/v1", "Istio", name, spec={"version": "v1.26.2"}, status=status)


def _cni(*given: dict[str, str]) -> dict[str, Any]:
    status = conditions(*(given or (condition("Ready"),)), state="Healthy")
    return object_of("sailoperator.io/v1", "IstioCNI", "default", status=status)


def _smcp(*given: dict[str, str]) -> dict[str, Any]:
    status = conditions(*given, annotations={"readyComponentCount": "6/6"})
    return object_of("maistra.io/v2", "ServiceMeshControlPlane", "basic", "istio-system", status=status)


def _smmr(name: str = "default", *given: dict[str, str], **status: Any) -> dict[str, Any]:
    told = conditions(*given, **status)
    return object_of("maistra.io/v1", "ServiceMeshMemberRoll", name, "istio-system", status=told)


@pytest.mark.parametrize(
    ("objects", "on_openshift", "expected"),
    [
        ([], False, Mesh.upstream),
        ([openshift("4.20.1")], True, Mesh.built_in),
        ([openshift("4.18.1")], True, Mesh.service_mesh_3),
        ([openshift("4.18.1"), deployment("istiod", "istio-system")], True, Mesh.upstream),
        ([openshift("4.16.1"), *_TWO], True, Mesh.service_mesh_2),
        ([openshift("4.16.1"), *_TWO, *_THREE[:2]], True, Mesh.service_mesh_3),
    ],
)
def test_the_platform_decides_on_the_mesh(objects: list[Any], on_openshift: bool, expected: Mesh) -> None:
    assert service_mesh.wanted(facts(*objects), openshift=on_openshift) is expected


def test_new_openshift_needs_no_operator_and_says_so() -> None:
    finding = one("MAAS-230", facts(openshift("4.20.1")), ON_OPENSHIFT)
    assert finding.status is Status.passed and "no Service Mesh operator is needed" in finding.message


@pytest.mark.parametrize(("asked", "expected"), [(BEFORE, Status.to_install), (AFTER, Status.failed)])
def test_absent_istio(asked: Any, expected: Status) -> None:
    assert one("MAAS-230", facts(), asked).status is expected


@pytest.mark.parametrize(
    ("asked", "expected"), [(ON_OPENSHIFT, Status.to_install), (ON_OPENSHIFT_AFTER, Status.failed)]
)
def test_absent_operator_on_old_openshift(asked: Any, expected: Status) -> None:
    assert one("MAAS-230", facts(openshift("4.18.1")), asked).status is expected
    both = statuses("MAAS-230", facts(openshift("4.18.1"), *_THREE), asked)
    assert both == [Status.passed, expected], "the operator alone makes no mesh"


def test_an_operator_that_does_not_come_up_fails() -> None:
    stuck = [subscription("servicemeshoperator3", "openshift-operators"), openshift("4.18.1")]
    assert statuses("MAAS-230", facts(*stuck), ON_OPENSHIFT)[0] is Status.failed


def test_istio_by_helm_or_by_an_operator_passes() -> None:
    assert "1.30.3 (Helm)" in one("MAAS-230", facts(_istiod())).message
    assert one("MAAS-230", facts(_istio())).status is Status.passed


def test_service_mesh_2_is_a_warning_on_old_openshift() -> None:
    assert statuses("MAAS-230", facts(openshift("4.16.1"), *_TWO), ON_OPENSHIFT) == [Status.passed, Status.warning]


def test_istiod_must_be_available() -> None:
    assert one("MAAS-231", facts()).status is Status.skipped
    assert one("MAAS-231", facts(_istiod())).status is Status.passed
    finding = one("MAAS-231", facts(_istiod(available=False)))
    assert finding.status is Status.failed and "MinimumReplicasUnavailable" in finding.message
    denied = Unread(Cause.denied, "no")
    assert one("MAAS-231", facts(unread={DEPLOYMENT: denied})).status is Status.unknown


def test_a_control_plane_of_service_mesh_2() -> None:
    ready = condition("Ready", "True", "ComponentsReady")
    broken = condition("Ready", "False", "ComponentsNotReady", "istio-ingressgateway")
    old = openshift("4.16.1")
    assert "ComponentsReady" in one("MAAS-232", facts(old, *_TWO, _smcp(ready)), ON_OPENSHIFT).message
    finding = one("MAAS-232", facts(old, *_TWO, _smcp(broken)), ON_OPENSHIFT)
    assert finding.status is Status.failed and "istio-ingressgateway" in finding.message
    assert "6/6" in finding.seen[0].value


def test_a_broken_control_plane_that_nothing_needs_is_a_warning() -> None:
    broken = _smcp(condition("Ready", "False"))
    assert one("MAAS-232", facts(openshift("4.18.1"), broken, *_THREE), ON_OPENSHIFT).status is Status.warning
    needed = facts(openshift("4.18.1"), broken, *_THREE, _NEEDS_SERVERLESS)
    assert one("MAAS-232", needed, ON_OPENSHIFT).status is Status.failed


@pytest.mark.parametrize("code", ["MAAS-232", "MAAS-233", "MAAS-234"])
def test_meshes_that_are_not_there_are_explained(code: str) -> None:
    assert one(code, facts(openshift("4.20.0")), ON_OPENSHIFT).status is Status.skipped
    assert one(code, facts()).status is Status.skipped


def test_a_member_roll() -> None:
    old, configured = openshift("4.16.1"), condition("Ready", "True", "Configured")
    assert one("MAAS-233", facts(old, *_TWO, _smmr("default", configured)), ON_OPENSHIFT).status is Status.passed
    assert one("MAAS-233", facts(old, *_TWO, _smmr("default")), ON_OPENSHIFT).status is Status.failed
    assert one("MAAS-233", facts(old, *_TWO, _smmr("mine", configured)), ON_OPENSHIFT).status is Status.failed
    pending = _smmr("default", configured, pendingMembers=["llm"])
    finding = one("MAAS-233", facts(old, *_TWO, pending), ON_OPENSHIFT)
    assert finding.status is Status.warning and "llm" in finding.message


def test_an_istio_object_that_is_healthy_passes() -> None:
    assert statuses("MAAS-234", facts(_istio(), _cni()), ON_OPENSHIFT) == [Status.passed, Status.passed]


def test_an_istio_object_tells_what_is_wrong() -> None:
    bad = _istio(
        "default",
        "IstioCNINotFound",
        condition("Ready"),
        condition("DependenciesHealthy", "False", "IstioCNINotFound", "no CNI"),
    )
    findings = found("MAAS-234", facts(bad), ON_OPENSHIFT)
    assert findings[0].status is Status.failed and "no CNI" in findings[0].message
    assert findings[1].status is Status.to_install, "openshift needs an IstioCNI"
    assert statuses("MAAS-234", facts(bad)) == [Status.failed], "kubernetes does not"


def test_the_platforms_own_istio_needs_no_cni_of_ours() -> None:
    assert statuses("MAAS-234", facts(openshift("4.20.0"), _istio("openshift-gateway")), ON_OPENSHIFT) == [
        Status.passed
    ]


def test_one_mesh_is_no_conflict() -> None:
    for objects in ([], [_istiod()], [openshift("4.20.0")], [openshift("4.18.0"), *_THREE, _istio()]):
        assert one("MAAS-235", facts(*objects), ON_OPENSHIFT).status is Status.passed


def test_both_service_meshes_are_a_conflict() -> None:
    finding = one("MAAS-235", facts(openshift("4.18.0"), *_TWO, *_THREE[:2]), ON_OPENSHIFT)
    assert finding.status is Status.failed and "2 and 3" in finding.message


def test_service_mesh_2_conflicts_with_new_openshift() -> None:
    finding = one("MAAS-235", facts(openshift("4.19.9"), *_TWO), ON_OPENSHIFT)
    assert finding.status is Status.failed and "built-in Gateway API" in finding.message
    left_over = one("MAAS-235", facts(openshift("4.22.0"), _smcp()), ON_OPENSHIFT)
    assert left_over.status is Status.failed and left_over.seen


def test_upstream_beside_openshifts_own_is_a_conflict() -> None:
    finding = one("MAAS-235", facts(openshift("4.20.0"), _istiod()), ON_OPENSHIFT)
    assert finding.status is Status.failed and "istio-system/istiod" in str(finding.seen[0])
    assert one("MAAS-235", facts(openshift("4.18.0"), *_THREE, _istiod()), ON_OPENSHIFT).status is Status.failed


def test_what_the_ingress_operator_installed_is_no_conflict() -> None:
    mark = {"annotations": {"ingress.operator.openshift.io/owned": ""}}
    own = subscription("servicemeshoperator3", "openshift-operators", csv="servicemeshoperator3.v3.1.0", metadata=mark)
    istiod = deployment("istiod-openshift-gateway", "openshift-ingress", labels={"app": "istiod"})
    there = facts(
        openshift("4.19.9"),
        own,
        csv("servicemeshoperator3.v3.1.0", "openshift-operators"),
        _istio("openshift-gateway"),
        istiod,
    )
    assert not service_mesh.has_3(there)
    assert one("MAAS-235", there, ON_OPENSHIFT).status is Status.passed


@pytest.mark.parametrize("owner", ["IstioRevision", "ServiceMeshControlPlane"])
def test_istiods_of_operators_are_not_upstream(owner: str) -> None:
    assert not istio.upstream(facts(_istiod(labels={"app": "istiod"}, owners=(owner,))))
    assert istio.upstream(facts(_istiod()))


@pytest.mark.parametrize(
    ("version", "expected"), [("1.30.3", Status.passed), ("1.20.0", Status.failed), ("latest", Status.warning)]
)
def test_istio_must_be_new_enough(version: str, expected: Status) -> None:
    assert one("MAAS-236", facts(_istiod(version))).status is expected
    assert one("MAAS-236", facts()).status is Status.skipped


def test_service_meshes_must_be_new_enough() -> None:
    assert one("MAAS-236", facts(openshift("4.18.1"), *_THREE), ON_OPENSHIFT).status is Status.passed
    assert one("MAAS-236", facts(openshift("4.16.1"), *_TWO), ON_OPENSHIFT).status is Status.passed
    old = installed_operator("servicemeshoperator", "openshift-operators", "servicemeshoperator.v2.3.1")
    assert one("MAAS-236", facts(openshift("4.16.1"), *old), ON_OPENSHIFT).status is Status.failed
    beside = facts(openshift("4.16.1"), *old, *_THREE[:2])
    assert statuses("MAAS-236", beside, ON_OPENSHIFT) == [Status.passed, Status.warning], "version 3 is used"


def test_meshes_that_the_gateway_does_not_use_are_only_warnings() -> None:
    theirs = [
        _istiod(available=False, labels={"app": "istiod"}, owners=("IstioRevision",)),
        _istio("theirs", "IstiodNotReady"),
    ]
    new = facts(openshift("4.20.0"), *theirs)
    assert statuses("MAAS-231", new, ON_OPENSHIFT_AFTER) == [Status.warning]
    assert statuses("MAAS-234", new, ON_OPENSHIFT_AFTER) == [Status.warning]
    old = facts(openshift("4.18.0"), *theirs)
    assert statuses("MAAS-231", old, ON_OPENSHIFT_AFTER) == [Status.failed]
    assert statuses("MAAS-234", old, ON_OPENSHIFT_AFTER) == [Status.failed, Status.failed]
    own = deployment("istiod-openshift-gateway", "openshift-ingress", available=False, labels={"app": "istiod"})
    assert statuses("MAAS-231", facts(openshift("4.20.0"), own), ON_OPENSHIFT_AFTER) == [Status.failed]
