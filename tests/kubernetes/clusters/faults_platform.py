"""Faults of nodes, storage, GPUs, the network, and of operators as OLM sees them."""

from typing import Any

from tests.kubernetes.clusters import operators
from tests.kubernetes.clusters.faults import (
    K8S,
    OPENSHIFT,
    Fault,
    both,
    condition_is,
    edited,
    fault,
    having,
    put,
)
from tests.kubernetes.clusters.making import made
from tests.kubernetes.clusters.platforms import storage_class


def _small(node: Any) -> None:
    node["status"]["allocatable"] |= {"cpu": "1500m", "memory": "7Gi"}
    node["status"]["capacity"] |= {"cpu": "2", "memory": "8Gi"}


def _no_gpu(node: Any) -> None:
    for resources in ("capacity", "allocatable"):
        node["status"][resources].pop("nvidia.com/gpu", None)


def _old_driver(node: Any) -> None:
    version = {"full": "470.82.01", "major": "470", "minor": "82", "revision": "01"}
    runtime = {"full": "11.4", "major": "11", "minor": "4"}
    for prefix, values in (("cuda.driver-version", version), ("cuda.runtime-version", runtime)):
        for key, value in values.items():
            node["metadata"]["labels"][f"nvidia.com/{prefix}.{key}"] = value


_ISOLATED = made(
    "networking.k8s.io/v1",
    "NetworkPolicy",
    "deny-all",
    "kuadrant-system",
    spec={"podSelector": {}, "policyTypes": ["Ingress"]},
)

PLATFORM: list[Fault] = [
    fault(
        "a node is gone",
        K8S,
        edited("Node", "node-1", condition_is("Ready", "Unknown", "NodeStatusUnknown")),
        finds="MAAS-121",
    ),
    fault("all nodes are small", K8S, edited("Node", "node-", _small), finds="MAAS-122", also="MAAS-123"),
    fault("disk pressure", K8S, edited("Node", "node-1", condition_is("DiskPressure", "True", "x")), finds="MAAS-124"),
    fault(
        "nodes of ARM",
        K8S,
        edited("Node", "", put("status", "nodeInfo", "architecture", to="arm64")),
        finds="MAAS-125",
    ),
    fault(
        "no default class",
        K8S,
        edited("StorageClass", "gp3", put("metadata", "annotations", to={})),
        finds="MAAS-141",
        also="MAAS-142 MAAS-144",
    ),
    fault(
        "two default classes",
        K8S,
        having(storage_class("gp2", "other.csi.example.com")[0]),
        finds="MAAS-141",
        also="MAAS-142",
    ),
    fault(
        "an operator of the platform is degraded",
        OPENSHIFT,
        edited("ClusterOperator", "dns", condition_is("Degraded", "True", "x")),
        finds="MAAS-106",
    ),
    fault(
        "the ingress operator is degraded",
        OPENSHIFT,
        edited("ClusterOperator", "ingress", condition_is("Degraded", "True", "GatewayAPICRDsDegraded")),
        finds="MAAS-213",
    ),
    fault(
        "an update is under way",
        OPENSHIFT,
        edited("ClusterVersion", "", condition_is("Progressing", "True", "x")),
        finds="MAAS-105",
    ),
    fault("no GPU is offered", OPENSHIFT, edited("Node", "gpu-0", _no_gpu), finds="MAAS-135", also="MAAS-131"),
    fault("the driver is old", OPENSHIFT, edited("Node", "gpu-0", _old_driver), finds="MAAS-133 MAAS-134"),
    fault("Kuadrant is walled off", K8S, having(_ISOLATED), finds="MAAS-156"),
    fault(
        "a catalog is out of reach",
        OPENSHIFT,
        edited(
            "CatalogSource",
            "redhat-operators",
            put("status", "connectionState", "lastObservedState", to="TRANSIENT_FAILURE"),
        ),
        finds="MAAS-201",
    ),
    fault(
        "an InstallPlan waits for approval",
        OPENSHIFT,
        edited(
            "InstallPlan",
            "install-rhcl",
            both(
                put("status", "phase", to="RequiresApproval"),
                put("spec", "approved", to=False),
                put("spec", "clusterServiceVersionNames", to=["rhcl-operator.v1.4.3"]),
            ),
        ),
        finds="MAAS-203",
    ),
    fault(
        "a CSV failed",
        OPENSHIFT,
        edited("ClusterServiceVersion", "rhods-operator", put("status", "phase", to="Failed")),
        finds="MAAS-204",
    ),
    fault("two OperatorGroups", OPENSHIFT, having(operators.group("second", "kuadrant-system")), finds="MAAS-205"),
]
