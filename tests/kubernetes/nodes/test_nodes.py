"""Nodes: ready, large enough, with room, well, and of the right architecture."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.footprint import PARTS, missing
from maas.cluster.kinds import NODE, POD
from maas.readiness.catalogue import Phase, Target
from maas.readiness.findings import Finding, Status
from tests.kubernetes.clusters.making import made
from tests.kubernetes.nodes.made import container, node, pod
from tests.kubernetes.offline import asked, facts, found

GIB = 2**30


def one(code: str, *objects: dict[str, Any], **more: Any) -> Finding:
    """What it says, where it says one thing."""
    (finding,) = found(code, facts(*objects, **more), asked())
    assert "should not happen" not in finding.message
    return finding


def commands(finding: Finding) -> str:
    return "\n".join(finding.remedy.all_commands) if finding.remedy else ""


# -- ready


def test_ready_nodes_take_pods() -> None:
    said = one("MAAS-121", node("a"), node("control", taints=["node-role.kubernetes.io/control-plane:NoSchedule"]))
    assert said.status is Status.passed
    assert said.message == "1 of 2 nodes take ordinary pods"


def test_a_node_that_is_down_is_a_warning_while_another_is_up() -> None:
    said = one("MAAS-121", node("a"), node("b", ready="Unknown"))
    assert said.status is Status.warning
    assert "not ready: b" in said.message
    assert commands(said) == "kubectl describe node b"


@pytest.mark.parametrize(
    ("objects", "word", "command"),
    [
        ([], "no nodes", "kubectl get nodes"),
        ([node("a", ready="False")], "1 not ready", "kubectl describe node a"),
        ([node("a", cordoned=True)], "1 cordoned", "kubectl uncordon a"),
        ([node("a", taints=["team=ml:NoExecute"])], "1 tainted", "kubectl taint nodes a team=ml:NoExecute-"),
    ],
)
def test_no_node_that_takes_pods_is_a_failure(objects: list[dict[str, Any]], word: str, command: str) -> None:
    said = one("MAAS-121", *objects)
    assert said.status is Status.failed
    assert word in said.message
    assert command in commands(said)


def test_preferring_other_nodes_keeps_nothing_off() -> None:
    assert one("MAAS-121", node("a", taints=["busy:PreferNoSchedule"])).status is Status.passed


def test_evidence_of_a_thousand_nodes_is_bounded() -> None:
    said = one("MAAS-121", node("up"), *(node(f"n{i}", ready="False") for i in range(1000)))
    assert len(said.message) < 200
    assert "995 more" in said.message
    assert len(said.seen) <= 6


# -- size


@pytest.mark.parametrize(
    ("cpu", "memory", "status"),
    [
        ("4", "16Gi", Status.warning),
        ("4", "15842756Ki", Status.warning),  # an AWS m5.xlarge, as its kubelet tells it
        ("8", "31896180Ki", Status.passed),  # an m5.2xlarge
        ("8", "32Gi", Status.passed),
        ("4", "15200000000", Status.warning),
        ("4", "15199999999", Status.failed),
        ("3999m", "64Gi", Status.failed),
        ("2", "8Gi", Status.failed),
        ("64", "16Gi", Status.warning),
    ],
)
def test_sizes(cpu: str, memory: str, status: Status) -> None:
    assert one("MAAS-122", node("a", cpu=cpu, memory=memory)).status is status


def test_both_must_be_on_one_node() -> None:
    said = one("MAAS-122", node("cores", cpu="64", memory="8Gi"), node("memory", cpu="2", memory="512Gi"))
    assert said.status is Status.failed


def test_a_node_that_takes_no_pods_is_no_worker() -> None:
    said = one("MAAS-122", node("big", cpu="64", memory="512Gi", cordoned=True), node("small", cpu="2"))
    assert said.status is Status.failed
    assert "2 CPUs" in said.message


@pytest.mark.parametrize("objects", [[], [node("a", ready="False")], [node("a", cpu="many")]])
def test_sizes_that_nobody_tells_are_unknown(objects: list[dict[str, Any]]) -> None:
    assert one("MAAS-122", *objects).status is Status.unknown


# -- room


def test_room_for_everything() -> None:
    said = one("MAAS-123", node("a"))
    assert said.status is Status.passed
    assert "8 CPUs and 32 GiB are free" in said.message


def test_a_large_node_that_is_full_has_no_room() -> None:
    said = one("MAAS-123", node("a", cpu="64"), pod("p", on="a", containers=[container(cpu="63500m")]))
    assert said.status is Status.failed
    assert "no room for" in said.message
    assert "0.5 CPUs" in said.message


def test_room_in_pieces_too_small_for_a_pod_is_none() -> None:
    """istiod wants 2 GiB in one place."""
    nodes = [node(f"n{i}", cpu="8", memory="1Gi") for i in range(20)]
    said = one("MAAS-123", *nodes)
    assert said.status is Status.failed
    assert "no room for istiod" in said.message


def test_a_node_with_all_its_pods_takes_no_more() -> None:
    full = node("a", pods="2")
    said = one("MAAS-123", full, pod("p", on="a"), pod("q", on="a"))
    assert said.status is Status.failed


def test_what_is_there_is_not_counted_again() -> None:
    def deployment(part: str) -> dict[str, Any]:
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": part, "namespace": "x"}}

    there = [deployment(part.deployments[-1] + "-x") for part in PARTS] + [deployment("simulator-predictor")]
    said = one("MAAS-123", node("a", cpu="100m"), *there)
    assert said.status is Status.passed
    assert said.message == "0.1 CPUs and 32 GiB are free"


def test_after_the_installation_nothing_is_to_come() -> None:
    (said,) = found("MAAS-123", facts(node("a", cpu="100m")), asked(phase=Phase.after))
    assert said.status is Status.passed


def test_openshift_ai_is_counted_on_openshift_only() -> None:
    names = {t: [part.name for part in missing(facts(), t, {"simulator"})] for t in Target}
    assert names[Target.openshift].count("OpenShift AI's operator") == 3
    assert "OpenShift AI's operator" not in names[Target.kubernetes]


def test_pods_that_wait_are_told() -> None:
    waits = pod("waits", containers=[container(cpu="100", memory="1Gi")], phase="Pending")
    room, waiting = found("MAAS-123", facts(node("a"), waits), asked())
    assert room.status is Status.passed
    assert waiting.status is Status.warning
    assert "1 pod waiting for a node already, with 100 CPUs" in waiting.message


def test_room_is_unknown_where_pods_were_not_read() -> None:
    denied = {POD: Unread(Cause.denied, "listing pods was denied")}
    assert one("MAAS-123", node("a"), unread=denied).status is Status.unknown


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 4 * 2**30)), max_size=6))
def test_what_passes_has_the_sum(nodes: list[tuple[int, int]]) -> None:
    """Placing may fail where the sum would do, never the other way round."""
    sized = [node(f"n{i}", cpu=f"{cpu}m", memory=str(memory)) for i, (cpu, memory) in enumerate(nodes)]
    parts = list(missing(facts(), "kubernetes", {"simulator"}))
    enough = sum(cpu for cpu, _ in nodes) >= sum(part.cpu for part in parts)
    enough &= sum(memory for _, memory in nodes) >= sum(part.memory for part in parts)
    assert one("MAAS-123", *sized).status is not Status.passed or enough


# -- quotas


def quota(namespace: str = "llm", used: Any = None, **hard: Any) -> dict[str, Any]:
    limits = {key.replace("_", "."): value for key, value in hard.items()}
    return made("v1", "ResourceQuota", "q", namespace, status={"hard": limits, "used": used or {}})


@pytest.mark.parametrize(
    ("objects", "gpu", "status", "words"),
    [
        ([], False, Status.skipped, "no quota"),
        ([quota("other", pods="0")], False, Status.skipped, "no quota"),
        ([quota(requests_cpu="100m")], False, Status.passed, "room for a model"),
        ([quota(requests_cpu="99m")], False, Status.failed, "leaves 0 of requests.cpu"),
        ([quota(requests_cpu="2", used={"requests.cpu": "1950m"})], False, Status.failed, "requests.cpu"),
        ([quota(requests_cpu="1")], True, Status.failed, "leaves 1 of requests.cpu"),
        ([quota(memory="4Gi")], True, Status.failed, "leaves 4 GiB of memory"),
        ([quota(pods="3", used={"pods": "3"})], False, Status.failed, "leaves 0 of pods"),
        ([quota(**{"requests.nvidia.com/gpu": "0"})], True, Status.failed, "leaves 0 of requests.nvidia.com/gpu"),
        ([quota(**{"requests.nvidia.com/gpu": "0"})], False, Status.passed, "room"),
        ([quota(pods="many")], False, Status.passed, "room"),
    ],
)
def test_quotas(objects: list[dict[str, Any]], gpu: bool, status: Status, words: str) -> None:
    (said,) = found("MAAS-126", facts(*objects), asked(gpu=gpu))
    assert said.status is status
    assert words in said.message
    if status is Status.failed:
        assert commands(said) == "kubectl edit resourcequota q -n llm"


# -- pressure, architecture


def pressed(type: str, status: str = "True") -> dict[str, Any]:
    under = node("a")
    under["status"]["conditions"].append({"type": type, "status": status})
    return under


@pytest.mark.parametrize("type", ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"])
def test_pressure_is_a_warning(type: str) -> None:
    said = one("MAAS-124", node("b"), pressed(type))
    assert said.status is Status.warning
    assert said.message == f"under pressure: a ({type})"
    assert one("MAAS-124", pressed(type, "False")).status is Status.passed


def of(architecture: str, system: str = "linux") -> dict[str, Any]:
    alike = node(architecture)
    alike["status"]["nodeInfo"] = {"architecture": architecture, "operatingSystem": system}
    return alike


@pytest.mark.parametrize(
    ("nodes", "status"),
    [
        ([of("amd64")], Status.passed),
        ([of("arm64")], Status.warning),
        ([of("amd64"), of("arm64")], Status.warning),
        ([of("amd64"), of("s390x")], Status.warning),
        ([of("s390x")], Status.failed),
        ([of("amd64", "windows")], Status.failed),
        ([of("")], Status.unknown),
        ([], Status.unknown),
    ],
)
def test_architectures(nodes: list[dict[str, Any]], status: Status) -> None:
    assert one("MAAS-125", *nodes).status is status


@pytest.mark.parametrize("code", ["MAAS-121", "MAAS-122", "MAAS-123", "MAAS-124", "MAAS-125"])
def test_nodes_that_were_not_read_are_unknown(code: str) -> None:
    said = one(code, unread={NODE: Unread(Cause.denied, "listing nodes was denied")})
    assert said.status is Status.unknown
    assert "denied" in said.message
