"""What a cluster has before anybody installs anything: Kubernetes of a cloud, of one machine, and OpenShift.

OpenShift's objects: openshift/api config/v1 and operator/v1; facts about ROSA: its Infrastructure's resource tags.
"""

from collections.abc import Sequence

from tests.kubernetes.clusters import operators
from tests.kubernetes.clusters.making import (
    SINCE,
    Object,
    condition,
    container,
    deployment,
    labelled_namespace,
    made,
    namespace,
    pod_spec,
    service,
)
from tests.kubernetes.clusters.nodes import node

SYSTEM = ("default", "kube-system", "kube-public", "kube-node-lease")
_OPENSHIFT_NAMESPACES = (
    "openshift-config",
    "openshift-ingress",
    "openshift-ingress-operator",
    "openshift-marketplace",
    "openshift-monitoring",
    "openshift-operator-lifecycle-manager",
    operators.GLOBAL,
)
_CLUSTER_OPERATORS = (
    *("authentication", "cloud-credential", "console", "dns", "etcd", "image-registry", "ingress", "kube-apiserver"),
    *("machine-config", "marketplace", "monitoring", "network", "operator-lifecycle-manager", "storage"),
)


def kubernetes(nodes: Sequence[Object], storage: Sequence[Object]) -> list[Object]:
    """Nodes, DNS and storage; with what every API server makes for itself."""
    worker = nodes[-1]["metadata"]["name"]
    return [
        *map(namespace, SYSTEM),
        *nodes,
        *storage,
        *dns("coredns", "kube-system", "registry.k8s.io/coredns/coredns:v1.12.1", worker),
    ]


def dns(name: str, in_namespace: str, image: str, on: str) -> list[Object]:
    spec = pod_spec(container(name, image, memory="70Mi"))
    return [
        *deployment(name, in_namespace, spec, on, labels={"k8s-app": "kube-dns"}),
        *service("kube-dns", in_namespace, {"dns-tcp": (53, 53)}, {"k8s-app": "kube-dns"}),
    ]


def storage_class(
    name: str, provisioner: str, *, default: bool = True, expandable: bool = True, mode: str = "WaitForFirstConsumer"
) -> list[Object]:
    """With its CSI driver."""
    return [
        made(
            "storage.k8s.io/v1",
            "StorageClass",
            name,
            annotations={"storageclass.kubernetes.io/is-default-class": "true"} if default else None,
            provisioner=provisioner,
            reclaimPolicy="Delete",
            volumeBindingMode=mode,
            allowVolumeExpansion=expandable,
        ),
        made("storage.k8s.io/v1", "CSIDriver", provisioner, spec={"attachRequired": True, "storageCapacity": False}),
    ]


def openshift(
    version: str,
    nodes: Sequence[Object],
    *,
    domain: str = "apps.prod.example.com",
    rosa: bool = False,
    platform: str = "AWS",
) -> list[Object]:
    """A healthy one, with OperatorHub and nothing from it."""
    worker = nodes[-1]["metadata"]["name"]
    return [
        *map(namespace, (*SYSTEM, "openshift-dns")),
        *(labelled_namespace(name, {"openshift.io/cluster-monitoring": "true"}) for name in _OPENSHIFT_NAMESPACES),
        *nodes,
        *storage_class("gp3-csi", "ebs.csi.aws.com"),
        *dns("dns-default", "openshift-dns", "quay.io/openshift-release-dev/ocp-v4.0-art-dev:dns", worker),
        *_configuration(version, domain, platform, rosa),
        *_router(domain, worker),
        *(cluster_operator(name, version) for name in _CLUSTER_OPERATORS),
        *map(operators.catalog, ("redhat-operators", "certified-operators", "community-operators")),
        operators.group("global-operators", operators.GLOBAL),
        made(
            "operators.coreos.com/v1",
            "OLMConfig",
            "cluster",
            spec={"features": {"disableCopiedCSVs": False}},
            status={},
        ),
    ]


