"""Every way in which what a step waits for does not come: what is told names object, condition, cause and remedy.

What Kubernetes' own controllers and its scheduler say is theirs; statuses of other components are written by the test,
as facts/cluster.md has them. Files in messages/ are the whole of each message.
"""

from typing import Any

import pytest

from maas.cluster import kinds
from maas.cluster.objects import name
from maas.cluster.plan import conditions
from tests.kubernetes.applying.failing import (
    deployment,
    failure,
    install_plan,
    just_now,
    space,
    subscription,
    until_there,
    waits,
)
from tests.kubernetes.applying.golden import check
from tests.kubernetes.applying.stage import config_map, step
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.clusters.making import condition, container, current, event, made, pod
from tests.kubernetes.seeding import seed
from tests.running import eventually

pytestmark = pytest.mark.usefixtures("one_attempt")


def test_quota_is_used_up(running_cluster: Cluster) -> None:
    space(running_cluster, "full")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small", "namespace": "full"}}
    seed(running_cluster, [{**quota, "spec": {"hard": {"pods": "0"}}}])
    with running_cluster.client() as client:
        eventually(
            lambda: "hard" in client.get("/api/v1/namespaces/full/resourcequotas/small").json().get("status", {})
        )
    seed(running_cluster, [deployment("vllm", "full")])
    until_there(running_cluster, "/api/v1/namespaces/full/events", lambda each: each["reason"] == "FailedCreate")
    wait = waits(kinds.DEPLOYMENT, "vllm", "full", conditions.available, "is available")
    check("quota", failure(running_cluster, step("models", waits=[wait])))


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


def test_an_install_plan_that_waits(running_cluster: Cluster) -> None:
    """Somebody set the Subscription to manual approval, and nobody was asked."""
    space(running_cluster, "redhat-ods-operator")
    pending = condition("InstallPlanPending", True, "RequiresApproval", "")
    asked = subscription(
        "redhat-ods-operator",
        state="UpgradePending",
        installPlanRef={"name": "install-abcde", "namespace": "redhat-ods-operator"},
        conditions=[pending],
    )
    seed(running_cluster, [asked, install_plan("redhat-ods-operator")])
    wait = waits(
        kinds.SUBSCRIPTION, "rhods-operator", "redhat-ods-operator", conditions.installed, "is installed", 600.0
    )
    check("install-plan-waits", failure(running_cluster, step("rhoai-operator", waits=[wait])))


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


def test_a_driver_that_crashes(running_cluster: Cluster) -> None:
    """A ClusterPolicy is in no namespace: its pods are looked for where the operator puts them, and only bad ones."""
    space(running_cluster, "gpu-operator")
    spec = {"containers": [container("driver", "nvcr.io/nvidia/driver:595")]}
    well, bad = (pod(each, "gpu-operator", spec, "by-hand", labels={"app": "x"}) for each in ("dcgm-0", "driver-0"))
    ended = {
        "exitCode": 1,
        "reason": "Error",
        "startedAt": "2026-09-20T06:00:00Z",
        "finishedAt": "2026-09-20T06:01:00Z",
    }
    bad["status"]["containerStatuses"][0] |= {"ready": False, "restartCount": 1, "state": {"terminated": ended}}
    told = event("Pod", "driver-0", "gpu-operator", "BackOff", "Back-off restarting failed container driver")
    seed(running_cluster, [well, bad, just_now(told)])
    until = conditions.field(("status", "state"), "ready")
    wait = waits(kinds.CLUSTER_POLICY, "cluster-policy", "", until, "is ready", 1200.0)
    check("driver-crashes", failure(running_cluster, step("gpu-operator", waits=[wait])))


def test_kuadrant_that_has_not_seen_istio(running_cluster: Cluster) -> None:
    space(running_cluster, "blind")
    kuadrant = made("kuadrant.io/v1beta1", "Kuadrant", "kuadrant", "blind", spec={})
    words = "[Gateway API provider (istio / envoy gateway)] is not installed, please restart Kuadrant Operator pod"
    kuadrant["status"] = {"conditions": [condition("Ready", False, "MissingDependency", words)]}
    seed(running_cluster, [kuadrant])
    wait = waits(kinds.KUADRANT, "kuadrant", "blind", conditions.ready, "is Ready")
    check("kuadrant-blind", failure(running_cluster, step("kuadrant", waits=[wait])))


def test_pods_that_the_namespace_does_not_allow(running_cluster: Cluster) -> None:
    space(running_cluster, "strict", **{"pod-security.kubernetes.io__enforce": "restricted"})
    seed(running_cluster, [deployment("vllm", "strict", hostNetwork=True)])
    until_there(running_cluster, "/api/v1/namespaces/strict/events", lambda each: each["reason"] == "FailedCreate")
    wait = waits(kinds.DEPLOYMENT, "vllm", "strict", conditions.available, "is available")
    check("pod-security", failure(running_cluster, step("models", waits=[wait])))


def test_quota_refuses_the_object_itself(running_cluster: Cluster) -> None:
    space(running_cluster, "counted")
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "objects", "namespace": "counted"}}
    seed(running_cluster, [{**quota, "spec": {"hard": {"count/configmaps": "0"}}}])
    with running_cluster.client() as client:
        path = "/api/v1/namespaces/counted/resourcequotas/objects"
        eventually(lambda: "hard" in client.get(path).json().get("status", {}))
    check("quota-of-objects", failure(running_cluster, step("platform", config_map("maas", "counted"))))


def test_a_namespace_that_does_not_end(running_cluster: Cluster) -> None:
    space(running_cluster, "ending")
    stuck = config_map("stuck", "ending")
    seed(running_cluster, [{**stuck, "metadata": {**stuck["metadata"], "finalizers": ["example.com/held"]}}])
    with running_cluster.client() as client:
        client.delete("/api/v1/namespaces/ending").raise_for_status()
        eventually(lambda: "NamespaceFinalizersRemaining" in client.get("/api/v1/namespaces/ending").text)
    metadata = {"name": "ending", "labels": {"app.kubernetes.io/part-of": "maas"}}
    wanted = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    try:
        check("namespace-ends", failure(running_cluster, step("namespaces", wanted, adopt=True)))
    finally:
        with running_cluster.client() as client:
            path = "/api/v1/namespaces/ending/configmaps/stuck"
            kind = {"Content-Type": "application/merge-patch+json"}
            client.patch(path, json={"metadata": {"finalizers": None}}, headers=kind)
