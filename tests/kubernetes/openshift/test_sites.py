"""What is made of a cluster: whose gateway, whose KServe, which GPUs, under which domain."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from maas.cluster import sites
from maas.cluster.facts.model import Cause, NotRead, Unread
from maas.cluster.kinds import NODE, SUBSCRIPTION
from maas.cluster.objects import name
from maas.cluster.wanted import GpuKind, Mesh, Serving, Target
from maas.models.gpus import find
from maas.models.sizing.fit import Device
from tests.kubernetes.clusters import openshift_ai, operators, stack, typical
from tests.kubernetes.clusters.making import container, made, namespace, pod, pod_spec
from tests.kubernetes.clusters.nodes import A10G, T4, Gpu, node
from tests.kubernetes.offline import facts
from tests.kubernetes.openshift.shapes import bare

_BUILT_IN, _UPSTREAM = "openshift.io/gateway-controller/v1", "istio.io/gateway-controller"


@pytest.mark.parametrize(
    ("made_of", "expected"),
    [
        (typical.openshift_4_12, (Target.openshift, Mesh.service_mesh, Serving.rhoai_2, "istio")),
        (typical.openshift_4_16, (Target.openshift, Mesh.service_mesh_2, Serving.rhoai_2, "istio")),
        (typical.openshift_4_20, (Target.openshift, Mesh.built_in, Serving.rhoai, "openshift-default")),
        (typical.rosa, (Target.openshift, Mesh.service_mesh, Serving.rhoai_2, "istio")),
        (typical.eks_1_31, (Target.kubernetes, Mesh.istio, Serving.kserve, "istio")),
        (typical.kind, (Target.kubernetes, Mesh.istio, Serving.kserve, "istio")),
        (typical.kubernetes_1_34, (Target.kubernetes, Mesh.istio, Serving.kserve, "istio")),
    ],
)
def test_engines(made_of: Any, expected: tuple[Target, Mesh, Serving, str]) -> None:
    site = sites.of(made_of().facts())
    assert (site.target, site.mesh, site.serving, site.gateway_class) == expected
    assert site.gateway_controller == (_BUILT_IN if site.mesh is Mesh.built_in else _UPSTREAM)
    assert site.gateway_service == f"maas-gateway-{site.gateway_class}"


@pytest.mark.parametrize(
    ("made_of", "domain"),
    [
        (typical.openshift_4_20, typical.DOMAIN),
        (typical.rosa, "apps.rosa.x7k2.p1.openshiftapps.com"),
        (typical.kubernetes_1_34, "models.example.com"),  # of the gateway that is there
        (typical.kind, "maas.local"),
    ],
)
def test_domain(made_of: Any, domain: str) -> None:
    assert sites.of(made_of().facts()).domain == domain


def test_the_routers_domain_where_the_configuration_tells_none() -> None:
    def without(objects: Sequence[Any]) -> list[Any]:
        return [each for each in objects if (each["kind"], each["apiVersion"]) != ("Ingress", "config.openshift.io/v1")]

    assert sites.of(typical.openshift_4_20().changed(without).facts()).domain == typical.DOMAIN


def test_a_gateway_in_another_namespace_is_not_ours() -> None:
    assert sites.of(typical.kubernetes_1_34().facts(), "elsewhere").domain == "maas.local"


@pytest.mark.parametrize(
    ("version", "serving"),
    [("4.19", Serving.rhoai_2), ("4.19.8", Serving.rhoai_2), ("4.19.9", Serving.rhoai), ("4.22.0", Serving.rhoai)],
)
def test_openshift_ai_fits_openshift(version: str, serving: Serving) -> None:
    assert sites.of(bare(version, "v1.32.5").facts()).serving is serving


def test_openshift_ai_2_that_is_there_stays_on_a_newer_openshift() -> None:
    cluster = openshift_ai.data_science_cluster("v1", "2.25.0", {"managementState": "Managed"})
    there = openshift_ai.openshift_ai("2.25.0", "stable", "worker-0", *cluster)
    site = sites.of(bare("4.20.4", "v1.33.5", *there).facts())
    assert site.serving is Serving.rhoai_2
    assert {"rhoai", "rhoai-operator"} <= site.theirs


def test_open_data_hub_that_is_there_serves() -> None:
    there = operators.operator("opendatahub-operator", "opendatahub-operator.v3.5.0", "openshift-operators")
    site = sites.of(bare("4.20.4", "v1.33.5", *there).facts())
    assert site.serving is Serving.odh and "rhods-operator" not in site.operators


def test_upstream_kserve_on_openshift_is_used_as_it_is() -> None:
    there = [namespace("kserve"), *stack.kserve("worker-0")]
    site = sites.of(bare("4.20.4", "v1.33.5", *there).facts())
    assert site.serving is Serving.kserve and "rhods-operator" not in site.operators


def test_istio_by_helm_on_old_openshift_carries_the_gateway() -> None:
    site = sites.of(bare("4.16.48", "v1.29.14", *stack.istio("worker-0")).facts())
    assert site.mesh is Mesh.istio and "servicemeshoperator3" not in site.operators


def test_a_gateway_class_of_the_controller_is_used_whatever_its_name() -> None:
    theirs = stack.gateway_class("corporate", _BUILT_IN)
    other = stack.gateway_class("aaa", "example.com/other")
    site = sites.of(bare("4.20.4", "v1.33.5", theirs, other).facts())
    assert site.gateway_class == "corporate" and "gateway-class" in site.theirs


def test_versions_of_what_is_there() -> None:
    versions = sites.of(typical.openshift_4_20().facts()).versions
    assert versions["cert-manager"] == "1.20.0" and versions["rhcl"] == "1.4.2" and versions["rhoai"] == "3.2.0"
    assert sites.of(typical.kind().facts()).versions == {}


@pytest.mark.parametrize(("rosa", "managed"), [(True, "rosa"), (False, "")])
def test_who_runs_it(rosa: bool, managed: str) -> None:
    assert sites.of(bare("4.20.4", "v1.33.5", rosa=rosa).facts()).managed == managed


def _gpus(*objects: Any) -> list[tuple[str, int, dict[str, str]]]:
    known = sites.of(facts(*objects)).gpus
    return [(each.device.name, each.free, dict(each.selector)) for each in known]


def _on(gpu_node: str, amount: int, *, model: str = "", in_namespace: str = "team") -> Any:
    part = container("main", "example.com/x:1", limits={"nvidia.com/gpu": str(amount)})
    labels = {"serving.kserve.io/inferenceservice": model} if model else {"app": "x"}
    return pod(f"{in_namespace}-{model or 'x'}", in_namespace, pod_spec(part), gpu_node, labels=labels)


def test_gpus_by_kind_the_largest_first_with_what_is_free_on_the_emptiest_node() -> None:
    t4, t4_too = node("a", gpu=T4), node("b", gpu=T4)
    assert _gpus(t4, t4_too, node("c", gpu=A10G), _on("a", 1)) == [
        ("a10g", 1, {"nvidia.com/gpu.product": "NVIDIA-A10G"}),
        ("t4", 1, {"nvidia.com/gpu.product": "Tesla-T4"}),
    ]
    assert _gpus(t4, _on("a", 1)) == [("t4", 0, {"nvidia.com/gpu.product": "Tesla-T4"})]


@pytest.mark.parametrize(
    ("each", "used", "by_node"),
    [
        (1, (0, 0, 1), (1, 1, 0)),
        (4, (3, 0, 4), (4, 1, 0)),
        (8, (2, 7, 0), (8, 6, 1)),
    ],
)
def test_what_each_node_of_a_kind_has_left(each: int, used: tuple[int, ...], by_node: tuple[int, ...]) -> None:
    nodes = [node(f"n{number}", gpu=replace(T4, count=each)) for number in range(len(used))]
    pods = [_on(f"n{number}", held) for number, held in enumerate(used) if held]
    (kind,) = sites.of(facts(*nodes, *pods)).gpus
    assert kind.by_node == by_node and kind.free == max(by_node)


def test_what_our_own_models_hold_is_free_for_them() -> None:
    """Or a second run would find no room for what is running."""
    assert _gpus(node("a", gpu=T4), _on("a", 1, model="qwen3", in_namespace="llm"))[0][1] == 1
    assert _gpus(node("a", gpu=T4), _on("a", 1, model="qwen3", in_namespace="others"))[0][1] == 0


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("spec", "unschedulable", True),
        ("spec", "taints", [{"key": "team", "value": "a", "effect": "NoSchedule"}]),
        ("status", "conditions", [{"type": "Ready", "status": "Unknown"}]),
    ],
)
def test_a_node_that_takes_no_pods_has_no_free_gpu_but_for_what_runs_there(part: str, key: str, value: Any) -> None:
    closed = node("a", gpu=replace(T4, count=4))
    closed[part][key] = value
    mine, theirs = _on("a", 1, model="qwen3", in_namespace="llm"), _on("a", 1)
    assert _gpus(closed)[0][1] == 0
    assert _gpus(closed, mine, theirs)[0][1] == 1
    assert _gpus(closed, node("b", gpu=A10G)) == [
        ("a10g", 1, {"nvidia.com/gpu.product": "NVIDIA-A10G"}),
        ("t4", 0, {"nvidia.com/gpu.product": "Tesla-T4"}),
    ]


def test_a_gpu_whose_taint_models_tolerate_is_free() -> None:
    tainted = node("a", gpu=T4)
    tainted["spec"]["taints"] = [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]
    assert _gpus(tainted)[0][1] == 1


def test_a_card_that_nobody_knows_is_judged_by_its_labels_and_left_out_without() -> None:
    unknown = Gpu("NVIDIA-X1", 32_000, "x", (9, 9), "x")
    labelled = node("a", gpu=unknown)
    ((device, _, _),) = _gpus(labelled)
    assert device == "NVIDIA-X1"
    for key in [key for key in labelled["metadata"]["labels"] if key.startswith("nvidia.com/")]:
        del labelled["metadata"]["labels"][key]
    assert _gpus(labelled) == []


def test_without_nodes_to_read_nothing_can_be_planned() -> None:
    denied = Unread(Cause.denied, "listing nodes was denied")
    with pytest.raises(NotRead, match="listing nodes was denied"):
        sites.of(facts(unread={NODE: denied}))


def test_without_subscriptions_to_read_no_second_one_is_made() -> None:
    scenario = bare("4.20.4", "v1.33.5")
    known = scenario.facts()
    denied = Unread(Cause.denied, "listing subscriptions was denied")
    lists = {**known.lists, SUBSCRIPTION.key: denied}
    object.__setattr__(known, "lists", lists)
    with pytest.raises(NotRead, match="listing subscriptions was denied"):
        sites.of(known)


def test_a_default_class_of_storage() -> None:
    assert sites.of(typical.kind().facts()).has_default_storage
    without = [each for each in typical.kind().objects if each["kind"] != "StorageClass"]
    assert not sites.of(facts(*(each for each in without if each["kind"] != "EndpointSlice"))).has_default_storage
    beta = {"storageclass.beta.kubernetes.io/is-default-class": "true"}
    assert sites.of(facts(made("storage.k8s.io/v1", "StorageClass", "old", annotations=beta))).has_default_storage


def test_assumed() -> None:
    card = find("t4")
    assert card is not None
    device = Device(card.name, card.total, card.capability)
    site = sites.assumed(Target.kubernetes, device, gpus=2)
    assert site.gpus == (GpuKind(device, 2, {"nvidia.com/gpu.present": "true"}),)
    assert (site.domain, site.mesh, site.serving) == ("maas.local", Mesh.istio, Serving.kserve)
    assert sites.assumed(Target.kubernetes).gpus == () and sites.assumed(Target.kubernetes).operators == {}
    site = sites.assumed(Target.openshift, domain="apps.example.com")
    assert (site.domain, site.mesh, site.serving) == ("apps.example.com", Mesh.built_in, Serving.rhoai)
    assert name({"metadata": {"name": site.gateway_class}}) == "openshift-default"
