"""Are there nodes, are they well, and do they carry the stack? (MAAS-12x)"""

from collections.abc import Iterator, Mapping, Sequence

from maas.cluster.demand import CPU, MEMORY, PODS, free, resources, waiting
from maas.cluster.facts.model import Facts
from maas.cluster.footprint import Part, missing
from maas.cluster.kinds import NODE
from maas.cluster.nodes import PRESSURES, described, is_cordoned, is_ready, is_usable, taints
from maas.cluster.objects import Object, condition, mapping, name, text
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, Phase, check
from maas.readiness.evidence import names, some
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, unknown, warning
from maas.readiness.wording import cores, count, gib

_GB = 10**9
MINIMUM = (4_000, 16 * _GB)  # thousandths of a CPU, bytes
RECOMMENDED = (8_000, 32 * _GB)
# A machine sold with 16 GB shows less: firmware and kernel keep some of it.
TOLERANCE = 0.05


@check(
    "MAAS-121",
    "nodes are ready and take pods",
    Category.nodes,
    wanted="every node Ready, and at least one that takes ordinary pods",
    looks="The condition Ready, spec.unschedulable and the taints of every node.",
    why="Operators, gateway and models are ordinary pods: they go to nodes that are ready, not cordoned and not "
    "tainted for something else.",
    mend="`kubectl describe node NAME` says why a node is not ready; `kubectl uncordon NAME` lets it take pods again.",
    covers=("Node Requirements", "Sufficient node resources (CPU/Memory)"),
)
def nodes_ready(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    nodes = facts.all(NODE)
    if not nodes:
        yield failed("the cluster has no nodes", remedy=Remedy("Add a node.", ("kubectl get nodes",)))
        return
    usable = [node for node in nodes if is_usable(node)]
    if not usable:
        yield _none_usable(nodes)
        return
    down = [node for node in nodes if not is_ready(node)]
    said = f"{len(usable)} of {count(len(nodes), 'node')} take ordinary pods"
    if down:
        yield warning(
            f"{said}; not ready: {names(map(name, down))}",
            *some(_ready_seen(node) for node in down),
            remedy=Remedy("See why.", tuple(f"kubectl describe node {word(name(node))}" for node in down[:3])),
        )
    else:
        yield passed(said)


def _none_usable(nodes: Sequence[Object]) -> Outcome:
    ready = [node for node in nodes if is_ready(node)]
    cordoned = [node for node in ready if is_cordoned(node)]
    tainted = [node for node in ready if not is_cordoned(node)]
    if not ready:
        commands = tuple(f"kubectl describe node {word(name(node))}" for node in nodes[:3])
    else:
        commands = (
            *(f"kubectl uncordon {word(name(node))}" for node in cordoned[:3]),
            *(
                f"kubectl taint nodes {word(name(node))} {word(described(taint))}-"
                for node in tainted[:3]
                for taint in taints(node)
            ),
        )
    return failed(
        f"none of {count(len(nodes), 'node')} takes ordinary pods: {len(nodes) - len(ready)} not ready, "
        f"{len(cordoned)} cordoned, {len(tainted)} tainted",
        *(_ready_seen(node) for node in nodes[:3]),
        remedy=Remedy("Bring a node up, uncordon it or take its taint away.", commands),
    )


def _ready_seen(node: Object) -> Seen:
    ready = condition(node, "Ready")
    said = text(ready, "reason") or "no reason given"
    return Seen(f"Node {name(node)}", "status.conditions[Ready]", f"{text(ready, 'status') or 'absent'} ({said})")


@check(
    "MAAS-122",
    "a node is large enough",
    Category.nodes,
    wanted="one worker with 4 CPUs and 16 GB; 8 CPUs and 32 GB are recommended",
    looks="status.capacity of the nodes that take ordinary pods. Memory may be 5 % less than said: firmware and "
    "kernel keep some of it.",
    why="Control plane, operators and CPU models run beside each other; on smaller nodes some stay Pending.",
    mend="Add a worker of that size: for example an AWS m5.xlarge (4 CPUs, 16 GB) or m5.2xlarge (8 CPUs, 32 GB).",
    covers=("Node Requirements", "CPU Nodes", "Sufficient node resources (CPU/Memory)"),
    after=("MAAS-121",),
)
def large_enough(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    sizes = [(_size(node), node) for node in facts.all(NODE) if is_usable(node)]
    if not sizes:
        yield unknown("no node takes ordinary pods, so there is no worker to measure")
        return
    (cpu, memory), largest = max(sizes, key=lambda each: _order(each[0]))
    if not cpu or not memory:
        yield unknown(f"node {name(largest)} does not tell its size")
        return
    seen = Seen(f"Node {name(largest)}", "status.capacity", f"cpu {cores(cpu)}, memory {gib(memory)}")
    said = f"the largest worker has {cores(cpu)} CPUs and {gib(memory)}"
    if _holds((cpu, memory), RECOMMENDED):
        yield passed(said, seen)
    elif _holds((cpu, memory), MINIMUM):
        yield warning(f"{said}: enough to begin with, 8 and 32 GB are recommended", seen, remedy=_LARGER)
    else:
        yield failed(f"{said}: 4 and 16 GB are the least", seen, remedy=_LARGER)


_LARGER = Remedy(
    "Add a larger worker.",
    (
        "kubectl get nodes -o custom-columns=NAME:.metadata.name,CPU:.status.capacity.cpu,"
        "MEMORY:.status.capacity.memory",
    ),
)


def _size(node: Object) -> tuple[int, int]:
    capacity = resources(mapping(node, "status", "capacity"))
    return capacity.get(CPU, 0), capacity.get(MEMORY, 0)


def _order(size: tuple[int, int]) -> tuple[bool, bool, int, int]:
    return _holds(size, RECOMMENDED), _holds(size, MINIMUM), *size


def _holds(size: tuple[int, int], wanted: tuple[int, int]) -> bool:
    return size[0] >= wanted[0] and size[1] >= wanted[1] * (1 - TOLERANCE)


@check(
    "MAAS-123",
    "there is room for the stack",
    Category.nodes,
    wanted="what the missing components request, free on nodes that take them",
    looks="allocatable minus what running pods request, on every node that takes ordinary pods; each pod that is still "
    "to come is placed on one, the largest first. Pods that wait for a node already are counted as well.",
    why="Large nodes that are full carry nothing. What counts is what is not requested yet, not what is unused.",
    mend="Add a node, or remove or shrink what requests more than it uses.",
    covers=("Node Requirements", "Sufficient node resources (CPU/Memory)"),
    after=("MAAS-121",),
)
def room(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    usable = {name(node) for node in facts.all(NODE) if is_usable(node)}
    if not usable:
        yield unknown("no node takes ordinary pods, so there is no room to measure")
        return
    left = [dict(amounts) for node, amounts in free(facts).items() if node in usable]
    parts = list(missing(facts, asked.target, asked.models)) if asked.phase is Phase.before else []
    yield _room(parts, left)
    stuck = waiting(facts)
    if stuck.get(PODS):
        yield warning(
            f"{count(stuck[PODS], 'pod')} waiting for a node already, with {_amount(stuck)}",
            remedy=Remedy("See why they wait.", ("kubectl get pods -A --field-selector=status.phase=Pending",)),
            about="waiting pods",
        )


def _room(parts: Sequence[Part], left: list[dict[str, int]]) -> Outcome:
    has = _amount({key: sum(node.get(key, 0) for node in left) for key in (CPU, MEMORY)})
    needs = _amount({CPU: sum(part.cpu for part in parts), MEMORY: sum(part.memory for part in parts)})
    seen = Seen(count(len(left), "usable node"), "allocatable - requested", has)
    if homeless := _unplaced(parts, left):
        return failed(
            f"there is no room for {names(part.name for part in homeless)}: what is to come requests {needs}; "
            f"{has} are free",
            seen,
            remedy=Remedy("Add a node, or make room.", ("kubectl describe nodes | grep -A 8 'Allocated resources'",)),
        )
    return passed(f"what is to come requests {needs}; {has} are free" if parts else f"{has} are free", seen)


def _amount(amounts: Mapping[str, int]) -> str:
    return f"{cores(amounts.get(CPU, 0))} CPUs and {gib(amounts.get(MEMORY, 0))}"


def _unplaced(parts: Sequence[Part], nodes: list[dict[str, int]]) -> list[Part]:
    """Those that find no node, the largest placed first. Takes from the nodes what it places."""
    homeless = []
    for part in sorted(parts, key=lambda each: (each.memory, each.cpu), reverse=True):
        home = next((node for node in nodes if _fits(part, node)), None)
        if home is None:
            homeless.append(part)
        else:
            home[CPU] -= part.cpu
            home[MEMORY] -= part.memory
            home[PODS] = home.get(PODS, 1) - 1
    return homeless


def _fits(part: Part, node: dict[str, int]) -> bool:
    return node.get(CPU, 0) >= part.cpu and node.get(MEMORY, 0) >= part.memory and node.get(PODS, 1) > 0


@check(
    "MAAS-124",
    "no node is under pressure",
    Category.nodes,
    wanted="no MemoryPressure, DiskPressure, PIDPressure or NetworkUnavailable",
    severity=Severity.warning,
    looks="Those conditions of every node.",
    why="A node under pressure evicts pods and takes no new ones; large images and weights fill disks quickly.",
    mend="`kubectl describe node NAME`; then free or enlarge what runs out.",
    covers=("Node Requirements",),
)
def no_pressure(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    nodes = facts.all(NODE)
    pressed = [(node, type) for node in nodes for type in PRESSURES if text(condition(node, type), "status") == "True"]
    if pressed:
        yield failed(
            "under pressure: " + names([f"{name(node)} ({type})" for node, type in pressed]),
            *(Seen(f"Node {name(node)}", f"status.conditions[{type}]", "True") for node, type in pressed[:3]),
            remedy=Remedy(
                "Free what runs out.", tuple(f"kubectl describe node {word(name(node))}" for node, _ in pressed[:3])
            ),
        )
    elif nodes:
        yield passed(f"none of {count(len(nodes), 'node')} is")
    else:
        yield unknown("the cluster has no nodes")


@check(
    "MAAS-125",
    "nodes are of an architecture that the images have",
    Category.nodes,
    wanted="linux/amd64 on the nodes that take ordinary pods",
    looks="status.nodeInfo.architecture and operatingSystem of the nodes that take ordinary pods.",
    why="All images of the stack exist for linux/amd64. For arm64 some do, and vLLM's only for newer GPUs.",
    mend="Add amd64 nodes, or make sure that every image exists for yours.",
    covers=("Node Requirements",),
)
def architecture(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    usable = [node for node in facts.all(NODE) if is_usable(node)]
    odd = [node for node in usable if _platform(node) != "linux/amd64"]
    if not usable:
        yield unknown("no node takes ordinary pods")
    elif not odd:
        yield passed("linux/amd64")
    elif any(not text(node, "status", "nodeInfo", "architecture") for node in odd):
        yield unknown("nodes do not tell their architecture: " + names([name(node) for node in odd]))
    else:
        yield _odd(odd, usable)


def _odd(odd: Sequence[Object], usable: Sequence[Object]) -> Outcome:
    said = names([f"{name(node)} ({_platform(node)})" for node in odd])
    seen = [Seen(f"Node {name(node)}", "status.nodeInfo.architecture", _platform(node)) for node in odd[:3]]
    remedy = Remedy("Add linux/amd64 nodes, or check every image.", ("kubectl get nodes -L kubernetes.io/arch",))
    known = all(_platform(node) == "linux/arm64" for node in odd)
    if known or len(odd) < len(usable):
        return warning(f"not linux/amd64: {len(odd)} of {count(len(usable), 'node')}: {said}", *seen, remedy=remedy)
    return failed(f"no node is linux/amd64 or linux/arm64: {said}", *seen, remedy=remedy)


def _platform(node: Object) -> str:
    info = mapping(node, "status", "nodeInfo")
    return f"{text(info, 'operatingSystem') or 'linux'}/{text(info, 'architecture')}"
