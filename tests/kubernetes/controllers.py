"""What makes objects behave, started where a test asks for it: Kubernetes' own controllers, the scheduler, and KWOK.

    with controllers(cluster):
        …Deployments get pods, pods get nodes and run, namespaces go away when they are deleted…

KWOK plays the kubelet of nodes with the label type=kwok (simulated_node() makes one) and of no other, so that what a
test wrote into the statuses of its own nodes and pods stays as it is. Nothing runs in its pods.
"""

import contextlib
from collections.abc import Iterator

from tests.kubernetes.cluster import Cluster, Process, need

_CONTROLLERS = (
    *("deployment-controller", "replicaset-controller", "daemonset-controller", "namespace-controller"),
    *("garbage-collector-controller", "endpointslice-controller", "resourcequota-controller"),
    *("clusterrole-aggregation-controller", "node-lifecycle-controller", "taint-eviction-controller"),
)
MANAGED = {"type": "kwok"}
_KUBELET = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}


@contextlib.contextmanager
def controllers(cluster: Cluster) -> Iterator[None]:
    """Skips the test where the programs are missing."""
    need("kube-controller-manager", "kube-scheduler", "kwok")
    config = cluster.kubeconfig()
    common = [f"--kubeconfig={config}", "--leader-elect=false", "--secure-port=0", "--kube-api-qps=200"]
    chosen = f"--controllers={','.join(_CONTROLLERS)}"
    kwok = [
        f"--kubeconfig={config}",
        *(f"--manage-nodes-with-label-selector={key}={value}" for key, value in MANAGED.items()),
        "--manage-all-nodes=false",
        "--node-lease-duration-seconds=40",
    ]
    with (
        Process.start("kube-controller-manager", [*common, chosen, "--kube-api-burst=200"], cluster.folder),
        Process.start("kube-scheduler", [*common, "--kube-api-burst=200"], cluster.folder),
        Process.start("kwok", kwok, cluster.folder),
    ):
        yield


def simulated_node(name: str, *, cpu: str = "16", memory: str = "64Gi") -> dict[str, object]:
    """KWOK makes it ready, and keeps the capacity."""
    capacity = {"cpu": cpu, "memory": memory, "pods": "250"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**MANAGED, **_KUBELET, "kubernetes.io/hostname": name}},
        "spec": {},
        "status": {"capacity": capacity, "allocatable": capacity},
    }