def openshift_nodes(kubelet: str, *others: Object) -> list[Object]:
    """Three of the control plane and two workers, and others."""
    os_image = "Red Hat Enterprise Linux CoreOS 418.94.202509100653-0"
    masters = [
        node(f"master-{i}", cpu=8, memory="32Gi", role="master", kubelet=kubelet, os_image=os_image) for i in range(3)
    ]
    workers = [node(f"worker-{i}", cpu=16, memory="64Gi", kubelet=kubelet, os_image=os_image) for i in range(2)]
    return [*masters, *others, *workers]


def _configuration(version: str, domain: str, platform: str, rosa: bool) -> list[Object]:
    tags = [("red-hat-managed", "true"), ("red-hat-clustertype", "rosa")] if rosa else []
    aws = {"region": "eu-west-1", "resourceTags": [{"key": key, "value": value} for key, value in tags]}
    status = {
        "platform": platform,
        "platformStatus": {"type": platform, "aws": aws} if platform == "AWS" else {"type": platform},
        "infrastructureName": "prod-x7k2p",
        "infrastructureTopology": "HighlyAvailable",
        "controlPlaneTopology": "External" if rosa else "HighlyAvailable",
        "apiServerURL": "https://api.prod.example.com:6443",
        "apiServerInternalURI": "https://api-int.prod.example.com:6443",
        "etcdDiscoveryDomain": "",
        "cpuPartitioning": "None",
    }
    config = "config.openshift.io/v1"
    return [
        cluster_version(version),
        made(
            config,
            "Infrastructure",
            "cluster",
            spec={"cloudConfig": {"name": ""}, "platformSpec": {"type": platform}},
            status=status,
        ),
        made(config, "Ingress", "cluster", spec={"domain": domain}, status={"defaultPlacement": "Workers"}),
        made(config, "Proxy", "cluster", spec={"trustedCA": {"name": ""}}, status={}),
    ]


def cluster_version(version: str) -> Object:
    release = {"version": version, "image": "quay.io/openshift-release-dev/ocp-release@sha256:0"}
    update = {"state": "Completed", "startedTime": SINCE, "completionTime": SINCE, "verified": False, **release}
    return made(
        "config.openshift.io/v1",
        "ClusterVersion",
        "version",
        spec={"clusterID": "00000000-0000-4000-8000-000000000001", "channel": f"stable-{version.rpartition('.')[0]}"},
        status={
            "desired": release,
            "history": [update],
            "observedGeneration": 1,
            "versionHash": "x",
            "availableUpdates": [],
            "conditions": _operator_conditions("Failing"),
        },
    )


def cluster_operator(name: str, version: str) -> Object:
    return made(
        "config.openshift.io/v1",
        "ClusterOperator",
        name,
        spec={},
        status={"conditions": _operator_conditions("Degraded"), "versions": [{"name": "operator", "version": version}]},
    )


def _operator_conditions(bad: str) -> list[Object]:
    return [
        condition("Available", True, "AsExpected"),
        condition("Progressing", False, "AsExpected"),
        condition(bad, False, "AsExpected"),
        condition("Upgradeable", True, "AsExpected"),
    ]


def _router(domain: str, on: str) -> list[Object]:
    name, where = "router-default", "openshift-ingress"
    labels = {"ingresscontroller.operator.openshift.io/deployment-ingresscontroller": "default"}
    spec = pod_spec(container("router", "quay.io/openshift-release-dev/ocp-v4.0-art-dev:router", memory="256Mi"))
    return [
        made(
            "operator.openshift.io/v1",
            "IngressController",
            "default",
            "openshift-ingress-operator",
            spec={"replicas": 2},
            status={
                "domain": domain,
                "availableReplicas": 2,
                "selector": "",
                "observedGeneration": 1,
                "endpointPublishingStrategy": {"type": "LoadBalancerService"},
                "conditions": [condition(type) for type in ("Available", "Admitted", "LoadBalancerReady")]
                + [condition("Degraded", False, "NotDegraded"), condition("Progressing", False, "NotProgressing")],
            },
        ),
        *deployment(name, where, spec, on, labels=labels),
        *service(name, where, {"http": (80, 80), "https": (443, 443)}, labels, load_balancer="a1.elb.amazonaws.com"),
    ]
