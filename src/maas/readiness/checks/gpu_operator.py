"""NVIDIA's GPU Operator: driver, container toolkit and device plug-in, on every node with a GPU.

Judged where GPUs are asked for, or where there are any.
"""

from collections.abc import Iterator

from maas.cluster.components import gpu_operator, olm
from maas.cluster.components.pins import pins
from maas.cluster.components.versions import version
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import POD
from maas.cluster.objects import Object, every, items, name, namespace, number, place, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, Target, check
from maas.readiness.evidence import brief, names, some
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, warning
from maas.readiness.installing import OLM_CODES, absent, described, operator, softened, told, workload
from maas.readiness.wording import count

STEP = "gpu-operator"
_NO_GPU = "no GPUs are asked for, and no node has one"
_NOT_INSTALLED = "the GPU Operator is not installed"


def _matters(facts: Facts, asked: Asked) -> bool:
    return asked.gpu or bool(gpu_operator.installations(facts)) or bool(gpu_operator.gpu_nodes(facts))


def _has_devices(facts: Facts) -> bool:
    """Some clouds bring driver and device plug-in themselves."""
    nodes = gpu_operator.gpu_nodes(facts)
    return any(text(node, "status", "allocatable", gpu_operator.RESOURCE) not in ("", "0") for node in nodes)


