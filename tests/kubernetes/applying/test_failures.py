"""Every way in which a step fails, on a real API server: what is told names object, condition, cause and remedy.

What Kubernetes' own controllers, its scheduler and its admission say is theirs; statuses of other components are
written by the test, as facts/cluster.md has them. Files in messages/ are the whole of each message.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from maas.cluster import kinds
from maas.cluster.applying import Report, StepFailed, written
from maas.cluster.facts.model import Log
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object, name, namespace
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Approve, Step, Until, Wait
from tests.kubernetes.applying.golden import check
from tests.kubernetes.applying.stage import config_map, stage, step
from tests.kubernetes.applying.webhooks import configuration, free_port, webhook
from tests.kubernetes.cluster import Cluster, running
from tests.kubernetes.clusters.making import condition, container, current, event, made, pod
from tests.kubernetes.clusters.nodes import node
from tests.kubernetes.controllers import controllers, simulated_node
from tests.kubernetes.definitions import of_components, stored
from tests.kubernetes.kubelet import kubelet, reached_at
from tests.kubernetes.seeding import seed

_LOGS = (
    Log("crash", "operator-0", "manager", ("starting", "panic: no such CRD: gateways"), previous=True),
    Log("models", "vllm-0", "server", ("loading", "ValueError: --api-key hf_0123456789abcdefghijABCDEFGHIJ0123")),
)
_COMPONENTS = ("gateway-api", "kserve", "olm", "nvidia-gpu-operator", "kuadrant-operator", "cert-manager")


pytestmark = pytest.mark.usefixtures("one_attempt")


@pytest.fixture(scope="module")
def running_cluster() -> Iterator[Cluster]:
    """With Kubernetes' own controllers, one simulated node, and one whose pods are as a test writes them."""
    definitions = [stored(crd) for crd in of_components(*_COMPONENTS)]
    with running(definitions=definitions) as cluster, controllers(cluster), kubelet(cluster, _LOGS) as port:
        seed(cluster, [reached_at(node("by-hand"), port), simulated_node("simulated")])
        yield cluster


def failure(cluster: Cluster, *steps: Step, seconds: float = 1200.0, **options: Any) -> Report:
    async def run() -> Report:
        async with stage(cluster) as here:
            with pytest.raises(StepFailed) as failed:
                await here.carry_out(steps, seconds=seconds, **options)
            return failed.value.report

    return asyncio.run(run())


def space(cluster: Cluster, called: str, **labels: str) -> None:
    metadata = {"name": called, "labels": {key.replace("__", "/"): value for key, value in labels.items()}}
    seed(cluster, [{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])


def waits(kind: Kind, called: str, where: str, until: Until, what: str, patience: float = 300.0) -> Wait:
    return Wait(kind, called, where, until, f"{kind.name} {where}/{called} {what}".replace(" /", " "), patience)


def deployment(called: str, where: str, *, paused: bool = False, **spec: Any) -> Object:
    labels = {"app": called}
    pods = {
        "containers": [container("server", "example.com/server:1.0")],
        "tolerations": [{"operator": "Exists"}],
        **spec,
    }
    template = {"metadata": {"labels": labels}, "spec": pods}
    wanted = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template, "paused": paused}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": called, "namespace": where},
        "spec": wanted,
    }


