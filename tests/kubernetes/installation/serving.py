"""KServe in Standard mode, and OpenShift AI and the GPU operators around it.

From facts/cluster.md §2.6 (what KServe makes of an InferenceService, its conditions), §1.8 and §2.8 (OpenShift AI: the
DSCInitialization it makes itself, the DataScienceCluster's conditions, its applications' namespace), §1.9, §2.9 and
§2.11 (ClusterPolicy, node labels), and NFD's label for NVIDIA's devices.
"""

from collections.abc import Iterator
from typing import Any

from maas.cluster import kinds
from maas.cluster.components.state import environment
from maas.cluster.objects import Object, items, mapping, name, namespace, number, text
from tests.kubernetes.clusters.making import SINCE
from tests.kubernetes.installation.brought import definitions, labelled
from tests.kubernetes.installation.playing import Deed, Finalize, Make, Patch, Status, owned
from tests.kubernetes.installation.telling import in_front, is_ending, plain, said, workload
from tests.kubernetes.installation.world import World, is_available

_OF_PREDICTOR = (
    *("minReplicas", "maxReplicas", "deploymentStrategy", "model", "scaleMetric", "scaleTarget", "autoScaling"),
    *("labels", "annotations", "timeout", "canaryTrafficPercent", "containerConcurrency", "batcher", "logger"),
)
_SERVED = ("InferenceService", "ClusterServingRuntime")  # the others are large, and nobody asks for them here
_APPLICATIONS = "redhat-ods-applications"
GPU_ON = "tests/gpu"  # an annotation of a node: that it has one, which NFD finds


def kserve(world: World) -> Iterator[Deed]:
    if world.available("kserve-controller-manager") is None or not world.serves(kinds.INFERENCE_SERVICE):
        return
    for service in world.all(kinds.INFERENCE_SERVICE):
        yield Finalize(service, "inferenceservice.finalizers")
        if not is_ending(service):
            yield from _inference_service(world, service)


def _inference_service(world: World, service: Object) -> Iterator[Deed]:
    where, called = namespace(service), f"{name(service)}-predictor"
    labels = {"serving.kserve.io/inferenceservice": name(service), "component": "predictor", "app": f"isvc.{called}"}
    yield Make(owned(_deployment(service, called, labels), service), "kserve-controller")
    yield Make(owned(_service(service, called, labels), service), "kserve-controller")
    deployment = world.one(kinds.DEPLOYMENT, called, where)
    up = deployment is not None and is_available(deployment)
    ready = {"True": up, "False": not up}
    told = [_knative(type, ready["True"]) for type in ("PredictorReady", "Ready")]
    url = f"http://{called}.{where}.svc.cluster.local"
    state = "Loaded" if up else "Pending"
    yield Status(
        service,
        {
            "conditions": [_knative("IngressReady", True), *told, _knative("Stopped", False)],
            "deploymentMode": "Standard",
            "observedGeneration": 1,  # of the Deployment: objects.is_observed says why nobody may look at it
            "url": url,
            "address": {"url": url},
            "modelStatus": {
                "transitionStatus": "UpToDate" if up else "InProgress",
                "states": {"activeModelState": state if up else "", "targetModelState": state},
            },
        },
    )


def _knative(type: str, holds: bool) -> dict[str, str]:
    told = {"type": type, "status": str(holds), "lastTransitionTime": SINCE}
    return told if holds else {**told, "reason": "MinimumReplicasUnavailable"}


def _deployment(service: Object, called: str, labels: dict[str, str]) -> dict[str, Any]:
    predictor = mapping(service, "spec", "predictor")
    pod = {key: value for key, value in predictor.items() if key not in _OF_PREDICTOR}
    if "model" in predictor:
        model = mapping(predictor, "model")
        image = {"name": "kserve-container", "image": "kserve/huggingfaceserver:v0.20.0"}
        pod["containers"] = [image | {key: model[key] for key in ("args", "env", "resources") if key in model}]
    own = dict(mapping(predictor, "labels")) | dict(mapping(service, "metadata", "labels"))
    replicas = number(predictor, "minReplicas")
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": called, "namespace": namespace(service), "labels": {**own, **labels}},
        "spec": {
            "replicas": 1 if replicas is None else replicas,
            "selector": {"matchLabels": {"app": f"isvc.{called}"}},
            "strategy": mapping(predictor, "deploymentStrategy") or {"type": "RollingUpdate"},
            "template": {"metadata": {"labels": {**own, **labels}}, "spec": pod},
        },
    }


def _service(service: Object, called: str, labels: dict[str, str]) -> dict[str, Any]:
    """Port 80, to the port of the container."""
    made = in_front(called, namespace(service), {"http": 80}, labels)
    ports = items(service, "spec", "predictor", "containers", 0, "ports")
    made["spec"]["ports"][0]["targetPort"] = ports[0]["containerPort"] if ports else 8080
    made["spec"]["selector"] = {"app": f"isvc.{called}"}
    return made


