"""Every known issue, planted into a healthy cluster: with the conditions, events and log lines that it is known by.

Two clusters hold them all: Kubernetes 1.34 those of models, keys and limits, each with a model or an object of its
own; OpenShift 4.20 those of the platform.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maas.cluster.facts.model import Log
from maas.cluster.objects import items, mapping, name, namespace
from maas.readiness.findings import Status
from tests.kubernetes.clusters import installation, operators, typical
from tests.kubernetes.clusters.making import SINCE, Object, condition, container, event, made, pod
from tests.kubernetes.clusters.scenario import Scenario

LLM, KUADRANT = "llm", "kuadrant-system"
GPU = {"cpu": "4", "memory": "12Gi", "nvidia.com/gpu": "1"}
DEPENDENCY = (
    "[Gateway API provider (istio / envoy gateway)] is not installed, please restart Kuadrant Operator pod once "
    "dependency has been installed"
)


@dataclass(frozen=True)
class Fault:
    """plant: from a healthy cluster's objects to a sick one's. about: the finding's. mends: whether --fix does."""

    code: str
    base: Callable[[], Scenario]
    plant: Callable[[list[Object]], list[Object]]
    about: str = ""
    status: Status = Status.failed
    logs: tuple[Log, ...] = ()
    mends: bool = True

    def scenario(self) -> Scenario:
        return planted(self.base(), self)


def planted(base: Scenario, *faults: Fault) -> Scenario:
    objects: list[Object] = copy.deepcopy([dict(each) for each in base.objects])
    for fault in faults:
        objects = fault.plant(objects)
    logs = (*base.logs, *(log for fault in faults for log in fault.logs))
    return replace(base.after(), objects=tuple(copy.deepcopy(objects)), logs=logs)  # a test may change them further


def first(objects: Sequence[Object], kind: str, named: str, in_namespace: str = "") -> Object:
    return next(o for o in objects if (o["kind"], name(o), namespace(o)) == (kind, named, in_namespace))


def changed(kind: str, named: str, change: Callable[[Object], None], in_namespace: str = "") -> Any:
    """Every scenario is made anew, so its objects may be changed in place."""

    def plant(objects: list[Object]) -> list[Object]:
        change(first(objects, kind, named, in_namespace))
        return objects

    return plant


def added(*new: Object) -> Callable[[list[Object]], list[Object]]:
    return lambda objects: [*objects, *new]


def vllm(model: str, image: str = "vllm/vllm-openai:v0.10.2", *flags: str, **fields: Any) -> list[Object]:
    """A model on vLLM that is ready, with nothing wrong with it."""
    args = [f"--model=Qwen/{model}", "--port=8080", "--enable-force-include-usage", *flags]
    ports = [{"containerPort": 8080, "protocol": "TCP"}]
    serving = container("kserve-container", image, limits=GPU, args=args, ports=ports, **fields)
    return installation.model(model, {"containers": [serving]}, "node-2", deploymentStrategy={"type": "Recreate"})


def unready(objects: list[Object], **pod_status: Any) -> list[Object]:
    """The model does not come up; so its pod says."""
    for each in objects:
        if each["kind"] == "InferenceService":
            for found in items(each, "status", "conditions"):
                found.update({"status": "False", "reason": "MinimumReplicasUnavailable"})  # type: ignore[attr-defined]
        elif each["kind"] == "Pod":
            for found in items(each, "status", "conditions"):
                if found["type"] in ("Ready", "ContainersReady"):
                    found["status"] = "False"  # type: ignore[index]
            each["status"].update(pod_status)
        elif each["kind"] == "Deployment":
            each["status"].update({"availableReplicas": 0, "readyReplicas": 0, "unavailableReplicas": 1})
    return objects


def crashing(objects: list[Object]) -> list[Object]:
    ended = {"exitCode": 1, "reason": "Error", "startedAt": SINCE, "finishedAt": SINCE}
    status = {
        **first_status(objects),
        "ready": False,
        "restartCount": 7,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}},
        "lastState": {"terminated": ended},
    }
    return unready(objects, containerStatuses=[status])


