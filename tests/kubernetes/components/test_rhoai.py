"""OpenShift AI: operator, initialisation, cluster, and fields of another generation."""

from typing import Any

import pytest

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import CSV, DATA_SCIENCE_CLUSTER, INFERENCE_SERVICE
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
)
from tests.kubernetes.offline import facts, found

_OPERATOR = installed_operator("rhods-operator", "redhat-ods-operator", "rhods-operator.2.16.0")
_KSERVE = deployment("kserve-controller-manager", "kserve")


def _cluster(
    *given: dict[str, str], phase: str = "Ready", version: str = "v2", name: str = "default-dsc", **kserve: Any
) -> dict[str, Any]:
    spec = {"components": {"kserve": {"managementState": "Managed", **kserve}}}
    status = conditions(*given, phase=phase)
    return object_of(
        f"datasciencecluster.opendatahub.io/{version}", "DataScienceCluster", name, spec=spec, status=status
    )


def _init(phase: str = "Ready", name: str = "default-dsci", **spec: Any) -> dict[str, Any]:
    status = {"phase": phase}
    return object_of("dscinitialization.opendatahub.io/v2", "DSCInitialization", name, spec=spec, status=status)


def test_the_operator() -> None:
    assert one("MAAS-250", facts(), BEFORE).status is Status.skipped
    assert one("MAAS-250", facts(), ON_OPENSHIFT).status is Status.to_install
    assert one("MAAS-250", facts(), ON_OPENSHIFT_AFTER).status is Status.failed
    assert one("MAAS-250", facts(*_OPERATOR), ON_OPENSHIFT).status is Status.passed
    pending = [_OPERATOR[0], csv("rhods-operator.2.16.0", "redhat-ods-operator", "Pending")]
    assert one("MAAS-250", facts(*pending), ON_OPENSHIFT).status is Status.failed
    assert one("MAAS-250", facts(unread={CSV: Unread(Cause.denied, "no")}), ON_OPENSHIFT).status is Status.unknown


def test_kserve_by_itself_will_do() -> None:
    finding = one("MAAS-250", facts(_KSERVE), ON_OPENSHIFT)
    assert finding.status is Status.skipped and "by itself" in finding.message


@pytest.mark.parametrize("code", ["MAAS-251", "MAAS-252", "MAAS-253"])
def test_without_the_operator_there_is_nothing_to_judge(code: str) -> None:
    assert one(code, facts(), BEFORE).status is Status.skipped
    assert one(code, facts(), AFTER).status is Status.skipped
    assert one(code, facts(*_OPERATOR), ON_OPENSHIFT).status is Status.to_install
    assert one(code, facts(*_OPERATOR), ON_OPENSHIFT_AFTER).status is Status.failed


def test_the_initialisation() -> None:
    assert one("MAAS-251", facts(_init()), ON_OPENSHIFT).status is Status.passed
    assert one("MAAS-251", facts(_init("Error")), ON_OPENSHIFT).status is Status.failed
    assert statuses("MAAS-251", facts(_init(), _init(name="second")), ON_OPENSHIFT)[0] is Status.failed


def test_a_cluster_that_is_ready() -> None:
    removed = condition("RayReady", "False", "Removed", "Component ManagementState is set to Removed")
    assert one("MAAS-252", facts(_cluster(condition("Ready"), removed)), ON_OPENSHIFT).status is Status.passed


def test_false_conditions_are_told_with_their_messages() -> None:
    why = condition("KserveReady", "False", "PreConditionFailed", "ServiceMesh operator not installed")
    bad = _cluster(condition("Ready", "False", "NotReady"), why, phase="Not Ready")
    finding = one("MAAS-252", facts(bad), ON_OPENSHIFT)
    assert finding.status is Status.failed and "ServiceMesh operator not installed" in finding.message
    assert finding.seen[1].field == "status.conditions[KserveReady]"


def test_other_components_than_kserve_are_a_warning() -> None:
    ray = condition("RayReady", "False", "DeploymentsNotReady", "0/1 deployments ready")
    bad = _cluster(condition("Ready", "False"), condition("KserveReady"), ray, phase="Not Ready")
    finding = one("MAAS-252", facts(bad), ON_OPENSHIFT)
    assert finding.status is Status.warning and "0/1 deployments" in finding.message


def test_two_clusters_fail() -> None:
    assert statuses("MAAS-252", facts(_cluster(), _cluster(name="b")), ON_OPENSHIFT)[0] is Status.failed


def test_kserve_must_be_managed_and_can_be() -> None:
    assert one("MAAS-253", facts(_cluster()), ON_OPENSHIFT).status is Status.passed
    finding = one("MAAS-253", facts(_cluster(managementState="Removed")), ON_OPENSHIFT)
    assert finding.status is Status.failed and finding.remedy
    assert finding.remedy.changes[0].body == {"spec": {"components": {"kserve": {"managementState": "Managed"}}}}
    beside = facts(_cluster(managementState="Removed"), _KSERVE)
    assert one("MAAS-253", beside, ON_OPENSHIFT).status is Status.skipped


