"""Every way in which a real API server does not take what a step applies, and what is told of it: see messages/."""

import asyncio
from typing import Any

import httpx
import pytest

from maas.cluster import kinds
from maas.cluster.applying import Report, StepFailed, absent_kinds, written
from maas.cluster.objects import namespace
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Approve, Step
from tests.kubernetes.applying.failing import (
    deployment,
    failure,
    install_plan,
    space,
    subscription,
    waits,
)
from tests.kubernetes.applying.golden import check
from tests.kubernetes.applying.stage import config_map, stage, step
from tests.kubernetes.applying.webhooks import configuration, webhook
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.seeding import seed
from tests.ports import free_port
from tests.running import eventually

pytestmark = pytest.mark.usefixtures("one_attempt")


def test_a_webhook_denies(cluster: Cluster) -> None:
    space(cluster, "denied")
    port = free_port()
    seed(cluster, [configuration(cluster, "labels.rules.example.com", port, "denied")])
    with webhook(cluster, port, "every object needs the label team"):
        check("webhook-denies", failure(cluster, step("platform", config_map("maas", "denied"))))


def test_a_webhook_that_stays_away(cluster: Cluster) -> None:
    space(cluster, "away")
    seed(cluster, [configuration(cluster, "webhook.kserve.example.com", free_port(), "away")])
    check("webhook-away", failure(cluster, step("models", config_map("maas", "away"))))


def test_a_field_that_somebody_else_holds(cluster: Cluster) -> None:
    space(cluster, "held")
    path = "/api/v1/namespaces/held/configmaps/maas?fieldManager=argocd-controller"
    theirs = {**config_map("maas", "held", mode="theirs")}
    theirs["metadata"] = {**theirs["metadata"], "labels": {"app.kubernetes.io/managed-by": "maas"}}
    with cluster.client() as client:
        sent = client.patch(path, json=theirs, headers={"Content-Type": "application/apply-patch+yaml"})
        assert sent.is_success, sent.text
    check("held-by-others", failure(cluster, step("platform", config_map("maas", "held", mode="ours"))))
    with cluster.client() as client:
        assert client.get(path.partition("?")[0]).json()["data"] == {"mode": "theirs"}, "never by force"


def test_a_field_that_cannot_change(cluster: Cluster) -> None:
    space(cluster, "fixed")
    old = deployment("vllm", "fixed", paused=True)
    asyncio.run(_applied(cluster, step("models", old)))
    new = deployment("vllm", "fixed", paused=True)
    new["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    new["spec"]["template"]["metadata"] = {"labels": {"app": "other"}}
    check("immutable", failure(cluster, step("models", new)))


async def _applied(cluster: Cluster, *steps: Step) -> None:
    async with stage(cluster) as here:
        await here.carry_out(steps)


def test_rights_that_are_missing(cluster: Cluster) -> None:
    cluster.allow("reader", {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]})

    async def run() -> Report:
        from maas.cluster.applying import carry_out
        from maas.cluster.connection import connect
        from maas.cluster.plan.model import Plan
        from tests.kubernetes.applying.stage import Heard, Hurried, NoHelm, yes

        async with connect(kubeconfig=cluster.kubeconfig("reader")) as api:
            plan = Plan([step("platform", config_map("maas"))])
            with pytest.raises(StepFailed) as failed:
                await carry_out(plan, api, NoHelm(), Heard(), Hurried(), timeout=60, ask=yes)
            return failed.value.report

    check("no-rights", asyncio.run(run()))


def test_an_api_that_is_not_served(cluster: Cluster) -> None:
    metadata = {"name": "openai", "namespace": "default"}
    entry = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": metadata, "spec": {}}
    check("not-served", failure(cluster, step("models", entry)))


_GIZMOS, _GROUP = "gizmos.test.opendatahub.io", "test.opendatahub.io"


def _definition() -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"kind": "Gizmo", "plural": "gizmos"}
    spec = {"group": _GROUP, "scope": "Namespaced", "names": names, "versions": [version]}
    metadata = {"name": _GIZMOS}
    api = "apiextensions.k8s.io/v1"
    return {"apiVersion": api, "kind": "CustomResourceDefinition", "metadata": metadata, "spec": spec}


