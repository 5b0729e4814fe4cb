"""Storage: one default class, a driver behind it, and room."""

from typing import Any

import pytest

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import CSI_DRIVER, QUOTA, STORAGE_CLASS
from maas.readiness.findings import Finding, Status
from tests.kubernetes.clusters.making import made
from tests.kubernetes.nodes.made import container, node, pod
from tests.kubernetes.offline import asked, facts, found

STORAGE = "storage.k8s.io/v1"
GA, BETA = "storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"
EBS = "ebs.csi.aws.com"


def storage_class(
    name: str, provisioner: str = EBS, default: str = "true", key: str = GA, **fields: Any
) -> dict[str, Any]:
    annotations = {key: default} if default else {}
    return made(STORAGE, "StorageClass", name, annotations=annotations, provisioner=provisioner, **fields)


def driver(name: str) -> dict[str, Any]:
    return made(STORAGE, "CSIDriver", name)


def one(code: str, *objects: dict[str, Any], models: frozenset[str] = frozenset({"qwen3"}), **more: Any) -> Finding:
    (finding,) = found(code, facts(*objects, **more), asked(models=models))
    assert "should not happen" not in finding.message
    return finding


def commands(finding: Finding) -> str:
    return "\n".join(finding.remedy.all_commands) if finding.remedy else ""


# -- one default


@pytest.mark.parametrize("key", [GA, BETA])
def test_one_default_by_either_annotation(key: str) -> None:
    said = one("MAAS-141", storage_class("gp3", key=key), storage_class("slow", default=""))
    assert said.status is Status.passed
    assert "gp3" in said.message


def test_no_default_says_how_to_make_one() -> None:
    said = one(
        "MAAS-141",
        storage_class("manual", "kubernetes.io/no-provisioner", default=""),
        storage_class("gp3", default="false"),
    )
    assert said.status is Status.failed
    assert said.remedy is not None
    (change,) = said.remedy.changes
    assert (change.name, change.body) == ("gp3", {"metadata": {"annotations": {GA: "true"}}})


def test_which_of_several_is_somebodys_choice() -> None:
    said = one("MAAS-141", storage_class("fast", default=""), storage_class("slow", default=""))
    assert commands(said).splitlines() == [
        f"kubectl annotate storageclass {name} {GA}=true" for name in ("fast", "slow")
    ]
    assert said.remedy is not None and not said.remedy.changes


def test_no_class_at_all() -> None:
    said = one("MAAS-141")
    assert said.status is Status.failed
    assert "local-path" in commands(said)


