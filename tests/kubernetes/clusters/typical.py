"""The clusters that platform engineers have: each is a function, so that nobody can spoil another's."""

from collections.abc import Callable

from maas.cluster.facts.model import Log
from maas.cluster.objects import name
from maas.readiness.catalogue import Asked, Phase, Target
from tests.kubernetes.clusters import installation, openshift_ai, operators, platforms, stack
from tests.kubernetes.clusters.making import Object, container, deployment, made, namespace, pod_spec
from tests.kubernetes.clusters.nodes import A10G, T4, node
from tests.kubernetes.clusters.scenario import Scenario

_OPENSHIFT = ("olm", "openshift-api")
_KUADRANT = ("kuadrant-operator", "authorino", "authorino-operator", "limitador-operator")
_BUILT_IN = "openshift.io/gateway-controller/v1"
_ISTIO = "istio.io/gateway-controller"
DOMAIN = "apps.prod.example.com"


def openshift_4_12() -> Scenario:
    """Too old: nothing on it, no Gateway API to be had from the platform."""
    nodes = platforms.openshift_nodes("v1.25.16")
    return Scenario(
        "OpenShift 4.12",
        "v1.25.16+a4e782a",
        Asked(Target.openshift),
        _OPENSHIFT,
        tuple(platforms.openshift("4.12.88", nodes)),
    )


def openshift_4_16() -> Scenario:
    """With OpenShift AI 2.x in Serverless mode, Service Mesh 2 and the GPU Operator; MaaS is not installed."""
    gpu = node("gpu-0", cpu=16, memory="64Gi", gpu=A10G, kubelet="v1.29.14")
    nodes = platforms.openshift_nodes("v1.29.14", gpu)
    kserve = {
        "managementState": "Managed",
        "defaultDeploymentMode": "Serverless",
        "serving": {"managementState": "Managed", "name": "knative-serving"},
    }
    cluster = openshift_ai.data_science_cluster("v1", "2.19.0", kserve)
    return Scenario(
        "OpenShift 4.16",
        "v1.29.14+7cf4c05",
        Asked(Target.openshift, gpu=True),
        (
            *(*_OPENSHIFT, "maistra-ossm2", "knative-operator", "opendatahub-2.35", "kserve", "istio"),
            *("nvidia-gpu-operator", "nfd-openshift"),
        ),
        (
            *platforms.openshift("4.16.48", nodes),
            *openshift_ai.service_mesh_2("worker-0"),
            *openshift_ai.serverless("worker-0"),
            *openshift_ai.openshift_ai("2.19.0", "stable-2.19", "worker-1", *cluster),
            *openshift_ai.gpus(["gpu-0"], "worker-1"),
        ),
    )


def openshift_4_20() -> Scenario:
    """Healthy, with OpenShift AI 3.x and MaaS on it: keys, policies that are enforced, a model on an A10G."""
    gpu = node("gpu-0", cpu=16, memory="64Gi", gpu=A10G, kubelet="v1.33.5")
    nodes = platforms.openshift_nodes("v1.33.5", gpu)
    kserve = {"managementState": "Managed", "rawDeploymentServiceConfig": "Headed"}
    controllers = f"{_ISTIO},{_BUILT_IN}"
    return Scenario(
        "OpenShift 4.20",
        "v1.33.5+4e19cdf",
        Asked(Target.openshift, Phase.after, gpu=True, models=frozenset({"simulator", "qwen3"})),
        (
            *(*_OPENSHIFT, "gateway-api", "sail-operator", "istio", "cert-manager", "opendatahub-3.5", "kserve"),
            *(*_KUADRANT, "nvidia-gpu-operator", "nfd-openshift"),
        ),
        (
            *platforms.openshift("4.20.4", nodes),
            *_built_in_gateway("worker-0"),
            *(
                operators.cluster_service_version("servicemeshoperator3.v3.3.1", each, copied_from=operators.GLOBAL)
                for each in ("default", "kube-system", "openshift-ingress")
            ),
            *openshift_ai.cert_manager_operator("worker-0"),
            *stack.cert_manager("worker-0", "v1.20.3"),
            *openshift_ai.openshift_ai(
                "3.2.0", "stable-3.x", "worker-1", *openshift_ai.data_science_cluster("v2", "3.2.0", kserve)
            ),
            *openshift_ai.gpus(["gpu-0"], "worker-1"),
            *_connectivity_link("1.4.2", "worker-1", controllers),
            *installation.installed(
                "openshift-default",
                _BUILT_IN,
                "worker-0",
                domain=DOMAIN,
                gpu_node="gpu-0",
                address="a2.elb.amazonaws.com",
            ),
        ),
        _gateway_api("v1.2.1"),
    )


