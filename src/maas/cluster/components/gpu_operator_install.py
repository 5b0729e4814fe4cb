"""NVIDIA's GPU Operator from OperatorHub, and its ClusterPolicy.

The operator labels its namespace for monitoring where nobody has, and on managed OpenShift a webhook denies that: then
it does nothing at all. Any value of the label makes it leave the namespace alone, so the namespace is made with it.
"""

from collections.abc import Mapping
from typing import Any

from maas.cluster.components import olm, olm_install
from maas.cluster.components.gpu_operator import OPERATOR, policy_is_ready
from maas.cluster.kinds import CLUSTER_POLICY
from maas.cluster.objects import mapping
from maas.cluster.plan.model import Step, Wait
from maas.cluster.wanted import Site

_NAME = "gpu-cluster-policy"
_READY = 1500.0  # seconds: drivers are built on each node
_PARTS = ("driver", "toolkit", "devicePlugin", "dcgm", "dcgmExporter", "gfd", "nodeStatusExporter")
_LEAST: Mapping[str, Any] = {  # without any of these, the API server refuses it
    "operator": {"defaultRuntime": "crio"},
    "daemonsets": {},
    **{part: {"enabled": True} for part in _PARTS},
}


def steps(site: Site) -> list[Step]:
    operator = olm_install.Operator(
        olm.GPU,
        "gpu-operator",
        "it brings the driver and the device plug-in to nodes with GPUs",
        needs=("nfd",),
        labels={"openshift.io/cluster-monitoring": "false" if _is_guarded(site) else "true"},
        owns=(CLUSTER_POLICY,),
        deployments=(OPERATOR,),
        affects="pods with GPUs are evicted while a node's driver is replaced",
    )
    return [olm_install.step(site, operator), _policy(site)]


def _is_guarded(site: Site) -> bool:
    """Whether Red Hat's webhook keeps customers from having their namespaces monitored."""
    return site.managed in ("rosa", "osd")


def _policy(site: Site) -> Step:
    """As the operator's own example has it."""
    spec = {**_LEAST, **site.operators[olm.GPU.name].example}
    exporter = {**mapping(spec, "dcgmExporter"), "serviceMonitor": {"enabled": not _is_guarded(site)}}
    return Step(
        "cluster-policy",
        "driver and device plug-in on nodes with GPUs",
        "without them, Kubernetes does not know that a node has GPUs",
        actions=(olm_install.operand("nvidia.com/v1", CLUSTER_POLICY.name, _NAME, {**spec, "dcgmExporter": exporter}),),
        waits=(Wait(CLUSTER_POLICY, _NAME, "", policy_is_ready, f"ClusterPolicy {_NAME} is ready", _READY),),
        needs=("gpu-operator", "nfd"),
        undo=f"oc delete clusterpolicy {_NAME}",
        affects="pods with GPUs are evicted while a node's driver is replaced",
    )
