"""OpenShift Serverless: asked for by the prerequisites, needed in one case."""

from typing import Any

import pytest

from maas.cluster.components import rhoai
from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import DATA_SCIENCE_CLUSTER
from maas.readiness.findings import Status
from tests.kubernetes.components.making import (
    BEFORE,
    ON_OPENSHIFT,
    ON_OPENSHIFT_AFTER,
    condition,
    conditions,
    installed_operator,
    object_of,
    one,
    openshift,
)
from tests.kubernetes.offline import facts

_OPERATOR = installed_operator("serverless-operator", "openshift-serverless", "serverless-operator.v1.36.0")


def _cluster(version: str = "v1", **kserve: Any) -> dict[str, Any]:
    spec = {"components": {"kserve": {"managementState": "Managed", **kserve}}}
    return object_of(f"datasciencecluster.opendatahub.io/{version}", "DataScienceCluster", "default-dsc", spec=spec)


_SERVERLESS = _cluster(defaultDeploymentMode="Serverless", serving={"managementState": "Managed"})
_RAW = _cluster(defaultDeploymentMode="RawDeployment", serving={"managementState": "Removed"})


def _serving(status: str, message: str = "") -> dict[str, Any]:
    told = conditions(condition("Ready", status, "", message), version="1.15")
    return object_of(
        "operator.knative.dev/v1beta1", "KnativeServing", "knative-serving", "knative-serving", status=told
    )


@pytest.mark.parametrize(
    ("cluster", "needed"),
    [
        (_SERVERLESS, True),
        (_RAW, False),
        (_cluster(serving={"managementState": "Managed"}), True),
        (_cluster(), False),
        (_cluster("v2", serving={"managementState": "Managed"}), False),
        (_cluster(managementState="Removed", serving={"managementState": "Managed"}), False),
    ],
)
def test_who_needs_serverless(cluster: dict[str, Any], needed: bool) -> None:
    assert rhoai.wants_serverless(cluster) is needed


def test_where_it_is_not_needed_its_absence_is_explained() -> None:
    finding = one("MAAS-240", facts(openshift("4.20.0")), ON_OPENSHIFT)
    assert finding.status is Status.skipped and "OpenShift AI 2.x in Serverless mode" in finding.message
    assert one("MAAS-240", facts(), BEFORE).status is Status.skipped
    assert one("MAAS-241", facts(_RAW), ON_OPENSHIFT).status is Status.skipped


def test_where_it_is_needed_it_is_installed() -> None:
    finding = one("MAAS-240", facts(_SERVERLESS), ON_OPENSHIFT)
    assert finding.status is Status.to_install and finding.seen[0].value == "Serverless"
    assert one("MAAS-240", facts(_SERVERLESS), ON_OPENSHIFT_AFTER).status is Status.failed
    assert one("MAAS-241", facts(_SERVERLESS), ON_OPENSHIFT_AFTER).status is Status.failed


def test_the_operator_passes_where_it_is() -> None:
    assert one("MAAS-240", facts(*_OPERATOR), ON_OPENSHIFT).status is Status.passed
    assert one("MAAS-240", facts(*_OPERATOR[:1]), ON_OPENSHIFT).status is Status.failed


def test_knative_serving_is_judged_by_its_condition() -> None:
    assert one("MAAS-241", facts(_serving("True")), ON_OPENSHIFT).status is Status.passed
    broken = one("MAAS-241", facts(_SERVERLESS, _serving("False", "activator is down")), ON_OPENSHIFT)
    assert broken.status is Status.failed and "activator is down" in broken.message
    assert one("MAAS-241", facts(_serving("False")), ON_OPENSHIFT).status is Status.warning, "nothing needs it"


def test_nobody_knows_without_the_data_science_cluster() -> None:
    denied = Unread(Cause.denied, "listing datascienceclusters was denied")
    assert one("MAAS-240", facts(unread={DATA_SCIENCE_CLUSTER: denied}), ON_OPENSHIFT).status is Status.unknown
