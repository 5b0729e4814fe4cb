"""The GPU Operator: judged where GPUs are asked for, or there."""

from typing import Any

import pytest

from maas.cluster.components import gpu_operator
from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import DEPLOYMENT, NODE
from maas.readiness.catalogue import Asked, Phase, Target
from maas.readiness.findings import Status
from tests.kubernetes.components.making import (
    BEFORE,
    WITH_GPU,
    condition,
    conditions,
    csv,
    deployment,
    installed_operator,
    object_of,
    one,
    statuses,
)
from tests.kubernetes.offline import facts, found

_CODES = ("MAAS-260", "MAAS-261", "MAAS-262", "MAAS-263", "MAAS-264", "MAAS-265")
_AFTER_WITH_GPU = Asked(Target.kubernetes, Phase.after, gpu=True)
_OPERATOR = deployment("gpu-operator", "gpu-operator", "nvcr.io/nvidia/gpu-operator:v26.7.0")
_OLM = installed_operator("gpu-operator-certified", "nvidia-gpu-operator", "gpu-operator-certified.v26.7.0")


def _node(name: str = "gpu-1", *, gpus: str = "", **labels: str) -> dict[str, Any]:
    status = {"capacity": {"nvidia.com/gpu": gpus}, "allocatable": {"nvidia.com/gpu": gpus}} if gpus else {}
    return object_of("v1", "Node", name, metadata={"labels": labels}, status=status)


_CARD = _node(**{"feature.node.kubernetes.io/pci-10de.present": "true"})


def _policy(state: str, *given: dict[str, str]) -> dict[str, Any]:
    status = conditions(*given, state=state)
    return object_of("nvidia.com/v1", "ClusterPolicy", "gpu-cluster-policy", status=status)


def _daemon(name: str, desired: int, ready: int, namespace: str = "gpu-operator") -> dict[str, Any]:
    status = {"desiredNumberScheduled": desired, "numberReady": ready}
    return object_of("apps/v1", "DaemonSet", name, namespace, status=status)


@pytest.mark.parametrize("code", _CODES)
def test_without_gpus_nothing_is_judged(code: str) -> None:
    finding = one(code, facts(_node("cpu-1")))
    assert finding.status is Status.skipped and "no GPUs are asked for" in finding.message


def test_the_operator_comes_with_gpus_that_are_asked_for() -> None:
    assert one("MAAS-260", facts(), WITH_GPU).status is Status.to_install
    assert one("MAAS-260", facts(), _AFTER_WITH_GPU).status is Status.failed
    assert one("MAAS-262", facts(), WITH_GPU).status is Status.to_install


@pytest.mark.parametrize(("target", "step"), [(Target.kubernetes, "gpu-operator"), (Target.openshift, "nfd")])
def test_node_feature_discovery_comes_with_helms_chart_or_its_own_operator(target: Target, step: str) -> None:
    remedy = one("MAAS-262", facts(), Asked(target, Phase.before, gpu=True)).remedy
    assert remedy is not None and remedy.step == step


def test_gpus_that_nothing_can_use_are_a_warning() -> None:
    assert one("MAAS-260", facts(_CARD)).status is Status.warning


def test_clouds_that_bring_driver_and_plugin_need_no_operator() -> None:
    finding = one("MAAS-260", facts(_node(gpus="4")), WITH_GPU)
    assert finding.status is Status.passed and "not needed" in finding.message
    assert one("MAAS-262", facts(_node(gpus="4")), WITH_GPU).status is Status.passed


def test_helm_and_operatorhub_are_recognised() -> None:
    assert "26.7.0" in one("MAAS-260", facts(_OPERATOR), WITH_GPU).message
    assert "26.7.0 (OLM) in nvidia-gpu-operator" in one("MAAS-260", facts(*_OLM), WITH_GPU).message
    assert gpu_operator.namespaces(facts(*_OLM, _OPERATOR)) == {"nvidia-gpu-operator", "gpu-operator"}


def test_an_operator_that_does_not_come_up_fails_where_gpus_are_asked_for() -> None:
    stuck = [_OLM[0], csv("gpu-operator-certified.v26.7.0", "nvidia-gpu-operator", "Failed")]
    assert statuses("MAAS-260", facts(*stuck), WITH_GPU)[1] is Status.failed
    assert statuses("MAAS-260", facts(*stuck), BEFORE)[1] is Status.warning


@pytest.mark.parametrize("code", _CODES)
def test_unread_deployments_are_unknown(code: str) -> None:
    denied = Unread(Cause.denied, "listing deployments was denied")
    unread = facts(unread={DEPLOYMENT: denied, NODE: denied})
    assert one(code, unread, WITH_GPU).status is Status.unknown


@pytest.mark.parametrize(
    ("version", "expected"), [("v26.7.0", Status.passed), ("v23.6.1", Status.failed), ("latest", Status.warning)]
)
def test_versions(version: str, expected: Status) -> None:
    there = facts(deployment("gpu-operator", "gpu-operator", f"nvcr.io/nvidia/gpu-operator:{version}"))
    assert one("MAAS-261", there, WITH_GPU).status is expected


