"""GPUs: free, there, untainted and whole."""

from typing import Any

import pytest

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import CLUSTER_POLICY, POD
from maas.readiness.catalogue import Phase, Target
from maas.readiness.findings import Finding, Status
from tests.kubernetes.nodes.made import A10G, T4, container, node, pod
from tests.kubernetes.offline import asked, facts, found

GPU = "nvidia.com/gpu"
NFD = {"feature.node.kubernetes.io/pci-10de.present": "true"}
OPERATOR = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "gpu-operator", "namespace": "gpu-operator"},
}


def one(code: str, *objects: dict[str, Any], target: Target = Target.kubernetes, **more: Any) -> Finding:
    (finding,) = found(code, facts(*objects, **more), asked(target, gpu=True))
    assert "should not happen" not in finding.message
    return finding


def commands(finding: Finding) -> str:
    return "\n".join(finding.remedy.all_commands) if finding.remedy else ""


def holding(gpus: int, on: str, **more: Any) -> dict[str, Any]:
    return pod(f"holds-{on}", on=on, containers=[container(**{GPU: str(gpus)})], **more)


@pytest.mark.parametrize("code", [f"MAAS-{number}" for number in range(131, 139)])
def test_nobody_who_wants_no_gpu_hears_of_them(code: str) -> None:
    (said,) = found(code, facts(node("a", gpus=1, labels=T4)), asked())
    assert said.status is Status.skipped


@pytest.mark.parametrize("model", ["qwen3", "qwen3-0.6b", "Qwen/Qwen3-8B"])
def test_a_model_that_needs_one_asks_for_gpus(model: str) -> None:
    (said,) = found("MAAS-131", facts(node("a")), asked(models=frozenset({model})))
    assert said.status is Status.failed


# -- free


def test_a_free_gpu_is_told_with_its_node() -> None:
    said = one("MAAS-131", node("g", gpus=4, labels=T4, taints=[f"{GPU}=present:NoSchedule"]), holding(3, "g"))
    assert said.status is Status.passed
    assert said.message == "1 GPU free: 1 Tesla-T4"


def test_gpus_that_others_hold_are_not_to_be_had() -> None:
    said = one("MAAS-131", node("g", gpus=2, labels=T4), holding(2, "g"))
    assert said.status is Status.failed
    assert "all 2 GPUs on 1 node are requested already" in said.message


def test_gpus_that_the_platforms_own_models_hold_are_fine() -> None:
    mine = holding(1, "g", namespace="llm", labels={"serving.kserve.io/inferenceservice": "qwen3"})
    said = one("MAAS-131", node("g", gpus=1, labels=T4), mine)
    assert said.status is Status.passed
    assert "run models already" in said.message


@pytest.mark.parametrize(
    ("fields", "obstacle", "command"),
    [
        ({"ready": "False"}, "g not ready", "kubectl describe node g"),
        ({"cordoned": True}, "g cordoned", "kubectl uncordon g"),
        (
            {"taints": ["team=ml:NoSchedule"]},
            "g tainted team=ml:NoSchedule",
            "kubectl taint nodes g team=ml:NoSchedule-",
        ),
    ],
)
def test_gpus_out_of_reach(fields: dict[str, Any], obstacle: str, command: str) -> None:
    said = one("MAAS-131", node("g", gpus=1, labels=T4, **fields))
    assert said.status is Status.failed
    assert obstacle in said.message
    assert commands(said) == command


@pytest.mark.parametrize(
    ("target", "command"), [(Target.openshift, "rosa create"), (Target.kubernetes, "eksctl create")]
)
def test_without_gpu_nodes_it_says_how_to_get_one(target: Target, command: str) -> None:
    said = one("MAAS-131", node("a"), target=target)
    assert said.status is Status.failed
    assert command in commands(said)


def test_freeness_is_unknown_where_pods_were_not_read() -> None:
    denied = {POD: Unread(Cause.denied, "listing pods was denied")}
    assert one("MAAS-131", node("g", gpus=1, labels=T4), unread=denied).status is Status.unknown
    assert one("MAAS-131", node("a"), unread=denied).status is Status.failed  # no pods can change that
    assert one("MAAS-132", node("g", gpus=1, labels=A10G), unread=denied).status is Status.passed


def test_slices_are_gpus_too() -> None:
    sliced = node("g", labels=A10G)
    sliced["status"]["allocatable"] |= {"nvidia.com/mig-1g.10gb": "7"}
    assert one("MAAS-131", sliced).message == "7 GPUs free: 7 NVIDIA-A10G"
    assert "7 nvidia.com/mig-1g.10gb" in one("MAAS-137", sliced).message