def eks_1_31() -> Scenario:
    """Two plain nodes and two with a T4, NVIDIA's operator by Helm; nothing of the stack."""
    kubelet = "v1.31.13-eks-113cf36"
    image = "Amazon Linux 2023.9.20251014"
    names = [f"ip-10-1-0-{i}.eu-west-1.compute.internal" for i in range(4)]
    nodes = [
        *(node(each, gpu=T4, kubelet=kubelet, os_image=image) for each in names[:2]),
        *(node(each, cpu=8, memory="32Gi", kubelet=kubelet, os_image=image) for each in names[2:]),
    ]
    return Scenario(
        "EKS 1.31",
        kubelet,
        Asked(Target.kubernetes, gpu=True, models=frozenset({"simulator", "qwen3"})),
        ("nvidia-gpu-operator",),
        (
            *platforms.kubernetes(nodes, platforms.storage_class("gp3", "ebs.csi.aws.com")),
            *stack.gpu_operator("gpu-operator", names[:2], names[3]),
        ),
    )


def kind() -> Scenario:
    """One node on somebody's laptop: no LoadBalancer, a storage class that writes into a folder."""
    called, image = "kind-control-plane", "Debian GNU/Linux 12 (bookworm)"
    only = node(called, cpu=12, memory="31Gi", role="control-plane", os_image=image, provider="kind://docker/kind/")
    del only["spec"]["taints"]  # as kind does with a single node
    storage = platforms.storage_class("standard", "rancher.io/local-path", expandable=False)[:1]  # without CSI
    return Scenario("kind", "v1.34.0", Asked(Target.kubernetes), (), tuple(platforms.kubernetes([only], storage)))


def rosa() -> Scenario:
    """OpenShift 4.17 on AWS, where the GPU Operator may not label its namespace: known issue 1."""
    gpu = node("gpu-0", cpu=16, memory="64Gi", kubelet="v1.30.14")
    gpu["metadata"]["labels"] |= {"feature.node.kubernetes.io/pci-10de.present": "true"}
    nodes = platforms.openshift_nodes("v1.30.14", gpu)
    operator = [_label_denied(each) for each in _without_operands(openshift_ai.gpus(["gpu-0"], "worker-1"))]
    return Scenario(
        "ROSA",
        "v1.30.14+a1b2c3d",
        Asked(Target.openshift, gpu=True),
        (*_OPENSHIFT, "nvidia-gpu-operator", "nfd-openshift"),
        (
            *platforms.openshift("4.17.42", nodes, domain="apps.rosa.x7k2.p1.openshiftapps.com", rosa=True),
            *operator,
        ),
        logs=tuple(
            Log("nvidia-gpu-operator", name(each), "gpu-operator", (f'{{"level":"error","msg":"{_DENIED}"}}',))
            for each in operator
            if each["kind"] == "Pod" and name(each).startswith("gpu-operator")
        ),
    )


def kubernetes_1_34() -> Scenario:
    """Healthy, with the whole stack by Helm, and MaaS on it."""
    nodes = [node(f"node-{i}", cpu=16, memory="64Gi") for i in range(3)]
    return Scenario(
        "Kubernetes 1.34",
        "v1.34.4",
        Asked(Target.kubernetes, Phase.after),
        ("gateway-api", "cert-manager", "istio", *_KUADRANT, "kserve"),
        (
            *platforms.kubernetes(nodes, platforms.storage_class("gp3", "ebs.csi.aws.com")),
            *stack.cert_manager("node-0"),
            *stack.istio("node-0"),
            namespace("kuadrant-system"),
            *stack.kuadrant_operators("node-1"),
            *stack.kuadrant("node-1"),
            namespace("kserve"),
            *stack.kserve("node-2"),
            *installation.installed("istio", _ISTIO, "node-2", domain="models.example.com"),
        ),
        _gateway_api("v1.5.1"),
    )