def just_now(object: Object) -> Object:
    return {**object, "lastTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def until_there(cluster: Cluster, path: str, found: Callable[[Any], bool]) -> None:
    """What a controller will write, waited for."""
    end = time.monotonic() + 30
    with cluster.client() as client:
        while not any(found(each) for each in client.get(path).json()["items"]):
            assert time.monotonic() < end, f"nothing of that at {path}"
            time.sleep(0.1)


def test_a_webhook_denies(running_cluster: Cluster) -> None:
    space(running_cluster, "denied")
    port = free_port()
    seed(running_cluster, [configuration(running_cluster, "labels.rules.example.com", port, "denied")])
    with webhook(running_cluster, port, "every object needs the label team"):
        check("webhook-denies", failure(running_cluster, step("platform", config_map("maas", "denied"))))


def test_a_webhook_that_stays_away(running_cluster: Cluster) -> None:
    space(running_cluster, "away")
    seed(running_cluster, [configuration(running_cluster, "webhook.kserve.example.com", free_port(), "away")])
    check("webhook-away", failure(running_cluster, step("models", config_map("maas", "away"))))


def test_quota_is_used_up(running_cluster: Cluster) -> None:
    space(running_cluster, "full")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small", "namespace": "full"}}
    seed(running_cluster, [{**quota, "spec": {"hard": {"pods": "0"}}}])
    with running_cluster.client() as client:
        _until(lambda: "hard" in client.get("/api/v1/namespaces/full/resourcequotas/small").json().get("status", {}))
    seed(running_cluster, [deployment("vllm", "full")])
    until_there(running_cluster, "/api/v1/namespaces/full/events", lambda each: each["reason"] == "FailedCreate")
    wait = waits(kinds.DEPLOYMENT, "vllm", "full", conditions.available, "is available")
    check("quota", failure(running_cluster, step("models", waits=[wait])))


def _until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not found():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_quota_refuses_the_object_itself(running_cluster: Cluster) -> None:
    space(running_cluster, "counted")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "objects", "namespace": "counted"}}
    seed(running_cluster, [{**quota, "spec": {"hard": {"count/configmaps": "0"}}}])
    with running_cluster.client() as client:
        path = "/api/v1/namespaces/counted/resourcequotas/objects"
        _until(lambda: "hard" in client.get(path).json().get("status", {}))
    check("quota-of-objects", failure(running_cluster, step("platform", config_map("maas", "counted"))))


def test_an_image_that_cannot_be_pulled(running_cluster: Cluster) -> None:
    space(running_cluster, "pull")
    waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "ghcr.io/llm-d/llm-d-inference-sim"'}
    stuck = pod(
        "simulator-0", "pull", {"containers": [container("server", "ghcr.io/llm-d/sim:v9")]}, "by-hand", labels={}
    )
    status = {"name": "server", "image": "ghcr.io/llm-d/sim:v9", "imageID": "", "ready": False, "restartCount": 0}
    stuck["metadata"]["labels"] = {"serving.kserve.io/inferenceservice": "simulator"}
    stuck["status"] = {"phase": "Pending", "containerStatuses": [{**status, "state": {"waiting": waiting}}]}
    model = _model("simulator", "pull")
    model["status"] = {"conditions": [condition("Ready", False, "MinimumReplicasUnavailable", "")]}
    failed = 'Failed to pull image "ghcr.io/llm-d/sim:v9": manifest unknown'
    told = event("Pod", "simulator-0", "pull", "Failed", failed)
    seed(running_cluster, [stuck, model, just_now(told)])
    wait = waits(kinds.INFERENCE_SERVICE, "simulator", "pull", conditions.served, "is Ready", 600.0)
    check("image-pull", failure(running_cluster, step("models", waits=[wait])))


def _model(called: str, where: str) -> dict[str, Any]:
    predictor = {"containers": [container("kserve-container", "example.com/server:1.0")]}
    return made("serving.kserve.io/v1beta1", "InferenceService", called, where, spec={"predictor": predictor})


