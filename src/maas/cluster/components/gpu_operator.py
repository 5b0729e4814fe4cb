"""NVIDIA's GPU Operator, and the Node Feature Discovery that tells it which nodes have GPUs."""

from maas.cluster.components import olm
from maas.cluster.components.charts import crd_served, fitting, its_namespace, runs
from maas.cluster.components.state import Installation, daemon_sets, deployments, installation
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import CLUSTER_POLICY, DAEMON_SET, NODE, NODE_FEATURE_DISCOVERY
from maas.cluster.objects import Object, condition, label, mapping, name, namespace, text
from maas.cluster.plan.model import Chart, Seen, Stage, Step, Wait
from maas.cluster.wanted import Site

OPERATOR = "gpu-operator"
NAMESPACES = ("nvidia-gpu-operator", "gpu-operator")  # OperatorHub's, and Helm's
RESOURCE = "nvidia.com/gpu"
DRIVER = "nvidia-driver-daemonset"
BLIND = ("NFDLabelsMissing", "NoGPUNodes")  # reasons with which a ClusterPolicy still calls itself ready
# Any of them is "true" where Node Feature Discovery has seen a card of NVIDIA's.
PCI_LABELS = tuple(f"feature.node.kubernetes.io/pci-{device}.present" for device in ("10de", "0302_10de", "0300_10de"))


def workloads(facts: Facts) -> list[Object]:
    """The operator's Deployments. Raises NotRead."""
    return deployments(facts, OPERATOR)


def operators(facts: Facts) -> list[olm.Operator]:
    """Raises NotRead."""
    return olm.operators(facts, olm.GPU)


def installations(facts: Facts) -> list[Installation]:
    """Raises NotRead."""
    by_olm = operators(facts)
    mine = {each.namespace for each in by_olm}
    return [each.installation for each in by_olm] + [
        installation(each) for each in workloads(facts) if namespace(each) not in mine
    ]


def namespaces(facts: Facts) -> set[str]:
    """Where its parts run. Raises NotRead."""
    return {each.namespace for each in installations(facts)}


def policies(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return list(facts.all(CLUSTER_POLICY))


def reason(policy: Object) -> tuple[str, str]:
    """Reason and message of the condition that matters: Error if it is True, else Ready."""
    error = condition(policy, "Error")
    chosen = error if text(error, "status") == "True" else condition(policy, "Ready")
    return text(chosen, "reason"), text(chosen, "message")


def operands(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return [each for where in sorted(namespaces(facts)) for each in daemon_sets(facts, where)]


def has_nfd(facts: Facts) -> bool:
    """Asked for from its operator, or running: by the GPU Operator's chart, or by itself. Raises NotRead."""
    if facts.all(NODE_FEATURE_DISCOVERY):
        return True
    return any("node-feature-discovery" in name(each) or "nfd-worker" in name(each) for each in facts.all(DAEMON_SET))


def has_card(node: Object) -> bool:
    """What the labels say, or the device plug-in."""
    labelled = any(label(node, key) == "true" for key in (*PCI_LABELS, "nvidia.com/gpu.present"))
    return labelled or RESOURCE in mapping(node, "status", "capacity")


def gpu_nodes(facts: Facts) -> list[Object]:
    """Raises NotRead."""
    return [each for each in facts.all(NODE) if has_card(each)]


def discovered(node: Object) -> bool:
    """Whether Node Feature Discovery has looked at the node."""
    return any(str(key).startswith("feature.node.kubernetes.io/") for key in mapping(node, "metadata", "labels"))


_NAMESPACE = "gpu-operator"


def steps(site: Site) -> list[Step]:
    """By Helm. Its parts need privileged pods, which the namespace has to allow."""
    number = fitting("gpu-operator", site)
    repository = "https://helm.ngc.nvidia.com/nvidia"
    chart = Chart("gpu-operator", _NAMESPACE, "gpu-operator", f"v{number}", repository, _values(site))
    what = "ClusterPolicy cluster-policy is ready"
    return [
        Step(
            "gpu-operator",
            f"NVIDIA GPU Operator {number}",
            "it brings the driver and the device plug-in to nodes with GPUs",
            actions=(its_namespace(_NAMESPACE, {"pod-security.kubernetes.io/enforce": "privileged"}), chart),
            waits=(
                crd_served(CLUSTER_POLICY.plural, CLUSTER_POLICY.group),
                runs(OPERATOR, _NAMESPACE),
                Wait(CLUSTER_POLICY, "cluster-policy", "", policy_is_ready, what, 1500.0),
            ),
            undo=f"helm uninstall gpu-operator -n {_NAMESPACE}",
            affects="pods with GPUs are evicted while a node's driver is replaced",
        )
    ]


def _values(site: Site) -> dict[str, object]:
    """Node Feature Discovery comes with it, unless somebody has it already."""
    return {
        "nfd": {"enabled": "nfd" not in site.theirs},
        "dcgmExporter": {"serviceMonitor": {"enabled": site.pod_monitors}},
    }


def policy_is_ready(policy: Object | None) -> Seen:
    """It calls itself ready also where it has found no GPU at all: then its reason tells.

    That is all there is to wait for where nodes with GPUs are yet to come.
    """
    if policy is None:
        return Seen(Stage.waiting, "it is not there yet")
    why, message = reason(policy)
    ready = text(policy, "status", "state") == "ready"
    if ready and why not in BLIND:
        return Seen(Stage.done)
    said = ": ".join(filter(None, (why, message))) or "it has no status yet"
    return Seen(Stage.waiting, said, enough=ready)