def test_headless_services_are_a_warning() -> None:
    assert one("MAAS-254", facts(), ON_OPENSHIFT).status is Status.skipped
    assert one("MAAS-254", facts(_cluster(rawDeploymentServiceConfig="Headed")), ON_OPENSHIFT).status is Status.passed
    finding = one("MAAS-254", facts(_cluster()), ON_OPENSHIFT)
    assert finding.status is Status.warning and finding.remedy
    assert "Headed" in finding.remedy.changes[0].command


def test_fields_of_2_on_3_are_dropped_and_can_be_removed() -> None:
    old = _cluster(version="v1", serving={"managementState": "Removed"}, defaultDeploymentMode="RawDeployment")
    finding = one("MAAS-255", facts(old, serves=[DATA_SCIENCE_CLUSTER]), ON_OPENSHIFT)
    assert finding.status is Status.warning and "serving, defaultDeploymentMode" in finding.message
    assert finding.remedy
    removed = {"serving": None, "defaultDeploymentMode": None}
    assert finding.remedy.changes[0].body == {"spec": {"components": {"kserve": removed}}}


def test_the_operators_version_counts_more_than_what_is_served() -> None:
    raw = _cluster(version="v1", serving={"managementState": "Removed"}, defaultDeploymentMode="RawDeployment")
    there = facts(*_OPERATOR, raw, serves=[DATA_SCIENCE_CLUSTER])
    assert one("MAAS-255", there, ON_OPENSHIFT).status is Status.passed


def test_the_serverless_mode_of_2_is_a_warning_with_a_way_out() -> None:
    old = _cluster(version="v1", serving={"managementState": "Managed"})
    finding = one("MAAS-255", facts(old), ON_OPENSHIFT)
    assert finding.status is Status.warning and finding.remedy
    assert "RawDeployment" in finding.remedy.changes[0].command


_KNATIVE = object_of("operator.knative.dev/v1beta1", "KnativeServing", "knative-serving")


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ({"annotations": {"serving.kserve.io/deploymentMode": "Serverless"}}, "llm/m"),
        ({}, "llm/m"),  # the default
        (None, "Knative"),
    ],
)
def test_what_would_stop_models_is_shown_and_left_to_somebody(there: dict[str, Any] | None, told: str) -> None:
    old = _cluster(version="v1", serving={"managementState": "Managed"})
    model = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "m", "namespace": "llm", **(there or {})},
    }
    finding = one("MAAS-255", facts(old, _KNATIVE if there is None else model), ON_OPENSHIFT)
    assert finding.remedy and not finding.remedy.changes
    assert told in finding.remedy.text and "RawDeployment" in finding.remedy.commands[0]


def test_nobody_knows_what_would_stop_where_models_were_not_read() -> None:
    old = _cluster(version="v1", serving={"managementState": "Managed"})
    denied = {INFERENCE_SERVICE: Unread(Cause.denied, "listing was denied")}
    finding = one("MAAS-255", facts(old, unread=denied), ON_OPENSHIFT)
    assert finding.remedy and not finding.remedy.changes and "denied" in finding.remedy.text


def test_models_without_knative_stand_in_nobodys_way() -> None:
    old = _cluster(version="v1", serving={"managementState": "Managed"})
    metadata = {"name": "m", "namespace": "llm", "annotations": {"serving.kserve.io/deploymentMode": "RawDeployment"}}
    model = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": metadata}
    finding = one("MAAS-255", facts(old, model), ON_OPENSHIFT)
    assert finding.remedy and finding.remedy.changes


def test_generations_that_fit_pass() -> None:
    assert one("MAAS-255", facts(_cluster()), ON_OPENSHIFT).status is Status.passed
    raw = _cluster(version="v1", defaultDeploymentMode="RawDeployment", serving={"managementState": "Removed"})
    assert one("MAAS-255", facts(raw), ON_OPENSHIFT).status is Status.passed
    assert one("MAAS-255", facts(), ON_OPENSHIFT).status is Status.skipped


def test_service_mesh_in_the_initialisation_of_3_is_dropped() -> None:
    there = facts(_cluster(), _init(serviceMesh={"managementState": "Managed"}))
    assert "serviceMesh" in one("MAAS-255", there, ON_OPENSHIFT).message


def test_old_operators_and_old_openshift_are_warnings() -> None:
    old = installed_operator("rhods-operator", "redhat-ods-operator", "rhods-operator.2.8.0")
    new = installed_operator("rhods-operator", "redhat-ods-operator", "rhods-operator.3.0.0")
    (finding,) = found("MAAS-255", facts(*old, openshift("4.16.0")), ON_OPENSHIFT)
    assert finding.status is Status.warning and "2.8.0 is old" in finding.message
    (finding,) = found("MAAS-255", facts(*new, openshift("4.16.0")), ON_OPENSHIFT)
    assert finding.status is Status.warning and "4.19.9 or newer" in finding.message