@check(
    "MAAS-260",
    "the GPU Operator is installed",
    Category.gpu_operator,
    wanted="the operator by OperatorHub or Helm, if GPUs are asked for or there",
    looks="OLM's operator gpu-operator-certified, and Deployments called gpu-operator.",
    why="It brings the driver and the device plug-in, without which no pod gets a GPU.",
    mend="`maas install` brings it where GPUs are asked for.",
    covers=("4. NVIDIA GPU Operator (For GPU Workloads)", "GPU operator installed (if using GPUs)"),
    after=OLM_CODES,
)
def installed(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = gpu_operator.installations(facts)
    if not _matters(facts, asked):
        yield skipped(_NO_GPU)
    elif there:
        yield passed(f"the GPU Operator {described(there[0])} in {there[0].namespace}", told(there[0]))
    elif _has_devices(facts):
        yield passed("not there, and not needed: nodes offer nvidia.com/gpu without it, as on some managed clouds")
    elif asked.gpu:
        yield absent(asked, _NOT_INSTALLED, step=STEP)
    else:
        yield warning(
            "nodes have GPUs that nothing can use", remedy=Remedy("Ask for them: `maas preflight --gpu`.", step=STEP)
        )
    unready = (operator(each, asked) for each in gpu_operator.operators(facts) if not each.ready)
    yield from softened(unready, when=not asked.gpu)


@check(
    "MAAS-261",
    "the GPU Operator is new enough",
    Category.gpu_operator,
    wanted="23.9 or newer",
    looks="the version of the CSV, or of the operator's image.",
    why="23.9 was asked for; older versions do not know today's drivers and cards.",
    mend="Upgrade it, one major version after the other.",
    covers=("4. NVIDIA GPU Operator (For GPU Workloads)",),
)
def new_enough(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    pin, there = pins()["gpu-operator"], gpu_operator.installations(facts)
    if not there:
        yield skipped(_NOT_INSTALLED if _matters(facts, asked) else _NO_GPU)
    for each in there:
        found = version(each.version)
        remedy = Remedy(f"Upgrade it; the newest that MaaS was made for is {pin.version}.")
        if found is None:
            yield warning("nothing tells its version", told(each))
        elif pin.is_old(found) and not asked.gpu:
            yield warning(f"the GPU Operator {each.version} is older than {pin.floor}", told(each), remedy=remedy)
        elif pin.is_old(found):
            yield failed(f"the GPU Operator {each.version} is older than {pin.floor}", told(each), remedy=remedy)
        else:
            yield passed(f"the GPU Operator {described(each)}", told(each))


@check(
    "MAAS-262",
    "Node Feature Discovery is there",
    Category.gpu_operator,
    wanted="its operator, its daemon, or its labels on nodes",
    looks="OLM's operator nfd, NodeFeatureDiscovery objects, daemon sets, and feature.node.kubernetes.io/… labels.",
    why="The GPU Operator finds nodes with GPUs by the labels that it sets.",
    mend="`maas install` brings it where GPUs are asked for.",
    covers=("4. NVIDIA GPU Operator (For GPU Workloads)",),
    after=OLM_CODES,
)
def feature_discovery(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    nodes = gpu_operator.gpu_nodes(facts)
    if not _matters(facts, asked):
        yield skipped(_NO_GPU)
    elif gpu_operator.has_nfd(facts):
        labelled = sum(map(gpu_operator.discovered, nodes))
        yield passed(f"{labelled} of {count(len(nodes), 'GPU node')} with its labels")
    elif asked.gpu and olm.operators(facts, olm.NFD):
        yield absent(asked, "its operator is there, but no NodeFeatureDiscovery that asks for it", step="nfd")
    elif any(map(gpu_operator.discovered, nodes)) or _has_devices(facts):
        yield passed("not seen, but nodes are labelled or offer their GPUs already")
    elif asked.gpu:
        yield absent(
            asked, "Node Feature Discovery is not installed", step=STEP if asked.target is Target.kubernetes else "nfd"
        )
    else:
        yield skipped("no GPUs are asked for")
    unready = (operator(each, asked) for each in olm.operators(facts, olm.NFD) if not each.ready)
    yield from softened(unready, when=not asked.gpu)


@check(
    "MAAS-263",
    "the ClusterPolicy is ready, and has found GPUs",
    Category.gpu_operator,
    wanted="state ready, and a reason other than NFDLabelsMissing and NoGPUNodes",
    looks="state and conditions of ClusterPolicy objects.",
    why="With these two reasons a ClusterPolicy calls itself ready and has done nothing.",
    mend="Do what the message asks for; MAAS-401 and MAAS-410 know the usual causes.",
    covers=("4. NVIDIA GPU Operator (For GPU Workloads)", "GPU Not Detected"),
    after=("MAAS-204", "MAAS-262", "MAAS-265", "MAAS-401", "MAAS-410"),
)
def policy(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = gpu_operator.policies(facts)
    if there:
        yield from softened((_policy(each) for each in there), when=not asked.gpu)
    elif not gpu_operator.installations(facts):
        yield skipped(_NOT_INSTALLED if _matters(facts, asked) else _NO_GPU)
    else:
        yield absent(asked, "the operator is there, but no ClusterPolicy", step=STEP)


def _policy(policy: Object) -> Outcome:
    about, state = f"ClusterPolicy {name(policy)}", text(policy, "status", "state")
    reason, said = gpu_operator.reason(policy)
    seen = (Seen(about, "status.state", state or "absent"), Seen(about, "status.conditions[Ready].reason", reason))
    remedy = Remedy(_ADVICE.get(reason, "Look at its pods."), (f"kubectl describe clusterpolicy {word(name(policy))}",))
    if reason in gpu_operator.BLIND:
        message = f"it calls itself {state or 'nothing'}, but {_BLIND[reason]}"
        return failed(message, *seen, remedy=remedy, about=about)
    if state == "ignored":
        remedy = Remedy("Delete it, or the other one.")
        return warning("ignored: another ClusterPolicy is in force", *seen, remedy=remedy, about=about)
    if state == "ready":
        return passed(f"{name(policy)} is ready", *seen, about=about)
    why = ": ".join(part for part in (reason, brief(said)) if part) or "it gives no reason"
    return failed(f"{state or 'without a state'}: {why}", *seen, remedy=remedy, about=about)


_BLIND = {
    "NFDLabelsMissing": "no node carries labels of Node Feature Discovery",
    "NoGPUNodes": "it has found no node with a GPU",
}
_ADVICE = {
    "NFDLabelsMissing": "Install Node Feature Discovery, and create its NodeFeatureDiscovery object.",
    "NoGPUNodes": "Add nodes with GPUs; if there are some, look why Node Feature Discovery does not label them.",
    "ReconcileFailed": "Look at the operator's log.",
    "DriverNotReady": "Look at the driver's pods: they compile a module for the node's kernel, and need its packages.",
    "OperandNotReady": "Look at the pods that are not ready (MAAS-264).",
}


@check(
    "MAAS-264",
    "driver and device plug-in run on every GPU node",
    Category.gpu_operator,
    wanted="each daemon set of the operator: as many pods ready as desired",
    looks="daemon sets in the operator's namespace, and the driver's pods.",
    why="A node whose driver or device plug-in does not run offers no GPUs.",
    mend="Look at the log of the pod that does not become ready.",
    covers=("4. NVIDIA GPU Operator (For GPU Workloads)", "GPU Not Detected"),
    after=("MAAS-263", "MAAS-401"),
)
def daemons(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = gpu_operator.operands(facts)
    if not gpu_operator.installations(facts):
        yield skipped(_NOT_INSTALLED if _matters(facts, asked) else _NO_GPU)
    elif not there and gpu_operator.gpu_nodes(facts) and gpu_operator.policies(facts):
        where = names(sorted(gpu_operator.namespaces(facts)))
        remedy = Remedy("Look at the operator's log: it could not create them.", (_log(facts),))
        gone = failed(f"there are GPU nodes, but no daemon set in {where}", remedy=remedy)
        yield from softened([gone], when=not asked.gpu)
    elif not there:
        yield skipped("there are no daemon sets yet: they come with the ClusterPolicy and GPU nodes")
    else:
        yield from softened(_daemons(facts, there), when=not asked.gpu)


def _log(facts: Facts) -> str:
    where = next(iter(sorted(gpu_operator.namespaces(facts))), "gpu-operator")
    return f"kubectl logs -n {word(where)} deployment/gpu-operator"


def _daemons(facts: Facts, there: list[Object]) -> Iterator[Outcome]:
    bad = [each for each in there if _desired(each) > _ready(each)]
    if not bad:
        yield passed(f"{count(len(there), 'daemon set')}, ready on {count(max(map(_desired, there)), 'node')}")
    yield from (_daemon(facts, each) for each in bad[:8])


def _desired(daemon: Object) -> int:
    return number(daemon, "status", "desiredNumberScheduled") or 0


def _ready(daemon: Object) -> int:
    return number(daemon, "status", "numberReady") or 0


def _daemon(facts: Facts, daemon: Object) -> Outcome:
    about = f"DaemonSet {place(daemon)}"
    pods = [each for each in every(facts.known(POD), namespace(daemon)) if name(each).startswith(f"{name(daemon)}-")]
    waiting = {f"{name(each)}: {reason}" for each in pods if (reason := _waits(each))}
    seen = [Seen(about, "status.numberReady", f"{_ready(daemon)} of {_desired(daemon)}")]
    seen += some(Seen(f"Pod {namespace(daemon)}/{told}") for told in sorted(waiting))
    commands = (
        f"kubectl get pods -n {word(namespace(daemon))} -o wide | grep {word(name(daemon))}",
        f"kubectl logs -n {word(namespace(daemon))} daemonset/{word(name(daemon))} --all-containers --tail=50",
    )
    remedy = Remedy("Look at its pods, and at their logs.", commands)
    message = f"ready on {_ready(daemon)} of {_desired(daemon)} nodes"
    return failed(message, *seen, remedy=remedy, about=about)


def _waits(pod: Object) -> str:
    every_status = [*items(pod, "status", "initContainerStatuses"), *items(pod, "status", "containerStatuses")]
    reasons = (text(each, "state", "waiting", "reason") for each in every_status)
    return next((reason for reason in reasons if reason and reason != "PodInitializing"), "")


@check(
    "MAAS-265",
    "the GPU Operator itself is available",
    Category.gpu_operator,
    wanted="Deployment gpu-operator Available",
    looks="its status, in nvidia-gpu-operator (OperatorHub) or gpu-operator (Helm).",
    why="It creates and mends everything else that GPUs need.",
    mend="Look at its log; restarting it makes it look at everything again.",
    covers=("GPU Not Detected",),
    after=("MAAS-204",),
)
def available(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    there = gpu_operator.workloads(facts)
    if not there and not gpu_operator.operators(facts):
        yield skipped(_NOT_INSTALLED if _matters(facts, asked) else _NO_GPU)
    elif not there:
        remedy = Remedy("See what OLM says (MAAS-204).", ("oc get csv -n nvidia-gpu-operator",))
        gone = failed("OLM has its operator, but there is no Deployment gpu-operator", remedy=remedy)
        yield from softened([gone], when=not asked.gpu)
    parts = (workload(each, f"gpu-operator in {namespace(each)}") for each in there)
    yield from softened(parts, when=not asked.gpu)
