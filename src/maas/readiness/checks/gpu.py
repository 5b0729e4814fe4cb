"""Are there GPUs that can be had? (MAAS-131, 135-137). What they are good for is in gpu_support.py."""

from collections.abc import Iterator, Mapping, Sequence

from maas.cluster.components import gpu_operator
from maas.cluster.facts.model import Facts
from maas.cluster.gpus import GpuNode, held_by_models, only_hardware, unrequested, with_gpus
from maas.cluster.nodes import GPU, TOLERATES_GPU, described, foreign_taints, is_cordoned, is_ready, is_usable
from maas.cluster.objects import Object, at, label, name
from maas.cluster.shell import word
from maas.models.sizing import qwen3
from maas.readiness.catalogue import Asked, Target, check
from maas.readiness.evidence import names, some
from maas.readiness.findings import (
    Category,
    Outcome,
    Remedy,
    Seen,
    Severity,
    failed,
    passed,
    skipped,
    warning,
)
from maas.readiness.installing import absent
from maas.readiness.wording import count

NOT_ASKED = "no GPU was asked for: neither --gpu nor a model that needs one"
STEP = "gpu-operator"


def wanted(asked: Asked) -> bool:
    return asked.gpu or any(on_gpu(model) for model in asked.models)


def on_gpu(model: str) -> bool:
    return model == "qwen3" or qwen3.find(model) is not None