def test_a_model_that_crashes(running_cluster: Cluster) -> None:
    """Its last words are shown, without what is secret in them."""
    space(running_cluster, "models")
    crashed = pod(
        "vllm-0", "models", {"containers": [container("server", "vllm/vllm-openai:v0.10.2")]}, "by-hand", labels={}
    )
    crashed["metadata"]["labels"] = {"serving.kserve.io/inferenceservice": "qwen3"}
    ended = {
        "exitCode": 1,
        "reason": "Error",
        "startedAt": "2026-09-20T06:00:00Z",
        "finishedAt": "2026-09-20T06:01:00Z",
    }
    crashed["status"]["containerStatuses"][0] |= {"ready": False, "restartCount": 1, "state": {"terminated": ended}}
    seed(running_cluster, [crashed, _model("qwen3", "models")])
    wait = waits(kinds.INFERENCE_SERVICE, "qwen3", "models", conditions.served, "is Ready", 600.0)
    report = failure(running_cluster, step("models", waits=[wait]))
    assert "hf_0123456789" not in str(report)
    check("model-crashes", report)


def test_an_operator_that_crashes(running_cluster: Cluster) -> None:
    space(running_cluster, "crash")
    crashed = pod(
        "operator-0", "crash", {"containers": [container("manager", "example.com/op:1")]}, "by-hand", labels={}
    )
    crashed["metadata"]["labels"] = {"app": "operator"}
    ended = {
        "exitCode": 2,
        "reason": "Error",
        "startedAt": "2026-09-20T06:00:00Z",
        "finishedAt": "2026-09-20T06:01:00Z",
    }
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=manager"}
    crashed["status"]["containerStatuses"][0] |= {
        "ready": False,
        "restartCount": 7,
        "state": {"waiting": waiting},
        "lastState": {"terminated": ended},
    }
    seed(running_cluster, [deployment("operator", "crash", paused=True), crashed])
    wait = waits(kinds.DEPLOYMENT, "operator", "crash", conditions.available, "is available", 600.0)
    check("operator-crashes", failure(running_cluster, step("kuadrant-operator", waits=[wait])))


def test_a_crd_that_is_never_established(running_cluster: Cluster) -> None:
    """Another one has its names."""
    for plural in ("gadgets", "gizmos"):
        seed(running_cluster, [_definition(plural)])
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    until_there(running_cluster, path, lambda each: name(each).startswith("gizmos") and "NamesAccepted" in str(each))
    wait = waits(kinds.CRD, "gizmos.example.com", "", conditions.established, "is Established", 60.0)
    check("crd-not-established", failure(running_cluster, step("kserve-crd", waits=[wait])))


