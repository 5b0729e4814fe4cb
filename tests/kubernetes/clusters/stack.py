"""The components of the stack as their makers' charts and operators leave them, healthy.

Names, labels, conditions and reasons: the components' own sources at the versions that are named here (Gateway API
v1.5.1, cert-manager v1.21.1, Istio 1.30.3, Kuadrant v1.5.2, KServe v0.20.0, GPU Operator v26.7.0).
"""

from collections.abc import Sequence

from tests.kubernetes.clusters.making import (
    Object,
    condition,
    container,
    current,
    daemon_set,
    deployment,
    labelled_namespace,
    made,
    namespace,
    pod_spec,
    service,
)

NEVER = {"matchLabels": {"tests/never": "true"}}  # no container answers: the API server must not ask these webhooks


def webhook(name: str, in_namespace: str, to: str, group: str, version: str, resources: Sequence[str]) -> Object:
    return made(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        name,
        webhooks=[
            {
                "name": f"{resources[0]}.{group}",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "objectSelector": NEVER,
                "clientConfig": {
                    "service": {"name": to, "namespace": in_namespace, "path": "/validate", "port": 443},
                    "caBundle": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
                },
                "rules": [
                    {
                        "apiGroups": [group],
                        "apiVersions": [version],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": list(resources),
                        "scope": "*",
                    }
                ],
            }
        ],
    )


def cert_manager(on: str, version: str = "v1.21.1") -> list[Object]:
    where = "cert-manager"
    parts = {"cert-manager": "controller", "cert-manager-webhook": "webhook", "cert-manager-cainjector": "cainjector"}
    objects: list[Object] = [namespace(where)]
    for name, image in parts.items():
        spec = pod_spec(container(name, f"quay.io/jetstack/cert-manager-{image}:{version}"))
        labels = {"app.kubernetes.io/name": image, "app.kubernetes.io/version": version}
        objects += deployment(name, where, spec, on, labels=labels)
    return [
        *objects,
        *service("cert-manager-webhook", where, {"https": (443, 10250)}, {"app": "cert-manager-webhook"}),
        webhook("cert-manager-webhook", where, "cert-manager-webhook", "cert-manager.io", "v1", ["certificates"]),
        cluster_issuer("selfsigned"),
    ]


def cluster_issuer(name: str) -> Object:
    ready = current("Ready", True, "IsReady")
    return made("cert-manager.io/v1", "ClusterIssuer", name, spec={"selfSigned": {}}, status={"conditions": [ready]})


def istio(on: str, version: str = "1.30.3") -> list[Object]:
    """By its own charts, without a CNI."""
    spec = pod_spec(container("discovery", f"docker.io/istio/pilot:{version}", cpu="500m", memory="2Gi"))
    labels = {"app": "istiod", "istio": "pilot", "istio.io/rev": "default"}
    ports = {"grpc-xds": (15010, 15010), "https-dns": (15012, 15012), "https-webhook": (443, 15017)}
    return [
        namespace("istio-system"),
        *deployment("istiod", "istio-system", spec, on, labels=labels),
        *service("istiod", "istio-system", ports, {"app": "istiod"}, labels=labels),
        gateway_class("istio", "istio.io/gateway-controller"),
        gateway_class("istio-remote", "istio.io/unmanaged-gateway"),
    ]


def gateway_class(name: str, controller: str) -> Object:
    return made(
        "gateway.networking.k8s.io/v1",
        "GatewayClass",
        name,
        spec={"controllerName": controller},
        status={"conditions": [current("Accepted", True, "Accepted", "Handled by the controller")]},
    )


def kuadrant_operators(on: str, version: str = "v1.5.2", config: Object | None = None) -> list[Object]:
    """The four operators, as the chart and RHCL's bundles have them."""
    where, objects = "kuadrant-system", []
    images = {
        "kuadrant-operator-controller-manager": f"kuadrant-operator:{version}",
        "authorino-operator": "authorino-operator:v0.25.2",
        "limitador-operator-controller-manager": "limitador-operator:v0.18.3",
        "dns-operator-controller-manager": "dns-operator:v0.17.1",
    }
    for name, image in images.items():
        spec = pod_spec(container("manager", f"quay.io/kuadrant/{image}", memory="200Mi", **(config or {})))
        objects += deployment(name, where, spec, on, labels={"control-plane": "controller-manager"})
    return objects