@check(
    "MAAS-131",
    "GPUs are free",
    Category.gpu,
    wanted="a GPU that no pod requests, on a node that is ready and takes pods",
    looks="allocatable nvidia.com/gpu (or MIG slices) minus what pods request, on nodes that are ready, not cordoned "
    "and tainted with nothing but nvidia.com/gpu.",
    why="Labels tell of GPUs, but only what is allocatable and not requested yet can be had.",
    mend="Add a GPU node, or stop what holds the GPUs.",
    covers=(
        "GPU Nodes (Optional but Recommended)",
        "GPU nodes available (optional)",
        "Quick Validation Commands",
        "GPU Not Detected",
    ),
    after=("MAAS-135", "MAAS-260", "MAAS-263", "MAAS-401", "MAAS-410"),
)
def free_gpus(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if not wanted(asked):
        yield skipped(NOT_ASKED)
        return
    nodes = with_gpus(facts)
    usable = [each for each in nodes if is_usable(each.node, TOLERATES_GPU)]
    if not nodes:
        yield _no_gpus(facts, asked)
    elif not usable:
        yield _out_of_reach(nodes)
    else:
        left = unrequested(facts)
        yield _free(usable, {each.name: left.get(each.name, 0) for each in usable}, _held(facts, asked, usable))


def _held(facts: Facts, asked: Asked, usable: Sequence[GpuNode]) -> int:
    held = held_by_models(facts, asked.namespace)
    return sum(held.get(each.name, 0) for each in usable)


def _free(usable: Sequence[GpuNode], left: Mapping[str, int], held: int) -> Outcome:
    seen = some(Seen(f"Node {each.name}", f"status.allocatable.{GPU}", _amounts(each, left)) for each in usable)
    if total := sum(left.values()):
        return passed(f"{count(total, 'GPU')} free: {_products(usable, left)}", *seen)
    if held:
        return passed(f"{count(held, 'GPU')} of {sum(map(_all, usable))} run models already, none is free", *seen)
    command = (
        "kubectl get pods -A -o custom-columns=NS:.metadata.namespace,POD:.metadata.name,"
        r"'GPU:.spec.containers[*].resources.requests.nvidia\.com/gpu' | grep -v '<none>'"
    )
    return failed(
        f"all {count(sum(map(_all, usable)), 'GPU')} on {count(len(usable), 'node')} are requested already",
        *seen,
        remedy=Remedy("Add a GPU node, or stop what holds them.", (command,)),
    )


def _products(nodes: Sequence[GpuNode], left: Mapping[str, int]) -> str:
    """ "3 Tesla-T4, 1 NVIDIA-A10G"."""
    by_product: dict[str, int] = {}
    for each in nodes:
        product = each.product or "of unknown name"
        by_product[product] = by_product.get(product, 0) + left[each.name]
    return names(f"{amount} {product}" for product, amount in by_product.items() if amount)


def _all(each: GpuNode) -> int:
    return each.allocatable + sum(each.slices.values())


def _amounts(each: GpuNode, left: Mapping[str, int]) -> str:
    return f"{_all(each)}, {left[each.name]} free"


def _no_gpus(facts: Facts, asked: Asked) -> Outcome:
    hidden = [node for node, _ in only_hardware(facts)]
    if hidden and not gpu_operator.installations(facts):
        return absent(asked, f"{count(len(hidden), 'node')} with GPUs that nothing makes usable yet", step=STEP)
    if hidden:
        remedy = Remedy("Make them usable: MAAS-135 says which, and how.", ("maas explain MAAS-135",))
        return failed(f"{count(len(hidden), 'node')} with GPUs, but none is allocatable", remedy=remedy)
    openshift = asked.target is Target.openshift
    commands = _ADD_OPENSHIFT if openshift else ("eksctl create nodegroup --cluster CLUSTER --node-type g4dn.xlarge",)
    return failed(
        "no node has an NVIDIA GPU",
        Seen("Nodes", f"status.allocatable.{GPU}", "on none"),
        remedy=Remedy("Add a GPU node: for example g4dn.xlarge (T4) or g5.xlarge (A10G) on AWS.", commands),
    )


_ADD_OPENSHIFT = (
    "rosa create machinepool --cluster CLUSTER --name gpu --replicas 1 --instance-type g4dn.xlarge",
    "oc get machinesets -n openshift-machine-api    # elsewhere: copy one, change its instance type",
)


def _out_of_reach(nodes: Sequence[GpuNode]) -> Outcome:
    return failed(
        f"{count(len(nodes), 'GPU node')}, none of which takes pods: {names(_obstacle(each.node) for each in nodes)}",
        *some(Seen(f"Node {each.name}", f"status.allocatable.{GPU}", str(_all(each))) for each in nodes),
        remedy=Remedy(
            "Bring one up, uncordon it, or tolerate its taint.", tuple(_way(each.node) for each in nodes[:3])
        ),
    )


def _obstacle(node: Object) -> str:
    if not is_ready(node):
        return f"{name(node)} not ready"
    if is_cordoned(node):
        return f"{name(node)} cordoned"
    return f"{name(node)} tainted {names(map(described, foreign_taints(node, TOLERATES_GPU)))}"


def _way(node: Object) -> str:
    if is_ready(node) and is_cordoned(node):
        return f"kubectl uncordon {word(name(node))}"
    if is_ready(node):
        return f"kubectl taint nodes {word(name(node))} {word(described(foreign_taints(node, TOLERATES_GPU)[0]))}-"
    return f"kubectl describe node {word(name(node))}"


@check(
    "MAAS-135",
    "GPUs that are there can be used",
    Category.gpu,
    wanted="nvidia.com/gpu allocatable on every node with an NVIDIA card",
    looks="Nodes that NFD (pci-10de), the GPU Operator (gpu.present) or the instance type of a cloud tell to have a "
    "card of NVIDIA's, and whose allocatable holds no nvidia.com/gpu.",
    why="Driver, container toolkit and device plug-in have to work on the node, in this order, before pods get GPUs.",
    mend="Look at the GPU Operator's pods on that node; the first one that is not Running names the cause.",
    covers=("GPU Not Detected", "4. NVIDIA GPU Operator (For GPU Workloads)"),
    after=("MAAS-260", "MAAS-263", "MAAS-264", "MAAS-401", "MAAS-410"),
)
def hardware_usable(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    if not wanted(asked):
        yield skipped(NOT_ASKED)
        return
    hidden = list(only_hardware(facts))
    if not hidden:
        yield passed("no card lies idle" if with_gpus(facts) else "no node is known to have a card")
    elif not gpu_operator.installations(facts):
        nodes = names(name(node) for node, _ in hidden)
        yield absent(
            asked, f"{count(len(hidden), 'node')} with cards that nothing makes usable yet: {nodes}", step=STEP
        )
    else:
        yield _unusable(hidden, sorted(gpu_operator.namespaces(facts)))


def _unusable(hidden: Sequence[tuple[Object, str]], namespaces: Sequence[str]) -> Outcome:
    first, where = name(hidden[0][0]), namespaces[0]
    return failed(
        f"{count(len(hidden), 'node')} with cards, but without {GPU}: "
        + names(f"{name(node)}: {_missing(node)}" for node, _ in hidden),
        *some(Seen(f"Node {name(node)}", f"metadata.labels[{sign}]", label(node, sign)) for node, sign in hidden),
        remedy=Remedy(
            "Look at the operator's pods on that node; the first that is not Running names the cause.",
            (
                f"kubectl get pods -n {word(where)} -o wide --field-selector=spec.nodeName={word(first)}",
                f"kubectl logs -n {word(where)} -l app=nvidia-driver-daemonset --tail=50",
                f"kubectl logs -n {word(where)} -l app=nvidia-device-plugin-daemonset --tail=50",
            ),
        ),
    )


def _missing(node: Object) -> str:
    """How far the operator came on this node."""
    if at(node, "status", "capacity", GPU) not in (None, "0", 0):
        return "the device plug-in reports its GPUs as unhealthy"
    if label(node, "nvidia.com/gpu.present") != "true":
        return "the GPU Operator has not labelled it"
    if not label(node, "nvidia.com/gpu.product"):
        return "the driver is not up"
    return "the device plug-in is not up"


@check(
    "MAAS-136",
    "models may run on the GPU nodes",
    Category.gpu,
    wanted="no taint but nvidia.com/gpu on GPU nodes",
    severity=Severity.warning,
    looks="The NoSchedule and NoExecute taints of GPU nodes, other than nvidia.com/gpu, which models tolerate.",
    why="A pod without the matching toleration stays Pending, although a GPU is free.",
    mend="Remove the taint, or add the toleration to the models' manifests.",
    covers=("GPU Nodes (Optional but Recommended)",),
)
def taints_tolerated(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    nodes = with_gpus(facts) if wanted(asked) else []
    tainted = [(each, taint) for each in nodes for taint in foreign_taints(each.node, TOLERATES_GPU)]
    if not nodes:
        yield skipped("there is no GPU node" if wanted(asked) else NOT_ASKED)
    elif tainted:
        yield failed(
            "taints that models do not tolerate: "
            + names(f"{each.name} {described(taint)}" for each, taint in tainted),
            *some(Seen(f"Node {each.name}", "spec.taints", described(taint)) for each, taint in tainted),
            remedy=Remedy(
                "Remove it, or add the toleration to the models.",
                tuple(
                    f"kubectl taint nodes {word(each.name)} {word(described(taint))}-" for each, taint in tainted[:3]
                ),
            ),
        )
    else:
        yield passed(f"none on {count(len(nodes), 'GPU node')}")


@check(
    "MAAS-137",
    "GPUs are whole",
    Category.gpu,
    wanted="GPUs that are neither sliced by MIG nor shared by time",
    severity=Severity.warning,
    looks="MIG resources and strategy, and the labels gpu.sharing-strategy and gpu.replicas of GPU nodes.",
    why="vLLM takes a share of the GPU's whole memory: two models on one shared GPU run out of it. MIG slices of the "
    "strategy mixed have resources of their own name, which a model must ask for.",
    mend="Give models whole GPUs, or lower --gpu-memory-utilization and ask for the slice by its name.",
    covers=("GPU Nodes (Optional but Recommended)", "GPU Models"),
)
def whole_gpus(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    nodes = with_gpus(facts) if wanted(asked) else []
    parted = [each for each in nodes if each.slices or each.is_shared or "-MIG-" in each.product]
    for each in parted:
        yield _parted(each)
    if not nodes:
        yield skipped("there is no GPU node" if wanted(asked) else NOT_ASKED)
    elif not parted:
        yield passed(f"all of {count(len(nodes), 'GPU node')}")


def _parted(each: GpuNode) -> Outcome:
    about = f"Node {each.name}"
    if each.slices:
        slices = ", ".join(f"{amount} {resource}" for resource, amount in sorted(each.slices.items()))
        remedy = Remedy("Ask for the slice by its name, in the model's resources; nvidia.com/gpu gets none.")
        return warning(f"{each.name} gives out MIG slices: {slices}", remedy=remedy, about=about)
    if "-MIG-" in each.product:
        return warning(f"{each.name} gives out MIG slices as {GPU}: {each.product}", about=about)
    replicas = label(each.node, "nvidia.com/gpu.replicas") or "several"
    return warning(
        f"{each.name} shares each GPU among {replicas} pods",
        Seen(
            about,
            "metadata.labels[nvidia.com/gpu.sharing-strategy]",
            label(each.node, "nvidia.com/gpu.sharing-strategy"),
        ),
        remedy=Remedy("Give each model on it a lower --gpu-memory-utilization: together they must stay below 1."),
        about=about,
    )
