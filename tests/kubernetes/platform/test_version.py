"""Platform and version: the floor, what was asked for, who runs it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import CLUSTER_VERSION, INFRASTRUCTURE
from maas.cluster.platform import Managed, managed, parsed
from maas.readiness.catalogue import Target
from maas.readiness.findings import Finding, Status
from tests.kubernetes.clusters.making import condition, made
from tests.kubernetes.nodes.made import node
from tests.kubernetes.offline import asked, facts, found

CONFIG = "config.openshift.io/v1"


def one(code: str, *objects: dict[str, Any], target: Target = Target.kubernetes, **more: Any) -> Finding:
    (finding,) = found(code, facts(*objects, **more), asked(target))
    assert "should not happen" not in finding.message
    return finding


def openshift(version: str, *conditions: dict[str, Any], updating_to: str = "") -> dict[str, Any]:
    history = [{"state": "Completed", "version": version}]
    if updating_to:
        history.insert(0, {"state": "Partial", "version": updating_to})
    status = {"desired": {"version": updating_to or version}, "history": history, "conditions": list(conditions)}
    return made(CONFIG, "ClusterVersion", "version", status=status)


# -- the floor


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("4.13.58", Status.failed),
        ("4.14.0", Status.passed),
        ("4.14.0-rc.3", Status.passed),
        ("4.9.1", Status.failed),  # not a matter of letters
        ("4.20.4", Status.passed),
        ("5.0.0", Status.passed),
        ("", Status.unknown),
        ("latest", Status.unknown),
    ],
)
def test_openshift_4_14_is_the_floor(version: str, status: Status) -> None:
    assert one("MAAS-101", openshift(version), target=Target.openshift).status is status


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("v1.27.16", Status.failed),
        ("v1.28.0", Status.passed),
        ("v1.31.13-eks-113cf36", Status.passed),
        ("v1.28.9+a1b2c3d", Status.passed),
        ("v1.9.11", Status.failed),
        ("v1.100.0", Status.passed),
    ],
)
def test_kubernetes_1_28_is_the_floor(version: str, status: Status) -> None:
    assert one("MAAS-101", version=version).status is status


def test_openshift_is_measured_as_openshift() -> None:
    """OpenShift 4.12 is Kubernetes 1.25, but it is the product that people update."""
    said = one("MAAS-101", openshift("4.12.88"), version="v1.25.16")
    assert said.message == "OpenShift 4.12.88 is older than 4.14"
    assert said.remedy is not None and said.remedy.commands == ("oc adm upgrade",)


def test_an_update_counts_when_it_is_complete() -> None:
    said = one("MAAS-101", openshift("4.13.58", updating_to="4.14.3"))
    assert said.status is Status.failed


def test_a_version_that_a_snapshot_derives_proves_new_clusters_only() -> None:
    def derived(version: str) -> Status:
        minor = version.split(".")[1]
        snapshot = facts(node("a"))
        told = {"gitVersion": version, "major": "1", "minor": minor, "derivedFrom": "the newest kubelet"}
        object.__setattr__(snapshot, "version", told)
        (finding,) = found("MAAS-101", snapshot, asked())
        return finding.status

    assert derived("v1.30.1") is Status.passed
    assert derived("v1.27.1") is Status.unknown


def test_a_version_that_was_not_read_is_unknown() -> None:
    cluster = facts()
    object.__setattr__(cluster, "version", Unread(Cause.timeout, "there was no time for /version"))
    (finding,) = found("MAAS-101", cluster, asked())
    assert finding.status is Status.unknown
    denied = {CLUSTER_VERSION: Unread(Cause.denied, "listing clusterversions was denied")}
    assert one("MAAS-101", serves=[CLUSTER_VERSION], unread=denied).status is Status.unknown


@given(st.integers(0, 99), st.integers(0, 999), st.integers(0, 999), st.sampled_from(["", "v"]), st.text(max_size=8))
def test_versions_are_read_however_they_go_on(major: int, minor: int, patch: int, v: str, rest: str) -> None:
    tail = f"-{rest}"
    assert parsed(f"{v}{major}.{minor}.{patch}{tail}") == (major, minor, patch)
    assert parsed(f"{v}{major}.{minor}{tail}") == (major, minor, 0)


# -- as asked


@pytest.mark.parametrize(
    ("target", "objects", "status"),
    [
        (Target.kubernetes, [], Status.passed),
        (Target.openshift, [openshift("4.20.1")], Status.passed),
        (Target.openshift, [], Status.failed),
        (Target.kubernetes, [openshift("4.20.1")], Status.failed),
    ],
)
def test_the_target_is_the_cluster(target: Target, objects: list[dict[str, Any]], status: Status) -> None:
    assert one("MAAS-102", *objects, target=target).status is status


def test_a_target_that_is_not_the_cluster_says_what_to_ask_for() -> None:
    said = one("MAAS-102", target=Target.openshift)
    assert said.message == "OpenShift was asked for, but this is Kubernetes"
    assert said.remedy is not None and "maas preflight --target kubernetes" in said.remedy.commands


# -- who runs it


def infrastructure(**tags: str) -> dict[str, Any]:
    listed = [{"key": key.replace("_", "-"), "value": value} for key, value in tags.items()]
    status = {"platformStatus": {"type": "AWS", "aws": {"resourceTags": listed}}}
    return made(CONFIG, "Infrastructure", "cluster", status=status)


@pytest.mark.parametrize(
    ("objects", "variant"),
    [
        ([infrastructure(red_hat_clustertype="rosa", red_hat_managed="true")], Managed.rosa),
        ([infrastructure(red_hat_clustertype="osd", red_hat_managed="true")], Managed.osd),
        ([infrastructure(red_hat_managed="true")], Managed.osd),
        ([infrastructure()], None),
        ([infrastructure(red_hat_clustertype="installer")], None),
        ([made("v1", "Namespace", "openshift-azure-operator")], Managed.aro),
        ([], None),
    ],
)
def test_managed_variants(objects: list[dict[str, Any]], variant: Managed | None) -> None:
    assert managed(facts(*objects)) is variant
    said = one("MAAS-103", openshift("4.17.1"), *objects)
    assert said.status is Status.passed
    assert (str(variant) in said.message) if variant else ("no sign of a managed variant" in said.message)


def test_aro_is_known_by_its_api_as_well() -> None:
    cluster = facts(openshift("4.17.1"))
    object.__setattr__(
        cluster,
        "apis",
        {
            "config.openshift.io/v1": frozenset({"clusterversions"}),
            "aro.openshift.io/v1alpha1": frozenset({"clusters"}),
        },
    )
    assert managed(cluster) is Managed.aro


def test_rosa_is_told_what_follows() -> None:
    said = one("MAAS-103", openshift("4.17.1"), infrastructure(red_hat_clustertype="rosa"))
    assert "label nvidia-gpu-operator" in said.message


def test_kubernetes_has_no_variants() -> None:
    assert one("MAAS-103").status is Status.skipped


def test_who_runs_it_is_unknown_where_nobody_could_look() -> None:
    denied = {INFRASTRUCTURE: Unread(Cause.denied, "listing infrastructures was denied")}
    assert one("MAAS-103", openshift("4.17.1"), unread=denied).status is Status.unknown


# -- OpenShift's own health


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ([condition("Available"), condition("Failing", False)], Status.passed),
        ([condition("Available")], Status.passed),
        ([condition("Available"), condition("Failing", True, "ClusterOperatorDown", "dns is down")], Status.failed),
        ([condition("Available", False)], Status.failed),
        ([condition("Available"), condition("Invalid", True)], Status.failed),
        ([condition("Available", "Unknown")], Status.unknown),
        ([], Status.unknown),
    ],
)
def test_openshift_itself(conditions: list[dict[str, Any]], status: Status) -> None:
    said = one("MAAS-104", openshift("4.17.1", *conditions))
    assert said.status is status
    if "dns is down" in str(conditions):
        assert "dns is down" in said.message


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ([condition("Progressing", False)], Status.passed),
        ([condition("Progressing", True, "ClusterOperatorUpdating", "Working towards 4.18.2")], Status.warning),
        ([], Status.unknown),
    ],
)
def test_updates_under_way(conditions: list[dict[str, Any]], status: Status) -> None:
    assert one("MAAS-105", openshift("4.17.1", *conditions)).status is status


def operator(name: str, available: bool = True, degraded: bool = False) -> dict[str, Any]:
    bad = condition("Degraded", degraded, "SomethingDegraded", "a pod is missing")
    return made(CONFIG, "ClusterOperator", name, status={"conditions": [condition("Available", available), bad]})


@pytest.mark.parametrize(
    ("operators", "statuses"),
    [
        ([operator("ingress"), operator("dns")], [Status.passed]),
        ([operator("network", degraded=True), operator("dns")], [Status.failed]),
        ([operator("ingress", degraded=True), operator("dns")], [Status.passed]),  # MAAS-213 tells it
        ([operator("monitoring", degraded=True)], [Status.warning]),
        ([operator("monitoring", available=False)], [Status.failed]),
        ([operator("network", degraded=True), operator("dns", available=False)], [Status.failed, Status.failed]),
        ([operator("insights", degraded=True), operator("dns")], [Status.passed]),  # in nobody's way
        ([], [Status.unknown]),
    ],
)
def test_openshifts_operators(operators: list[dict[str, Any]], statuses: list[Status]) -> None:
    said = found("MAAS-106", facts(openshift("4.17.1"), *operators), asked(Target.openshift))
    assert [each.status for each in said] == statuses


@pytest.mark.parametrize("code", ["MAAS-104", "MAAS-105", "MAAS-106"])
def test_kubernetes_is_not_asked_about_openshift(code: str) -> None:
    assert one(code).status is Status.skipped


@pytest.mark.parametrize("code", ["MAAS-104", "MAAS-105"])
def test_openshift_that_was_not_read_is_unknown_not_absent(code: str) -> None:
    denied = {CLUSTER_VERSION: Unread(Cause.denied, "listing clusterversions was denied")}
    assert one(code, serves=[CLUSTER_VERSION], unread=denied).status is Status.unknown


# -- kubelets


def kubelet(name: str, version: str) -> dict[str, Any]:
    made = node(name)
    made["status"]["nodeInfo"]["kubeletVersion"] = version
    return made


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("v1.34.0", Status.passed),
        ("v1.31.9-eks-1", Status.passed),
        ("v1.30.9", Status.warning),
        ("v1.35.0", Status.warning),
        ("?", Status.unknown),
    ],
)
def test_kubelets_go_with_the_server(version: str, status: Status) -> None:
    said = one("MAAS-107", kubelet("a", version))
    assert said.status is status
    if status is Status.warning:
        assert f"a ({version})" in said.message