# -- hardware that cannot be used


@pytest.mark.parametrize(
    ("labels", "operator", "status"),
    [
        (NFD, True, Status.failed),
        ({"feature.node.kubernetes.io/pci-0302_10de.present": "true"}, True, Status.failed),
        ({"nvidia.com/gpu.present": "true"}, True, Status.failed),
        ({"node.kubernetes.io/instance-type": "g4dn.xlarge"}, True, Status.failed),
        ({"node.kubernetes.io/instance-type": "Standard_NC4as_T4_v3"}, True, Status.failed),
        ({"cloud.google.com/gke-accelerator": "nvidia-l4"}, True, Status.failed),
        (NFD, False, Status.to_install),
        ({"node.kubernetes.io/instance-type": "g4ad.xlarge"}, True, Status.passed),  # AMD's
        ({"node.kubernetes.io/instance-type": "m5.xlarge"}, True, Status.passed),
        ({"node.kubernetes.io/instance-type": "g3.4xlarge"}, True, Status.passed),  # Maxwell: older than all of this
        ({"feature.node.kubernetes.io/pci-1af4.present": "true"}, True, Status.passed),
        ({"nvidia.com/gpu.present": "false"}, True, Status.passed),
    ],
)
def test_cards_that_nothing_makes_usable(labels: dict[str, str], operator: bool, status: Status) -> None:
    objects = [node("g", labels=labels), *([OPERATOR] if operator else [])]
    assert one("MAAS-135", *objects).status is status


@pytest.mark.parametrize(
    ("made", "how_far"),
    [
        (node("g", labels=NFD), "has not labelled it"),
        (node("g", labels=NFD | {"nvidia.com/gpu.present": "true"}), "the driver is not up"),
        (node("g", labels=NFD | T4), "the device plug-in is not up"),
    ],
)
def test_it_says_how_far_the_operator_came(made: dict[str, Any], how_far: str) -> None:
    said = one("MAAS-135", made, OPERATOR)
    assert how_far in said.message
    assert "kubectl get pods -n gpu-operator -o wide --field-selector=spec.nodeName=g" in commands(said)


def test_sick_gpus_are_told_from_absent_ones() -> None:
    sick = node("g", gpus=1, labels=T4)
    sick["status"]["allocatable"] = {**sick["status"]["allocatable"], GPU: "0"}
    assert "unhealthy" in one("MAAS-135", sick, OPERATOR).message


def test_a_card_without_an_operator_is_to_be_installed_everywhere() -> None:
    cluster = node("g", labels=NFD)
    assert one("MAAS-131", cluster).status is Status.to_install
    assert one("MAAS-131", cluster, OPERATOR, serves=[CLUSTER_POLICY]).status is Status.failed


def test_after_the_installation_a_missing_operator_is_a_fault() -> None:
    (said,) = found("MAAS-135", facts(node("g", labels=NFD)), asked(phase=Phase.after, gpu=True))
    assert said.status is Status.failed


# -- taints, slices, sharing


def test_foreign_taints_are_a_warning() -> None:
    said = one("MAAS-136", node("g", gpus=1, taints=["team=ml:NoSchedule", f"{GPU}:NoSchedule"]))
    assert said.status is Status.warning
    assert said.message == "taints that models do not tolerate: g team=ml:NoSchedule"
    assert one("MAAS-136", node("g", gpus=1, taints=[f"{GPU}=present:NoSchedule"])).status is Status.passed
    assert one("MAAS-136", node("g", gpus=1, taints=[f"{GPU}:NoExecute"])).status is Status.warning


@pytest.mark.parametrize(
    ("labels", "word"),
    [
        ({"nvidia.com/gpu.product": "Tesla-T4-SHARED", "nvidia.com/gpu.replicas": "4"}, "among 4 pods"),
        ({"nvidia.com/gpu.sharing-strategy": "time-slicing", "nvidia.com/gpu.replicas": "2"}, "among 2 pods"),
        ({"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb"}, "MIG slices as nvidia.com/gpu"),
    ],
)
def test_parted_gpus_are_a_warning(labels: dict[str, str], word: str) -> None:
    said = one("MAAS-137", node("g", gpus=4, labels=T4 | labels))
    assert said.status is Status.warning
    assert word in said.message


def test_whole_gpus_pass() -> None:
    assert (
        one("MAAS-137", node("g", gpus=1, labels=T4 | {"nvidia.com/gpu.sharing-strategy": "none"})).status
        is Status.passed
    )