def _definition(plural: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": plural[:-1], "kind": "Gadget", "listKind": "GadgetList"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def test_a_csv_that_failed(running_cluster: Cluster) -> None:
    space(running_cluster, "kuadrant-system")
    called = "rhcl-operator.v1.4.1"
    csv = made("operators.coreos.com/v1alpha1", "ClusterServiceVersion", called, "kuadrant-system")
    csv["spec"] = {"displayName": "RHCL", "install": {"strategy": "deployment", "spec": {"deployments": []}}}
    missing = {"kind": "CustomResourceDefinition", "name": "dnsrecords.kuadrant.io", "status": "NotPresent"}
    csv["status"] = {
        "phase": "Failed",
        "reason": "RequirementsNotMet",
        "message": "one or more requirements couldn't be found",
        "requirementStatus": [{**missing, "group": "apiextensions.k8s.io", "version": "v1", "message": ""}],
    }
    seed(running_cluster, [csv])
    wait = waits(kinds.CSV, called, "kuadrant-system", conditions.succeeded, "has Succeeded", 600.0)
    check("csv-failed", failure(running_cluster, step("kuadrant-operator", waits=[wait])))


def _gateway(where: str, **status: Any) -> dict[str, Any]:
    listener = {"name": "https", "port": 443, "protocol": "HTTPS", "hostname": "*.maas.local"}
    listener["tls"] = {"certificateRefs": [{"name": "maas-gateway-tls"}]}
    gateway = made("gateway.networking.k8s.io/v1", "Gateway", "maas-gateway", where)
    return {**gateway, "spec": {"gatewayClassName": "istio", "listeners": [listener]}, "status": status}


def test_a_gateway_that_is_never_programmed(running_cluster: Cluster) -> None:
    space(running_cluster, "llm")
    refused = current("ResolvedRefs", False, "InvalidCertificateRef", "secret llm/maas-gateway-tls was not found")
    status = {
        "conditions": [current("Accepted"), current("Programmed", False, "Pending", "Waiting for its listeners")],
        "listeners": [{"name": "https", "attachedRoutes": 0, "supportedKinds": [], "conditions": [refused]}],
    }
    seed(running_cluster, [_gateway("llm", **status)])
    wait = waits(kinds.GATEWAY, "maas-gateway", "llm", conditions.programmed(), "is Programmed")
    check("gateway-listener", failure(running_cluster, step("gateway", waits=[wait])))


def test_a_gateway_that_nobody_looks_after(running_cluster: Cluster) -> None:
    space(running_cluster, "alone")
    seed(running_cluster, [_gateway("alone")])
    wait = waits(kinds.GATEWAY, "maas-gateway", "alone", conditions.programmed(), "is Programmed")
    check("gateway-without-controller", failure(running_cluster, step("gateway", waits=[wait])))


def test_no_gpu_is_to_be_had(running_cluster: Cluster) -> None:
    space(running_cluster, "gpus")
    wanted = {**container("server", "vllm/vllm-openai:v0.10.2"), "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    seed(running_cluster, [deployment("qwen3-predictor", "gpus", containers=[wanted])])
    until_there(running_cluster, "/api/v1/namespaces/gpus/pods", lambda each: "Unschedulable" in str(each))
    until_there(running_cluster, "/api/v1/namespaces/gpus/events", lambda each: each["reason"] == "FailedScheduling")
    wait = waits(kinds.DEPLOYMENT, "qwen3-predictor", "gpus", conditions.available, "is available", 600.0)
    check("no-gpu", failure(running_cluster, step("models", waits=[wait])))


def test_a_volume_that_is_not_bound(running_cluster: Cluster) -> None:
    space(running_cluster, "volumes")
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "weights", "namespace": "volumes"},
    }
    amount = {"resources": {"requests": {"storage": "10Gi"}}, "accessModes": ["ReadWriteOnce"]}
    volumes = [{"name": "weights", "persistentVolumeClaim": {"claimName": "weights"}}]
    seed(running_cluster, [{**claim, "spec": amount}, deployment("qwen3-predictor", "volumes", volumes=volumes)])
    until_there(running_cluster, "/api/v1/namespaces/volumes/events", lambda each: each["reason"] == "FailedScheduling")
    wait = waits(kinds.DEPLOYMENT, "qwen3-predictor", "volumes", conditions.available, "is available", 600.0)
    check("volume-unbound", failure(running_cluster, step("models", waits=[wait])))


def _subscription(where: str, **status: Any) -> dict[str, Any]:
    made_ = made("operators.coreos.com/v1alpha1", "Subscription", "rhods-operator", where)
    spec = {"name": "rhods-operator", "channel": "stable-3.x", "source": "redhat-operators"}
    spec |= {"sourceNamespace": "openshift-marketplace", "installPlanApproval": "Manual"}
    return {**made_, "spec": spec, "status": {"lastUpdated": "2026-09-20T06:00:00Z", **status}}


def _install_plan(where: str) -> dict[str, Any]:
    plan = made("operators.coreos.com/v1alpha1", "InstallPlan", "install-abcde", where)
    spec = {"approval": "Manual", "approved": False, "clusterServiceVersionNames": ["rhods-operator.3.0.0"]}
    return {**plan, "spec": spec, "status": {"phase": "RequiresApproval", "catalogSources": [], "plan": []}}