ALL: tuple[Callable[[], Scenario], ...] = (
    *(openshift_4_12, openshift_4_16, openshift_4_20, eks_1_31, kind, rosa, kubernetes_1_34),
)


def _gateway_api(bundle: str) -> dict[str, dict[str, str]]:
    prefix = "gateway.networking.k8s.io"
    return {prefix: {f"{prefix}/bundle-version": bundle, f"{prefix}/channel": "standard"}}


def _built_in_gateway(on: str) -> list[Object]:
    """Since 4.19: the ingress operator's own Istio, from a Subscription that it made itself."""
    mark = {"ingress.operator.openshift.io/owned": ""}
    spec = {"namespace": "openshift-ingress", "version": "v1.26.8", "updateStrategy": {"type": "InPlace"}}
    return [
        stack.gateway_class("openshift-default", _BUILT_IN),
        *operators.operator("servicemeshoperator3", "servicemeshoperator3.v3.3.1", operators.GLOBAL, annotations=mark),
        made(
            "sailoperator.io/v1",
            "Istio",
            "openshift-gateway",
            spec=spec,
            status={
                "state": "Healthy",
                "observedGeneration": 1,
                "conditions": [
                    {"type": type, "status": "True", "reason": type, "lastTransitionTime": "2026-09-20T06:00:00Z"}
                    for type in ("Ready", "Reconciled", "DependenciesHealthy")
                ],
            },
        ),
        *deployment(
            "istiod-openshift-gateway",
            "openshift-ingress",
            pod_spec(container("discovery", "registry.redhat.io/openshift-service-mesh/istio-pilot:1.26")),
            on,
            labels={"app": "istiod", "managed-by": "sail-operator"},
        ),
        made(
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicy",
            "openshift-ingress-operator-gatewayapi-crd-admission",
            spec={
                "matchConstraints": {
                    "resourceRules": [
                        {
                            "apiGroups": ["apiextensions.k8s.io"],
                            "apiVersions": ["*"],
                            "operations": ["CREATE", "UPDATE", "DELETE"],
                            "resources": ["customresourcedefinitions"],
                        }
                    ]
                },
                "validations": [{"expression": "false", "message": "managed by the Ingress Operator"}],
            },
        ),
    ]


def _connectivity_link(version: str, on: str, controllers: str) -> list[Object]:
    where = "kuadrant-system"
    env = [{"name": "ISTIO_GATEWAY_CONTROLLER_NAMES", "value": controllers}]
    return [
        namespace(where),
        operators.group("rhcl", where),
        *operators.operator("rhcl-operator", f"rhcl-operator.v{version}", where, config={"env": env}),
        *stack.kuadrant_operators(on, "v1.4.6", {"env": env}),
        *stack.kuadrant(on),
    ]


_DENIED = (
    "unable to label namespace nvidia-gpu-operator for the GPU Operator monitoring, err admission webhook "
    '"namespace-validation.managed.openshift.io" denied the request'
)


def _without_operands(objects: list[Object]) -> list[Object]:
    """What the operator makes after it has labelled its namespace."""
    return [each for each in objects if each["kind"] != "DaemonSet" and each.get("spec", {}).get("nodeName") != "gpu-0"]


def _label_denied(object: Object) -> Object:
    if object["kind"] == "Namespace" and object["metadata"]["name"] == "nvidia-gpu-operator":
        object["metadata"]["labels"].pop("openshift.io/cluster-monitoring")
    if object["kind"] == "ClusterPolicy":
        since = object["status"]["conditions"][0]["lastTransitionTime"]
        object["status"] = {
            "state": "notReady",
            "namespace": "nvidia-gpu-operator",
            "conditions": [
                {"type": "Error", "status": "True", "reason": "ReconcileFailed", "message": _DENIED},
                {"type": "Ready", "status": "False", "reason": "Error", "message": ""},
            ],
        }
        for each in object["status"]["conditions"]:
            each["lastTransitionTime"] = since
    return object