def test_an_old_operator_without_gpus_asked_for_is_a_warning() -> None:
    old = deployment("gpu-operator", "gpu-operator", "nvcr.io/nvidia/gpu-operator:v23.6.1")
    assert one("MAAS-261", facts(old)).status is Status.warning


def test_node_feature_discovery_is_recognised_by_its_daemon() -> None:
    daemon = _daemon("gpu-operator-node-feature-discovery-worker", 1, 1)
    finding = one("MAAS-262", facts(_OPERATOR, daemon, _CARD), WITH_GPU)
    assert finding.status is Status.passed and "1 of 1 GPU node" in finding.message
    nfd = object_of("nfd.openshift.io/v1", "NodeFeatureDiscovery", "nfd-instance", "openshift-nfd")
    assert one("MAAS-262", facts(nfd), WITH_GPU).status is Status.passed


def test_an_nfd_operator_that_nobody_has_asked_for_anything() -> None:
    operator = installed_operator("nfd", "openshift-nfd", "nfd.4.17.0")
    assert one("MAAS-262", facts(*operator), WITH_GPU).status is Status.to_install
    assert one("MAAS-262", facts(*operator), _AFTER_WITH_GPU).status is Status.failed


def test_a_policy_that_is_ready_passes() -> None:
    ready = _policy("ready", condition("Ready", "True", "Reconciled"))
    assert one("MAAS-263", facts(_OPERATOR, ready), WITH_GPU).status is Status.passed


@pytest.mark.parametrize("reason", ["NFDLabelsMissing", "NoGPUNodes"])
def test_a_policy_that_calls_itself_ready_without_gpus_fails(reason: str) -> None:
    blind = _policy("ready", condition("Ready", "True", reason))
    finding = one("MAAS-263", facts(_OPERATOR, blind), WITH_GPU)
    assert finding.status is Status.failed and "calls itself ready" in finding.message
    assert one("MAAS-263", facts(_OPERATOR, blind)).status is Status.warning, "nobody asked for GPUs"


def test_a_policy_that_is_not_ready_tells_why() -> None:
    error = condition("Error", "True", "DriverNotReady", "nvidia-driver-daemonset is not ready")
    finding = one("MAAS-263", facts(_OPERATOR, _policy("notReady", error, condition("Ready", "False"))), WITH_GPU)
    assert finding.status is Status.failed and "DriverNotReady" in finding.message
    assert finding.remedy and "kernel" in finding.remedy.text


def test_a_second_policy_is_ignored_and_a_warning() -> None:
    assert one("MAAS-263", facts(_OPERATOR, _policy("ignored")), WITH_GPU).status is Status.warning


def test_an_operator_without_a_policy() -> None:
    assert one("MAAS-263", facts(_OPERATOR), WITH_GPU).status is Status.to_install
    assert one("MAAS-263", facts(_OPERATOR), _AFTER_WITH_GPU).status is Status.failed
    assert one("MAAS-263", facts(), WITH_GPU).status is Status.skipped


def test_daemons_must_be_ready_on_every_node() -> None:
    daemons = [_daemon("nvidia-driver-daemonset", 3, 3), _daemon("nvidia-device-plugin-daemonset", 3, 3)]
    finding = one("MAAS-264", facts(_OPERATOR, *daemons), WITH_GPU)
    assert finding.status is Status.passed and "2 daemon sets, ready on 3 nodes" in finding.message


def test_a_driver_that_is_not_ready_is_shown_with_its_pods() -> None:
    waiting = {"name": "d", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    pod = object_of("v1", "Pod", "nvidia-driver-daemonset-abc", "gpu-operator", status={"containerStatuses": [waiting]})
    there = facts(_OPERATOR, _daemon("nvidia-driver-daemonset", 3, 2), _daemon("gpu-feature-discovery", 3, 3), pod)
    finding = one("MAAS-264", there, WITH_GPU)
    assert finding.status is Status.failed and "2 of 3 nodes" in finding.message
    assert "nvidia-driver-daemonset-abc: CrashLoopBackOff" in finding.seen[1].object
    assert finding.remedy and "--all-containers" in finding.remedy.commands[1]


def test_no_daemons_with_a_policy_and_gpu_nodes_fail() -> None:
    policy = _policy("notReady")
    assert one("MAAS-264", facts(_OPERATOR, policy, _CARD), WITH_GPU).status is Status.failed
    assert one("MAAS-264", facts(_OPERATOR, policy), WITH_GPU).status is Status.skipped


def test_the_operator_itself() -> None:
    assert one("MAAS-265", facts(_OPERATOR), WITH_GPU).status is Status.passed
    down = deployment("gpu-operator", "gpu-operator", available=False)
    assert one("MAAS-265", facts(down), WITH_GPU).status is Status.failed
    assert one("MAAS-265", facts(down)).status is Status.warning
    assert one("MAAS-265", facts(*_OLM), WITH_GPU).status is Status.failed
    assert [each.status for each in found("MAAS-265", facts(), WITH_GPU)] == [Status.skipped]