def first_status(objects: list[Object]) -> Object:
    only = next(each for each in objects if each["kind"] == "Pod")
    return dict(only["status"]["containerStatuses"][0])


def pod_of(objects: Sequence[Object]) -> str:
    return next(name(each) for each in objects if each["kind"] == "Pod")


def said(model: list[Object], *lines: str) -> tuple[Log, ...]:
    """In the run before the last restart."""
    return (Log(LLM, pod_of(model), "kserve-container", ("INFO starting vLLM", *lines, "INFO bye"), previous=True),)


# Models. Each fault has its own, so that all can be in one cluster.

_TRITON = crashing(vllm("triton", "vllm/vllm-openai:v0.9.0"))
_PORT = crashing(vllm("linked"))
_CACHE = crashing(vllm("uncached"))
_OLD = crashing(vllm("qwen3-8b", "vllm/vllm-openai:v0.6.2"))
_MISTAKEN = vllm("mistaken", env=[{"name": "A", "value": "1"}, {"name": "VLLM_USE_TRITON_ATTENTION", "value": "0"}])
_UNMETERED = vllm("unmetered")
_UNMETERED[0]["spec"]["predictor"]["containers"][0]["args"].pop(2)


def hugging_face(model: str, **section: Any) -> list[Object]:
    """With storageUri hf://; KServe has made nothing for it."""
    found = installation.model(model, {"containers": []}, "node-2")[0]
    resources = {"limits": GPU, "requests": {"cpu": "2", "memory": "8Gi", "nvidia.com/gpu": "1"}}
    env = [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "token"}}}]
    found["spec"]["predictor"] = {
        "minReplicas": 1,
        "model": {
            "modelFormat": {"name": "vLLM"},
            "storageUri": f"hf://Qwen/{model}",
            "resources": resources,
            "env": env,
            **section,
        },
    }
    del found["status"]
    return [found]


def _old_kserve(objects: list[Object]) -> list[Object]:
    controller = first(objects, "Deployment", "kserve-controller-manager", "kserve")
    for each in items(controller, "spec", "template", "spec", "containers"):
        each["image"] = "kserve/kserve-controller:v0.14.1"  # type: ignore[index]
    refused = hugging_face("refused")[0]
    refused["status"] = {"observedGeneration": 1, "conditions": [condition("Ready", False, "StorageUriNotSupported")]}
    return [*objects, refused]


def _headless(objects: list[Object]) -> list[Object]:
    model = installation.model("headless", {"containers": _TRITON[0]["spec"]["predictor"]["containers"]}, "node-2")
    only = next(each for each in model if each["kind"] == "Service")
    only["spec"]["clusterIP"] = "None"
    only["spec"].pop("clusterIPs", None)
    return [*objects, only, installation.http_route("headless", "models.example.com", "istio.io/gateway-controller")]


def _loading() -> list[Object]:
    model = vllm("loading")
    status = {
        **first_status(model),
        "ready": False,
        "started": False,
        "state": {"waiting": {"reason": "ContainerCreating"}},
    }
    unready(model, phase="Pending", containerStatuses=[status])
    deployment = next(each for each in model if each["kind"] == "Deployment")
    deployment["spec"]["progressDeadlineSeconds"] = 600
    exceeded = 'ReplicaSet "loading-predictor" has timed out progressing.'
    deployment["status"]["conditions"] = [condition("Progressing", False, "ProgressDeadlineExceeded", exceeded)]
    return model


def _two_pods() -> list[Object]:
    model = vllm("rolling")
    model[0]["spec"]["predictor"]["deploymentStrategy"] = {"type": "RollingUpdate"}
    old = next(each for each in model if each["kind"] == "Pod")
    labels = {**mapping(old, "metadata", "labels"), "pod-template-hash": "0badcafe"}
    new = pod(f"{name(old)}-new", LLM, {"containers": old["spec"]["containers"]}, "", labels=labels)
    del new["spec"]["nodeName"]
    message = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    unscheduled = condition("PodScheduled", False, "Unschedulable", message)
    new["status"] = {"phase": "Pending", "conditions": [unscheduled]}
    return [*model, new]