def kuadrant(on: str) -> list[Object]:
    """The Kuadrant resource, and what its operators make of it."""
    where = "kuadrant-system"
    authorino = pod_spec(container("authorino", "quay.io/kuadrant/authorino:v0.26.2"))
    limitador = pod_spec(container("limitador", "quay.io/kuadrant/limitador:v2.4.2"))
    mesh = {"sidecar.istio.io/inject": "false"}
    return [
        made(
            "kuadrant.io/v1beta1",
            "Kuadrant",
            "kuadrant",
            where,
            spec={},
            status={"conditions": [condition("Ready", True, "Ready", "Kuadrant is ready")], **_SEEN_KUADRANT},
        ),
        made(
            "operator.authorino.kuadrant.io/v1beta1",
            "Authorino",
            "authorino",
            where,
            spec={
                "clusterWide": True,
                "supersedingHostSubsets": True,
                "listener": {"tls": {"enabled": False}},
                "oidcServer": {"tls": {"enabled": False}},
            },
            status={"conditions": [condition("Ready", True, "Provisioned")]},
        ),
        made(
            "limitador.kuadrant.io/v1alpha1",
            "Limitador",
            "limitador",
            where,
            spec={},
            status={
                "observedGeneration": 1,
                "conditions": [condition("Ready", True, "Ready")],
                "service": {"host": "limitador-limitador.kuadrant-system.svc.cluster.local", "ports": {}},
            },
        ),
        *deployment("authorino", where, authorino, on, labels={"authorino-resource": "authorino"}, pod_labels=mesh),
        *deployment("limitador-limitador", where, limitador, on, labels={"app": "limitador"}, pod_labels=mesh),
        *service(
            "authorino-authorino-authorization", where, {"grpc": (50051, 50051)}, {"authorino-resource": "authorino"}
        ),
        *service("limitador-limitador", where, {"grpc": (8081, 8081)}, {"app": "limitador"}),
    ]


_SEEN_KUADRANT = {"observedGeneration": 1, "mtlsAuthorino": False, "mtlsLimitador": False}


def kserve(on: str, in_namespace: str = "kserve", version: str = "v0.20.0", registry: str = "kserve") -> list[Object]:
    """The controller in Standard mode, its webhook, and a runtime."""
    spec = pod_spec(container("manager", f"{registry}/kserve-controller:{version}", memory="300Mi"))
    labels = {"control-plane": "kserve-controller-manager"}
    name = "kserve-webhook-server-service"
    groups = ["inferenceservices"]
    config = {
        "deploy": '{"defaultDeploymentMode": "Standard"}',
        "service": '{"serviceClusterIPNone": false}',
        "ingress": '{"disableIngressCreation": true, "urlScheme": "http", "ingressDomain": "example.com"}',
        "storageInitializer": '{"image": "kserve/storage-initializer:v0.20.0", "memoryLimit": "4Gi"}',
    }
    return [
        *deployment("kserve-controller-manager", in_namespace, spec, on, labels=labels),
        *service(name, in_namespace, {"https": (443, 9443)}, labels),
        webhook("inferenceservice.serving.kserve.io", in_namespace, name, "serving.kserve.io", "v1beta1", groups),
        made("v1", "ConfigMap", "inferenceservice-config", in_namespace, data=config),
        made(
            "serving.kserve.io/v1alpha1",
            "ClusterStorageContainer",
            "default",
            spec={
                "container": {"name": "storage-initializer", "image": "kserve/storage-initializer:v0.20.0"},
                "supportedUriFormats": [{"prefix": prefix} for prefix in ("hf://", "s3://", "gs://")],
            },
        ),
    ]


def gpu_operator(in_namespace: str, nodes: Sequence[str], on: str) -> list[Object]:
    """By Helm or OLM, with its parts on the nodes that have GPUs."""
    spec = pod_spec(container("gpu-operator", "nvcr.io/nvidia/gpu-operator:v26.7.0", memory="200Mi"))
    labels = {"pod-security.kubernetes.io/enforce": "privileged"}
    if in_namespace == "nvidia-gpu-operator":
        labels["openshift.io/cluster-monitoring"] = "true"
    parts = {
        "nvidia-driver-daemonset": "driver:580.95.05",
        "nvidia-container-toolkit-daemonset": "k8s/container-toolkit:v1.18.0",
        "nvidia-device-plugin-daemonset": "k8s-device-plugin:v0.20.0",
        "gpu-feature-discovery": "k8s-device-plugin:v0.20.0",
        "nvidia-dcgm-exporter": "k8s/dcgm-exporter:4.4.1",
        "nvidia-operator-validator": "gpu-operator:v26.7.0",
    }
    return [
        labelled_namespace(in_namespace, labels),
        *deployment("gpu-operator", in_namespace, spec, on),
        *(
            object
            for name, image in parts.items()
            for object in daemon_set(name, in_namespace, privileged(name, f"nvcr.io/nvidia/{image}"), nodes)
        ),
        cluster_policy(in_namespace),
    ]


def privileged(name: str, image: str) -> Object:
    """The spec of a pod that works on its node."""
    tolerate = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    part = container(name, image, cpu="50m", memory="64Mi", securityContext={"privileged": True})
    return {"containers": [part], "tolerations": tolerate, "hostPID": True}


def cluster_policy(in_namespace: str) -> Object:
    parts = {
        key: {"enabled": True} for key in ("driver", "toolkit", "devicePlugin", "dcgm", "gfd", "nodeStatusExporter")
    }
    return made(
        "nvidia.com/v1",
        "ClusterPolicy",
        "gpu-cluster-policy" if in_namespace == "nvidia-gpu-operator" else "cluster-policy",
        spec={
            "operator": {"defaultRuntime": "crio"},
            "daemonsets": {},
            **parts,
            "dcgmExporter": {"enabled": True, "serviceMonitor": {"enabled": False}},
        },
        status={
            "state": "ready",
            "namespace": in_namespace,
            "conditions": [
                condition("Ready", True, "Reconciled", "ClusterPolicy is ready as all resources have been reconciled"),
                condition("Error", False, "Ready"),
            ],
        },
    )