@pytest.mark.parametrize(("key", "annotations"), [(GA, {GA: "false"}), (BETA, {GA: "false", BETA: None})])
def test_two_defaults_keep_the_newest(key: str, annotations: dict[str, Any]) -> None:
    old, new = storage_class("old", key=key), storage_class("new", key=BETA)
    old["metadata"]["creationTimestamp"] = "2025-01-01T00:00:00Z"
    new["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    said = one("MAAS-141", new, old)
    assert said.status is Status.warning
    assert said.remedy is not None
    (change,) = said.remedy.changes
    assert (change.name, change.body) == ("old", {"metadata": {"annotations": annotations}})


# -- who makes volumes


@pytest.mark.parametrize(
    ("provisioner", "drivers", "status"),
    [
        (EBS, [EBS], Status.passed),
        (EBS, [], Status.failed),
        ("kubernetes.io/aws-ebs", [EBS], Status.passed),  # migrated
        ("kubernetes.io/aws-ebs", [], Status.failed),
        ("kubernetes.io/glusterfs", [], Status.failed),  # gone
        ("kubernetes.io/no-provisioner", [], Status.failed),
        ("rancher.io/local-path", [], Status.passed),
        ("k8s.io/minikube-hostpath", [], Status.passed),
        ("hostpath.csi.k8s.io", [], Status.failed),
        ("openshift-storage.rbd.csi.ceph.com", [], Status.failed),
        ("driver.longhorn.io", ["driver.longhorn.io"], Status.passed),
        ("driver.longhorn.io", [], Status.warning),
        ("", [], Status.unknown),
    ],
)
def test_provisioners(provisioner: str, drivers: list[str], status: Status) -> None:
    assert one("MAAS-142", storage_class("c", provisioner), *map(driver, drivers)).status is status


def volume(name: str, size: str, storage_class: str = "c", phase: str = "Available") -> dict[str, Any]:
    spec = {"capacity": {"storage": size}, "storageClassName": storage_class}
    return made("v1", "PersistentVolume", name, spec=spec, status={"phase": phase})


@pytest.mark.parametrize(
    ("volumes", "status"),
    [
        ([volume("a", "200Gi")], Status.passed),
        ([volume("a", "100G")], Status.passed),
        ([volume("a", "60Gi"), volume("b", "60Gi")], Status.passed),
        ([volume("a", "50Gi")], Status.failed),
        ([volume("a", "200Gi", phase="Bound")], Status.failed),
        ([volume("a", "200Gi", storage_class="other")], Status.failed),
    ],
)
def test_volumes_made_beforehand_count_while_unclaimed(volumes: list[dict[str, Any]], status: Status) -> None:
    assert one("MAAS-142", storage_class("c", "kubernetes.io/no-provisioner"), *volumes).status is status


# -- quotas


def quota(hard: dict[str, str], used: dict[str, str] | None = None, namespace: str = "llm") -> dict[str, Any]:
    return made("v1", "ResourceQuota", "q", namespace, spec={"hard": hard}, status={"hard": hard, "used": used or {}})


@pytest.mark.parametrize(
    ("objects", "status"),
    [
        ([], Status.skipped),
        ([quota({"requests.storage": "100G"})], Status.passed),
        ([quota({"requests.storage": "90Gi"})], Status.failed),
        ([quota({"requests.storage": "200Gi"}, {"requests.storage": "150Gi"})], Status.failed),
        ([quota({"requests.storage": "10Gi"}, namespace="other")], Status.skipped),
        ([quota({"persistentvolumeclaims": "2"}, {"persistentvolumeclaims": "2"})], Status.failed),
        ([quota({"persistentvolumeclaims": "2"}, {"persistentvolumeclaims": "1"})], Status.passed),
        ([quota({"c.storageclass.storage.k8s.io/requests.storage": "1Gi"}), storage_class("c")], Status.failed),
        ([quota({"c.storageclass.storage.k8s.io/requests.storage": "1Gi"}), storage_class("d")], Status.passed),
        ([quota({"requests.cpu": "1"})], Status.passed),
    ],
)
def test_quotas(objects: list[dict[str, Any]], status: Status) -> None:
    assert one("MAAS-143", *objects).status is status


def test_the_simulator_needs_no_room() -> None:
    tight = quota({"requests.storage": "1Gi"})
    assert one("MAAS-143", tight, models=frozenset({"simulator"})).status is Status.warning


# -- capacity


def pool(capacity: str, storage_class: str = "c", largest: str = "") -> dict[str, Any]:
    more: dict[str, Any] = {"maximumVolumeSize": largest} if largest else {}
    return made(STORAGE, "CSIStorageCapacity", "p", "x", storageClassName=storage_class, capacity=capacity, **more)


@pytest.mark.parametrize(
    ("pools", "status"),
    [
        ([], Status.skipped),
        ([pool("1Ti", "other")], Status.skipped),
        ([pool("1Ti")], Status.passed),
        ([pool("100G")], Status.passed),
        ([pool("99999999999")], Status.failed),
        ([pool("10Gi"), pool("1Ti")], Status.passed),
        ([pool("60Gi"), pool("60Gi")], Status.failed),  # no volume spans two
        ([pool("1Ti", largest="50Gi")], Status.failed),
    ],
)
def test_pools(pools: list[dict[str, Any]], status: Status) -> None:
    assert one("MAAS-144", storage_class("c"), *pools).status is status


# -- expansion, binding, disks


@pytest.mark.parametrize(
    ("objects", "status"),
    [
        ([storage_class("c", allowVolumeExpansion=True)], Status.passed),
        ([storage_class("c", allowVolumeExpansion=False)], Status.warning),
        ([storage_class("c")], Status.warning),
        ([storage_class("c", "rancher.io/local-path")], Status.skipped),
        ([], Status.skipped),
    ],
)
def test_expansion(objects: list[dict[str, Any]], status: Status) -> None:
    said = one("MAAS-145", *objects)
    assert said.status is status
    if status is Status.warning:
        assert commands(said) == """kubectl patch storageclass c -p '{"allowVolumeExpansion":true}'"""


def zone(name: str, of: str) -> dict[str, Any]:
    return node(name, labels={"topology.kubernetes.io/zone": of})


@pytest.mark.parametrize(
    ("mode", "nodes", "status"),
    [
        ("WaitForFirstConsumer", [zone("a", "1"), zone("b", "2")], Status.passed),
        ("Immediate", [zone("a", "1"), zone("b", "2")], Status.warning),
        ("Immediate", [zone("a", "1"), zone("b", "1")], Status.passed),
        ("Immediate", [node("a"), node("b")], Status.passed),
    ],
)
def test_binding(mode: str, nodes: list[dict[str, Any]], status: Status) -> None:
    assert one("MAAS-146", storage_class("c", volumeBindingMode=mode), *nodes).status is status


@pytest.mark.parametrize(
    ("disk", "requested", "status"),
    [("200Gi", "0", Status.passed), ("200Gi", "180Gi", Status.warning), ("20Gi", "0", Status.warning)],
)
def test_disks(disk: str, requested: str, status: Status) -> None:
    made_node = node("a")
    made_node["status"]["allocatable"]["ephemeral-storage"] = disk
    busy = pod("p", on="a", containers=[container(**{"ephemeral-storage": requested})])
    assert one("MAAS-147", made_node, busy).status is status


def test_disks_of_gpu_nodes_count_where_models_go_there() -> None:
    gpu_node = node("g", gpus=1)
    gpu_node["status"]["allocatable"]["ephemeral-storage"] = "20Gi"
    assert one("MAAS-147", node("a"), gpu_node).status is Status.warning
    assert one("MAAS-147", node("a"), gpu_node, models=frozenset({"simulator"})).status is Status.passed


def test_disks_that_nobody_tells_are_unknown() -> None:
    bare = node("a")
    del bare["status"]["allocatable"]["ephemeral-storage"]
    assert one("MAAS-147", bare).status is Status.unknown


@pytest.mark.parametrize("code", ["MAAS-142", "MAAS-144", "MAAS-145", "MAAS-146"])
def test_without_a_default_there_is_nothing_to_judge(code: str) -> None:
    assert one(code).status is Status.skipped


@pytest.mark.parametrize(
    ("code", "kind"),
    [("MAAS-141", STORAGE_CLASS), ("MAAS-142", CSI_DRIVER), ("MAAS-143", QUOTA), ("MAAS-145", STORAGE_CLASS)],
)
def test_what_was_not_read_is_unknown(code: str, kind: Any) -> None:
    objects = [] if kind is STORAGE_CLASS else [storage_class("c")]
    assert one(code, *objects, unread={kind: Unread(Cause.denied, "denied")}).status is Status.unknown