def test_a_kind_that_is_being_removed(cluster: Cluster) -> None:
    """Which takes as long as an object of it is held: afterwards the server would accept others again, for a moment."""
    seed(cluster, [_definition()])
    gizmos = f"/apis/{_GROUP}/v1/namespaces/default/gizmos"
    with cluster.client() as client:
        held = _gizmo("held", finalizers=["example.com/held"])
        eventually(lambda: client.post(gizmos, json=held).status_code == 201)
        client.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{_GIZMOS}")
        eventually(lambda: client.post(gizmos, params={"dryRun": "All"}, json=_gizmo("mine")).status_code == 403)
        report = failure(cluster, step("models", _gizmo("mine")))
        merge = {"Content-Type": "application/merge-patch+json"}
        client.patch(f"{gizmos}/held", json={"metadata": {"finalizers": None}}, headers=merge)
    assert report.cause.startswith(f"CustomResourceDefinition {_GIZMOS} is being deleted")
    assert "It comes with OpenShift AI" in report.cause and f"kubectl get {_GIZMOS} -A" in report.commands


def _gizmo(name: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "Gizmo",
        "metadata": {"name": name, "namespace": "default", **metadata},
    }


@pytest.mark.parametrize(
    ("crd", "component"),
    [
        ("authpolicies.kuadrant.io", "Kuadrant"),
        ("certificates.cert-manager.io", "cert-manager"),
        ("inferenceservices.serving.kserve.io", "KServe or OpenShift AI"),
        ("gateways.gateway.networking.k8s.io", "Gateway API"),
        ("clusterpolicies.nvidia.com", "the GPU Operator"),
    ],
)
def test_the_component_that_brings_a_kind_is_named(crd: str, component: str) -> None:
    assert absent_kinds.of(crd).cause.endswith(f"is not there. It comes with {component}")


@pytest.mark.parametrize("of_crd", [True, False])
def test_what_is_waited_for_is_of_a_kind_that_has_gone(cluster: Cluster, of_crd: bool) -> None:
    """Neither is the API server overloaded, nor is anybody to make the object."""
    crd = waits(kinds.CRD, "kuadrants.kuadrant.io", "", conditions.established, "is Established", 60.0)
    operand = waits(kinds.KUADRANT, "kuadrant", "kuadrant-system", conditions.ready, "is Ready", 60.0)
    report = failure(cluster, step("kuadrant", waits=[crd if of_crd else operand]))
    assert report.cause == absent_kinds.of("kuadrants.kuadrant.io").cause
    assert "overloaded" not in written(report) and "maas preflight" in report.commands


def test_what_is_secret_is_in_no_message(cluster: Cluster) -> None:
    """The server repeats what it does not take."""
    metadata = {"name": "Bad Name", "namespace": "default"}
    value = "not-known-by-its-looks"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"api_key": value}}
    report = failure(cluster, step("keys", secret))
    assert value not in repr(report) + written(report) and "Bad Name" in report.object


def test_several_fail_and_the_first_is_told(cluster: Cluster) -> None:
    metadata = {"name": "No Such Name", "namespace": "default"}
    bad = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    report = failure(cluster, step("one", bad), step("after", config_map("never"), needs=("one",)))
    assert report.step.key == "one"
    with cluster.client() as client:
        assert client.get("/api/v1/namespaces/default/configmaps/never").status_code == httpx.codes.NOT_FOUND
    assert namespace(bad) == "default"


def test_an_install_plan_that_is_not_approved(cluster: Cluster) -> None:
    space(cluster, "asked")
    asked = subscription("asked", state="UpgradePending", installPlanRef={"name": "install-abcde"})
    seed(cluster, [asked, install_plan("asked")])
    questions = []

    async def no(question: str) -> bool:
        questions.append(question)
        return False

    asking = Step("rhoai-operator", "OpenShift AI", "it serves models", (Approve("rhods-operator", "asked", "Why."),))
    check("not-approved", failure(cluster, asking, ask=no))
    assert ["rhods-operator.3.0.0" in question for question in questions] == [True]
