"""All components of OpenShift 4.16, carried out: Service Mesh 3, OpenShift AI 2.x, operators for GPUs, and an approval.

What is played besides the stage's own: the Sail operator (statuses: sail-operator api/v1/istio_types.go) and NFD's.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maas.cluster import kinds, sites
from maas.cluster.applying import carry_out
from maas.cluster.components.steps import steps as components
from maas.cluster.connection import connect
from maas.cluster.facts import live
from maas.cluster.helm import Helm
from maas.cluster.plan.model import Plan
from maas.cluster.plan.planning import reduced
from maas.cluster.wanted import Wanted
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters.making import condition, made
from tests.kubernetes.controllers import simulated_node
from tests.kubernetes.installation import olm, players
from tests.kubernetes.installation.installing import Clock, Heard
from tests.kubernetes.installation.playing import Deed, Make, Status, owned
from tests.kubernetes.installation.serving import GPU_ON
from tests.kubernetes.installation.stages import openshift
from tests.kubernetes.installation.telling import workload
from tests.kubernetes.installation.world import World
from tests.kubernetes.openshift.shapes import NOTHING

_V1 = "operators.coreos.com/v1alpha1"


def _service_mesh(world: World) -> Iterator[Deed]:
    if world.available("servicemesh-operator3") is None:
        return
    for each in (*world.all(kinds.ISTIO), *world.all(kinds.ISTIO_CNI)):
        where = each["spec"]["namespace"]
        called = "istiod" if each["kind"] == "Istio" else "istio-cni"
        made_ = workload(called, where, "registry.redhat.io/istio/x:1.30", {"app": called})
        yield Make(owned(made_, each), "sail-operator")
        up = world.available(called, where) is not None
        ready = condition("Ready", up, "" if up else "IstiodNotReady")
        yield Status(each, {"conditions": [ready], "state": "Healthy" if up else "IstiodNotReady"})


def _discovery(world: World) -> Iterator[Deed]:
    for each in world.all(kinds.NODE_FEATURE_DISCOVERY):
        up = world.available("nfd-controller-manager") is not None
        yield Status(each, {"conditions": [condition("Available", up, "x")]})


@contextmanager
def _openshift(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Where people approve what is installed in openshift-operators."""
    older = replace(olm.CATALOG["rhods-operator"], brings=("opendatahub-2.35",))
    monkeypatch.setitem(olm.CATALOG, "rhods-operator", older)
    monkeypatch.setattr(players, "ALL_PLAYERS", (*players.ALL_PLAYERS, _service_mesh, _discovery))
    spec = {"name": "theirs", "channel": "x", "source": "redhat-operators", "sourceNamespace": "openshift-marketplace"}
    theirs = made(_V1, "Subscription", "theirs", "openshift-operators", spec=spec | {"installPlanApproval": "Manual"})
    node: dict[str, Any] = simulated_node("gpu-0")
    card = {**node, "metadata": {**node["metadata"], "annotations": {GPU_ON: "true"}}}
    with openshift(version="4.16.48", objects=[theirs, card]) as cluster:
        yield cluster


async def _run(kubeconfig: Path, told: Heard, questions: list[str]) -> Plan:
    async def ask(question: str) -> bool:
        questions.append(question)
        return True

    async with connect(kubeconfig=kubeconfig) as api:
        facts = await live.read(api, deadline=60, ours=True, tools=False, gpu_operator=True)
        wanted = Wanted(NOTHING, sites.of(facts), gpu_operator=True)
        plan = reduced(components(wanted), facts)
        await carry_out(plan, api, Helm(api, kubeconfig), told, Clock(), timeout=150, ask=ask)
    return plan


@pytest.mark.timeout(240)
def test_all_of_it_is_brought_up_in_one_go_and_then_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[str] = []
    heard = Heard()
    with _openshift(monkeypatch) as cluster:
        asyncio.run(_run(cluster.kubeconfig(), heard, questions))
        again = asyncio.run(_run(cluster.kubeconfig(), Heard(), questions))
        with cluster.client() as client:
            path = "/apis/datasciencecluster.opendatahub.io/v1/datascienceclusters/default-dsc"
            kserve: dict[str, Any] = client.get(path).raise_for_status().json()["spec"]["components"]["kserve"]
    order = heard.steps
    assert set(order) == {
        *("service-mesh", "istio", "cert-manager", "kuadrant-operator", "kuadrant", "rhoai-operator", "rhoai"),
        *("nfd-operator", "nfd", "gpu-operator", "cluster-policy"),
    }, "and Gateway API's CRDs are there already"
    assert order.index("istio") < order.index("kuadrant-operator"), "which looks for it when it starts"
    assert questions == [
        "Approve InstallPlan openshift-operators/install-servicemeshoperator3? It installs "
        "servicemeshoperator3.v3.3.1. InstallPlans in openshift-operators wait for approval"
    ]
    assert (kserve["defaultDeploymentMode"], kserve["serving"]["managementState"]) == ("RawDeployment", "Removed")
    assert again.is_empty, [step.key for step in again.steps]