def _killed() -> list[Object]:
    model = hugging_face("hungry")
    model[0]["spec"]["predictor"]["model"]["storageUri"] = "s3://models/hungry"
    model[0]["status"] = {"observedGeneration": 1, "conditions": [condition("Ready", False, "Loading")]}
    serving = container("kserve-container", "vllm/vllm-openai:v0.10.2")
    fetching = container("storage-initializer", "kserve/storage-initializer:v0.20.0")
    labels = {"serving.kserve.io/inferenceservice": "hungry", "app": "isvc.hungry-predictor"}
    only = pod("hungry-predictor-1", LLM, {"containers": [serving]}, "node-2", labels=labels)
    only["spec"]["initContainers"] = [fetching]
    ended = {"exitCode": 137, "reason": "OOMKilled", "startedAt": SINCE, "finishedAt": SINCE}
    initializer = {
        **only["status"]["containerStatuses"][0],
        "name": "storage-initializer",
        "ready": False,
        "restartCount": 4,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": ended},
    }
    only["status"] = {"phase": "Pending", "initContainerStatuses": [initializer]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [serving]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return [*model, only, made("apps/v1", "Deployment", "hungry-predictor", LLM, labels=labels, spec=spec)]


def _over_quota() -> list[Object]:
    """Its Deployment is there, and its ReplicaSet may make no pod."""
    model = unready(vllm("refused-pods"))
    deployment = next(each for each in model if each["kind"] == "Deployment")
    deployment["status"].update({"replicas": 0, "updatedReplicas": 0})
    why = 'pods "refused-pods-predictor-0a" is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=1'
    refused = event("ReplicaSet", "refused-pods-predictor-5f6d8c", LLM, "FailedCreate", f"Error creating: {why}")
    return [*(each for each in model if each["kind"] != "Pod"), refused]


def _same_key(objects: list[Object]) -> list[Object]:
    twin = installation.key("alice", "free")
    twin["metadata"]["name"] = "maas-key-alice-again"
    twin["metadata"]["creationTimestamp"] = "2026-09-21T06:00:00Z"
    return [*objects, twin]


def _unlimited(objects: list[Object]) -> list[Object]:
    """Its authorization lets the tier in, its limits do not know it."""
    rule = first(objects, "AuthPolicy", "maas-auth", LLM)["spec"]["rules"]["authorization"]["allow-groups"]
    rule["opa"]["rego"] += 'allow { groups[_] == "gold" }\n'
    return [*objects, installation.key("dave", "gold")]


def _misplaced(policy: Object) -> None:
    rule = policy["spec"]["rules"]["authentication"]["api-key-users"]
    del rule["credentials"]


def _pod_in(objects: Sequence[Object], in_namespace: str, beginning: str) -> Object:
    return next(
        o for o in objects if o["kind"] == "Pod" and namespace(o) == in_namespace and name(o).startswith(beginning)
    )


def _injected(objects: list[Object]) -> list[Object]:
    first(objects, "Namespace", KUADRANT)["metadata"]["labels"]["istio-injection"] = "enabled"
    stuck = _pod_in(objects, KUADRANT, "authorino-operator")
    stuck["spec"]["initContainers"] = [container("istio-init", "docker.io/istio/proxyv2:1.30.3")]
    waiting = {"ready": False, "restartCount": 0, "image": "docker.io/istio/proxyv2:1.30.3", "imageID": ""}
    init = {"name": "istio-init", "state": {"waiting": {"reason": "PodInitializing"}}, **waiting}
    stuck["status"] |= {"phase": "Pending", "initContainerStatuses": [init]}
    stuck["status"]["conditions"] = [condition("Ready", False, "ContainersNotReady")]
    return objects


KUBERNETES, OPENSHIFT = typical.kubernetes_1_34, typical.openshift_4_20

OF_MODELS = (
    Fault(
        "MAAS-402",
        KUBERNETES,
        added(*_TRITON),
        "InferenceService llm/triton",
        logs=said(_TRITON, "LLVM ERROR: Unsupported rounding mode for conversion."),
    ),
    Fault("MAAS-403", KUBERNETES, _headless, "Service llm/headless-predictor", Status.warning),
    Fault("MAAS-405", KUBERNETES, _old_kserve, "InferenceService llm/refused"),
    Fault("MAAS-404", KUBERNETES, _injected, "Namespace kuadrant-system"),
    Fault("MAAS-412", KUBERNETES, _unlimited, "tier gold"),
    Fault("MAAS-413", KUBERNETES, _same_key, "Secret kuadrant-system/maas-key-alice"),
    Fault(
        "MAAS-415",
        KUBERNETES,
        added(*_PORT),
        "InferenceService llm/linked",
        logs=said(
            _PORT, "ValueError: VLLM_PORT 'tcp://10.0.3.7:80' appears to be a URI. VLLM_PORT appears to be a URI"
        ),
    ),
    Fault("MAAS-416", KUBERNETES, added(*_loading()), "InferenceService llm/loading"),
    Fault("MAAS-417", KUBERNETES, added(*_two_pods()), "InferenceService llm/rolling"),
    Fault("MAAS-419", KUBERNETES, added(*_UNMETERED), "InferenceService llm/unmetered", Status.warning),
    Fault(
        "MAAS-420",
        KUBERNETES,
        added(*_CACHE),
        "InferenceService llm/uncached",
        logs=said(_CACHE, "PermissionError: [Errno 13] Permission denied: '/.cache'"),
    ),
    Fault("MAAS-421", KUBERNETES, added(*_killed()), "InferenceService llm/hungry"),
    Fault(
        "MAAS-422",
        KUBERNETES,
        added(*_OLD),
        "InferenceService llm/qwen3-8b",
        logs=said(_OLD, "ValueError: Model architectures ['Qwen3ForCausalLM'] are not supported for now."),
    ),
    Fault("MAAS-423", KUBERNETES, added(*_MISTAKEN), "InferenceService llm/mistaken", Status.warning, mends=False),
    Fault("MAAS-424", KUBERNETES, added(*_over_quota()), "Deployment llm/refused-pods-predictor", mends=False),
    Fault(
        "MAAS-418",
        KUBERNETES,
        changed("AuthPolicy", "maas-auth", _misplaced, LLM),
        "AuthPolicy llm/maas-auth",
        Status.warning,
        mends=False,
    ),
)


# The platform.


def _label_denied(objects: list[Object]) -> list[Object]:
    space = first(objects, "Namespace", "nvidia-gpu-operator")
    mapping(space, "metadata", "labels").pop("openshift.io/cluster-monitoring", None)  # type: ignore[attr-defined]
    return objects


def _missing_dependency(object: Object) -> None:
    object["status"]["conditions"] = [condition("Ready", False, "MissingDependency", DEPENDENCY)]


def _limitador_down(objects: list[Object]) -> list[Object]:
    limitador = first(objects, "Limitador", "limitador", KUADRANT)
    limitador["spec"]["replicas"] = 0
    limitador["status"]["conditions"] = [condition("Ready", False, "LimitadorNotAvailable", "no replica")]
    deployment = first(objects, "Deployment", "limitador-limitador", KUADRANT)
    deployment["spec"]["replicas"] = 0
    deployment["status"].update({"replicas": 0, "readyReplicas": 0, "availableReplicas": 0, "updatedReplicas": 0})
    return [o for o in objects if not (o["kind"] == "Pod" and name(o).startswith("limitador-limitador"))]


def _bypassed(objects: list[Object]) -> list[Object]:
    old = operators.cluster_service_version("rhcl-operator.v1.4.0", KUADRANT)
    plan = operators.install_plan("install-newer", KUADRANT, "rhcl-operator.v1.4.2")
    plan["spec"] |= {"approved": False, "approval": "Manual"}
    plan["status"]["phase"] = "RequiresApproval"
    subscription = first(objects, "Subscription", "rhcl-operator", KUADRANT)
    subscription["spec"]["installPlanApproval"] = "Manual"
    subscription["status"] |= {"installedCSV": name(old), "state": "UpgradePending"}
    rest = [o for o in objects if not (o["kind"] == "ClusterServiceVersion" and name(o).startswith("rhcl-operator."))]
    return [*rest, old, plan]


def _other_mesh(objects: list[Object]) -> list[Object]:
    """A user's Service Mesh 3 in place of the ingress operator's own, with nothing that uses it."""
    subscription = first(objects, "Subscription", "servicemeshoperator3", operators.GLOBAL)
    subscription["metadata"].pop("annotations", None)
    waiting = condition("Accepted", "Unknown", "Pending", "Waiting for controller")
    first(objects, "GatewayClass", "openshift-default")["status"]["conditions"] = [waiting]
    return [each for each in objects if each["kind"] != "Istio"]


def _no_labels(objects: list[Object]) -> list[Object]:
    """Node Feature Discovery is installed, but nothing asks it to run."""
    policy = next(each for each in objects if each["kind"] == "ClusterPolicy")
    message = "No NFD labels found, and the operator waits for them"
    policy["status"]["conditions"] = [condition("Ready", True, "NFDLabelsMissing", message)]
    for each in objects:
        if each["kind"] == "Node":
            labels = each["metadata"]["labels"]
            for key in [key for key in labels if key.startswith("feature.node.kubernetes.io/pci-")]:
                del labels[key]
    return [each for each in objects if each["kind"] != "NodeFeatureDiscovery"]


def _short_route(objects: list[Object]) -> list[Object]:
    spec = {
        "host": "models.apps.prod.example.com",
        "to": {"kind": "Service", "name": "maas-gateway-openshift-default", "weight": 100},
        "port": {"targetPort": "http"},
    }
    return [*objects, made("route.openshift.io/v1", "Route", "models", LLM, spec=spec)]


_DENIED = (
    "unable to label namespace nvidia-gpu-operator for the GPU Operator monitoring, err admission webhook "
    '"namespace-validation.managed.openshift.io" denied the request'
)


def _operator_pod() -> str:
    return name(_pod_in([dict(each) for each in OPENSHIFT().objects], "nvidia-gpu-operator", "gpu-operator"))


_ENDING = made("v1", "Namespace", "kserve", status={"phase": "Terminating"})

OF_THE_PLATFORM = (
    Fault(
        "MAAS-401",
        OPENSHIFT,
        _label_denied,
        logs=(Log("nvidia-gpu-operator", _operator_pod(), "gpu-operator", ("INFO starting", _DENIED)),),
    ),
    Fault("MAAS-411", OPENSHIFT, added(*hugging_face("silent")), "InferenceService llm/silent"),
    Fault("MAAS-406", OPENSHIFT, changed("Kuadrant", "kuadrant", _missing_dependency, KUADRANT)),
    Fault("MAAS-407", OPENSHIFT, _limitador_down, "Limitador kuadrant-system/limitador"),
    Fault("MAAS-408", OPENSHIFT, _bypassed, "ClusterServiceVersion kuadrant-system/rhcl-operator.v1.4.0"),
    Fault("MAAS-409", OPENSHIFT, _other_mesh),
    Fault("MAAS-410", OPENSHIFT, _no_labels, "ClusterPolicy gpu-cluster-policy"),
    Fault("MAAS-414", OPENSHIFT, _short_route, "Route llm/models", Status.warning),
)

# No API server takes a namespace that ends: it is to be deleted first.
ONLY_READ = (Fault("MAAS-425", OPENSHIFT, added(_ENDING), "Namespace kserve", mends=False),)

FAULTS = (*OF_MODELS, *OF_THE_PLATFORM, *ONLY_READ)