def test_an_install_plan_that_waits(running_cluster: Cluster) -> None:
    """Somebody set the Subscription to manual approval, and nobody was asked."""
    space(running_cluster, "redhat-ods-operator")
    pending = condition("InstallPlanPending", True, "RequiresApproval", "")
    subscription = _subscription(
        "redhat-ods-operator",
        state="UpgradePending",
        installPlanRef={"name": "install-abcde", "namespace": "redhat-ods-operator"},
        conditions=[pending],
    )
    seed(running_cluster, [subscription, _install_plan("redhat-ods-operator")])
    wait = waits(
        kinds.SUBSCRIPTION, "rhods-operator", "redhat-ods-operator", conditions.installed, "is installed", 600.0
    )
    check("install-plan-waits", failure(running_cluster, step("rhoai-operator", waits=[wait])))


def test_an_install_plan_that_is_not_approved(running_cluster: Cluster) -> None:
    space(running_cluster, "asked")
    subscription = _subscription("asked", state="UpgradePending", installPlanRef={"name": "install-abcde"})
    seed(running_cluster, [subscription, _install_plan("asked")])
    questions = []

    async def no(question: str) -> bool:
        questions.append(question)
        return False

    asking = Step("rhoai-operator", "OpenShift AI", "it serves models", (Approve("rhods-operator", "asked", "Why."),))
    check("not-approved", failure(running_cluster, asking, ask=no))
    assert ["rhods-operator.3.0.0" in question for question in questions] == [True]


def test_no_node_has_a_gpu(running_cluster: Cluster) -> None:
    """A ClusterPolicy calls itself ready then; what waits for GPUs looks at the reason as well."""
    policy = made("nvidia.com/v1", "ClusterPolicy", "gpu-cluster-policy")
    parts = ("operator", "daemonsets", "driver", "toolkit", "devicePlugin", "dcgmExporter", "dcgm", "gfd")
    policy["spec"] = {part: {} for part in (*parts, "nodeStatusExporter")} | {"operator": {"defaultRuntime": "crio"}}
    policy["status"] = {
        "state": "notReady",
        "namespace": "nvidia-gpu-operator",
        "conditions": [condition("Ready", False, "NoGPUNodes", "No GPU node found, watching for new nodes")],
    }
    seed(running_cluster, [policy])
    until = conditions.field(("status", "state"), "ready")
    wait = waits(kinds.CLUSTER_POLICY, "gpu-cluster-policy", "", until, "is ready", 1200.0)
    check("no-gpu-nodes", failure(running_cluster, step("cluster-policy", waits=[wait])))


def test_kuadrant_that_has_not_seen_istio(running_cluster: Cluster) -> None:
    space(running_cluster, "blind")
    kuadrant = made("kuadrant.io/v1beta1", "Kuadrant", "kuadrant", "blind", spec={})
    words = "[Gateway API provider (istio / envoy gateway)] is not installed, please restart Kuadrant Operator pod"
    kuadrant["status"] = {"conditions": [condition("Ready", False, "MissingDependency", words)]}
    seed(running_cluster, [kuadrant])
    wait = waits(kinds.KUADRANT, "kuadrant", "blind", conditions.ready, "is Ready")
    check("kuadrant-blind", failure(running_cluster, step("kuadrant", waits=[wait])))


def test_a_field_that_somebody_else_holds(running_cluster: Cluster) -> None:
    space(running_cluster, "held")
    path = "/api/v1/namespaces/held/configmaps/maas?fieldManager=argocd-controller"
    theirs = {**config_map("maas", "held", mode="theirs")}
    theirs["metadata"] = {**theirs["metadata"], "labels": {"app.kubernetes.io/managed-by": "maas"}}
    with running_cluster.client() as client:
        sent = client.patch(path, json=theirs, headers={"Content-Type": "application/apply-patch+yaml"})
        assert sent.is_success, sent.text
    check("held-by-others", failure(running_cluster, step("platform", config_map("maas", "held", mode="ours"))))
    with running_cluster.client() as client:
        assert client.get(path.partition("?")[0]).json()["data"] == {"mode": "theirs"}, "never by force"