def openshift_ai(world: World) -> Iterator[Deed]:
    operator = world.available("rhods-operator")
    if operator is None or not world.serves(kinds.DATA_SCIENCE_CLUSTER, kinds.DSC_INITIALIZATION):
        return
    for initialization in world.all(kinds.DSC_INITIALIZATION):
        yield Finalize(initialization, "dscinitialization.opendatahub.io/finalizer")
    booted = world.memory.setdefault("booted", set())
    if (pods := operator["metadata"]["uid"]) not in booted:  # only then does it look whether there is one
        booted.add(pods)
        told_not_to = environment(operator).get("DISABLE_DSC_CONFIG") == "true"
        if not world.all(kinds.DSC_INITIALIZATION) and not told_not_to:
            yield Make(_default_initialization(world), "rhods-operator")
    for initialization in world.all(kinds.DSC_INITIALIZATION):
        ready = plain(said(initialization, "ReconcileComplete", True, "ReconcileCompleted"))
        yield Status(initialization, {"phase": "Ready", "conditions": [ready]})
    for cluster in world.all(kinds.DATA_SCIENCE_CLUSTER):
        yield Finalize(cluster, "datasciencecluster.opendatahub.io/finalizer")
        if not is_ending(cluster):
            yield from _data_science_cluster(world, cluster)


def _default_initialization(world: World) -> Object:
    kind = kinds.DSC_INITIALIZATION
    spec = {"applicationsNamespace": _APPLICATIONS, "monitoring": {"managementState": "Managed"}}
    metadata = {"name": "default-dsci"}
    return {"apiVersion": world.api_version(kind), "kind": kind.name, "metadata": metadata, "spec": spec}


def _data_science_cluster(world: World, cluster: Object) -> Iterator[Deed]:
    managed = text(cluster, "spec", "components", "kserve", "managementState") == "Managed"
    if managed:
        generated = {"opendatahub.io/generated-namespace": "true"}
        where = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _APPLICATIONS, "labels": generated}}
        yield Make(where, "rhods-operator")
        own = {"app.opendatahub.io/kserve": "true"}
        yield from (Make(labelled(each, **own), "rhods-operator") for each in definitions("kserve", only=_SERVED))
        labels = {"control-plane": "kserve-controller-manager", "app.opendatahub.io/kserve": "true"}
        image = "quay.io/opendatahub/kserve-controller:v0.15.0"
        controller = workload("kserve-controller-manager", _APPLICATIONS, image, labels)
        yield Make(owned(controller, cluster), "rhods-operator")
        yield Make(owned(_kserve_config(cluster), cluster), "rhods-operator")
    up = not managed or (
        world.available("kserve-controller-manager", _APPLICATIONS) is not None
        and world.serves(kinds.INFERENCE_SERVICE)
    )
    types = ("Ready", "ComponentsReady", "ProvisioningSucceeded", "KserveReady", "ModelControllerReady")
    told = [plain(said(cluster, type, up, "Ready" if up else "NotReady")) for type in types]
    releases = [{"name": "KServe", "version": "v0.15.0", "repoUrl": "https://github.com/kserve/kserve"}]
    yield Status(
        cluster,
        {
            "phase": "Ready" if up else "Not Ready",
            "observedGeneration": cluster["metadata"]["generation"],
            "conditions": told,
            "release": {"name": "OpenShift AI Self-Managed", "version": "3.2.0"},
            "components": {"kserve": {"managementState": "Managed", "releases": releases}} if managed else {},
        },
    )


def _kserve_config(cluster: Object) -> Object:
    headed = text(cluster, "spec", "components", "kserve", "rawDeploymentServiceConfig") == "Headed"
    data = {
        "deploy": '{"defaultDeploymentMode": "RawDeployment"}',
        "service": '{"serviceClusterIPNone": %s}' % ("false" if headed else "true"),
        "ingress": '{"disableIngressCreation": true}',
    }
    metadata = {"name": "inferenceservice-config", "namespace": _APPLICATIONS}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def nfd(world: World) -> Iterator[Deed]:
    """Finds the devices of nodes, once there is something to find them for."""
    operators = world.available("nfd-controller-manager") and world.all(kinds.NODE_FEATURE_DISCOVERY)
    if not operators and world.available("gpu-operator") is None:
        return
    for node in world.all(kinds.NODE):
        if text(node, "metadata", "annotations", GPU_ON):
            found = {"feature.node.kubernetes.io/pci-10de.present": "true"}
            yield Patch(node, {"metadata": {"labels": found}})


def gpu_operator(world: World) -> Iterator[Deed]:
    if world.available("gpu-operator") is None:
        return
    for policy in world.all(kinds.CLUSTER_POLICY):
        nodes = [
            node
            for node in world.all(kinds.NODE)
            if text(node, "metadata", "labels", "feature.node.kubernetes.io/pci-10de.present") == "true"
        ]
        for node in nodes:
            yield Patch(node, {"metadata": {"labels": _GPU_LABELS}})
            yield Status(node, {"capacity": {"nvidia.com/gpu": "1"}, "allocatable": {"nvidia.com/gpu": "1"}})
        told = said(policy, "Ready", True, "Reconciled" if nodes else "NoGPUNodes")
        conditions = [plain(told), plain(said(policy, "Error", False, "Ready"))]
        where = namespace(world.available("gpu-operator") or policy)
        yield Status(policy, {"state": "ready", "namespace": where, "conditions": conditions})


_GPU_LABELS = {
    "nvidia.com/gpu.present": "true",
    "nvidia.com/gpu.count": "1",
    "nvidia.com/gpu.product": "Tesla-T4",
    "nvidia.com/gpu.memory": "15360",
    "nvidia.com/gpu.family": "turing",
    "nvidia.com/gpu.compute.major": "7",
    "nvidia.com/gpu.compute.minor": "5",
}

PLAYERS = (kserve, openshift_ai, nfd, gpu_operator)