def test_a_field_that_cannot_change(running_cluster: Cluster) -> None:
    space(running_cluster, "fixed")
    old = deployment("vllm", "fixed", paused=True)
    asyncio.run(_applied(running_cluster, step("models", old)))
    new = deployment("vllm", "fixed", paused=True)
    new["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    new["spec"]["template"]["metadata"] = {"labels": {"app": "other"}}
    check("immutable", failure(running_cluster, step("models", new)))


async def _applied(cluster: Cluster, *steps: Step) -> None:
    async with stage(cluster) as here:
        await here.carry_out(steps)


def test_rights_that_are_missing(running_cluster: Cluster) -> None:
    running_cluster.allow("reader", {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]})

    async def run() -> Report:
        from maas.cluster.applying import carry_out
        from maas.cluster.connection import connect
        from maas.cluster.plan.model import Plan
        from tests.kubernetes.applying.stage import Heard, Hurried, NoHelm, yes

        async with connect(kubeconfig=running_cluster.kubeconfig("reader")) as api:
            plan = Plan([step("platform", config_map("maas"))])
            with pytest.raises(StepFailed) as failed:
                await carry_out(plan, api, NoHelm(), Heard(), Hurried(), timeout=60, ask=yes)
            return failed.value.report

    check("no-rights", asyncio.run(run()))


def test_pods_that_the_namespace_does_not_allow(running_cluster: Cluster) -> None:
    space(running_cluster, "strict", **{"pod-security.kubernetes.io__enforce": "restricted"})
    seed(running_cluster, [deployment("vllm", "strict", hostNetwork=True)])
    until_there(running_cluster, "/api/v1/namespaces/strict/events", lambda each: each["reason"] == "FailedCreate")
    wait = waits(kinds.DEPLOYMENT, "vllm", "strict", conditions.available, "is available")
    check("pod-security", failure(running_cluster, step("models", waits=[wait])))


def test_a_namespace_that_does_not_end(running_cluster: Cluster) -> None:
    space(running_cluster, "ending")
    stuck = config_map("stuck", "ending")
    seed(running_cluster, [{**stuck, "metadata": {**stuck["metadata"], "finalizers": ["example.com/held"]}}])
    with running_cluster.client() as client:
        client.delete("/api/v1/namespaces/ending").raise_for_status()
        _until(lambda: "NamespaceFinalizersRemaining" in client.get("/api/v1/namespaces/ending").text)
    metadata = {"name": "ending", "labels": {"app.kubernetes.io/part-of": "maas"}}
    wanted = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    try:
        check("namespace-ends", failure(running_cluster, step("namespaces", wanted, adopt=True)))
    finally:
        with running_cluster.client() as client:
            path = "/api/v1/namespaces/ending/configmaps/stuck"
            kind = {"Content-Type": "application/merge-patch+json"}
            client.patch(path, json={"metadata": {"finalizers": None}}, headers=kind)


def test_an_api_that_is_not_served(running_cluster: Cluster) -> None:
    metadata = {"name": "openai", "namespace": "default"}
    entry = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": metadata, "spec": {}}
    check("not-served", failure(running_cluster, step("models", entry)))


def test_what_is_secret_is_in_no_message(running_cluster: Cluster) -> None:
    """The server repeats what it does not take."""
    metadata = {"name": "Bad Name", "namespace": "default"}
    value = "not-known-by-its-looks"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"api_key": value}}
    report = failure(running_cluster, step("keys", secret))
    assert value not in repr(report) + written(report) and "Bad Name" in report.object


def test_several_fail_and_the_first_is_told(running_cluster: Cluster) -> None:
    metadata = {"name": "No Such Name", "namespace": "default"}
    bad = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    report = failure(running_cluster, step("one", bad), step("after", config_map("never"), needs=("one",)))
    assert report.step.key == "one"
    with running_cluster.client() as client:
        assert client.get("/api/v1/namespaces/default/configmaps/never").status_code == httpx.codes.NOT_FOUND
    assert namespace(bad) == "default"
