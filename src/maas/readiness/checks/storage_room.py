"""Is there room in storage: in pools, and on the nodes' own disks? (MAAS-144, 147)"""

from collections.abc import Iterator

from maas.cluster.demand import STORAGE, free
from maas.cluster.facts.model import Facts
from maas.cluster.gpus import with_gpus
from maas.cluster.kinds import CSI_CAPACITY, NODE
from maas.cluster.nodes import TOLERATES_GPU, is_usable
from maas.cluster.objects import Object, at, mapping, name, text
from maas.cluster.quantities import whole
from maas.cluster.shell import word
from maas.readiness.catalogue import Asked, check
from maas.readiness.checks.gpu import wanted
from maas.readiness.checks.storage import WANTED, defaults_of
from maas.readiness.evidence import names
from maas.readiness.findings import Category, Outcome, Remedy, Seen, Severity, failed, passed, skipped, unknown, warning
from maas.readiness.wording import count, gib

EPHEMERAL = 30 * 2**30  # vLLM's image is about 10 GB packed and twice that on disk; Qwen3 0.6B's weights are 1.5 GB


def _short(asked: Asked, message: str, *seen: Seen, remedy: Remedy, about: str = "") -> Outcome:
    """Too little room is in nobody's way while only the simulator is asked for: it keeps nothing."""
    if asked.models <= {"simulator"} and not asked.gpu:
        return warning(message, *seen, remedy=remedy, about=about)
    return failed(message, *seen, remedy=remedy, about=about)


@check(
    "MAAS-144",
    "100 GB can be had",
    Category.storage,
    wanted="100 GB in one place, as far as the driver tells what it has",
    looks="CSIStorageCapacity of the default StorageClass, where its driver publishes it.",
    why="Weights and images of models are large; a claim that no pool can hold stays Pending.",
    mend="Enlarge the pool, or make a StorageClass with more room the default.",
    covers=("Storage Requirements",),
    after=("MAAS-141", "MAAS-142"),
)
def capacity(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    defaults = {name(each) for each in defaults_of(facts)}
    if not defaults:
        yield skipped("there is no default StorageClass")
        return
    pools = [each for each in facts.all(CSI_CAPACITY) if text(each, "storageClassName") in defaults]
    if not pools:
        yield skipped(f"the driver of {names(sorted(defaults))} does not tell how much it has")
        return
    largest = max(pools, key=_pool)
    seen = Seen(f"CSIStorageCapacity {name(largest)}", "capacity", str(at(largest, "capacity")))
    if _pool(largest) >= WANTED:
        yield passed(f"{gib(_pool(largest))} in the largest of {count(len(pools), 'pool')}", seen)
    else:
        yield _short(
            asked,
            f"the largest of {count(len(pools), 'pool')} has {gib(_pool(largest))}",
            seen,
            remedy=Remedy("Enlarge it.", ("kubectl get csistoragecapacities -A",)),
        )


def _pool(capacity: Object) -> int:
    """What the largest volume can be; a driver may limit it below what is free."""
    free, largest = whole(at(capacity, "capacity")) or 0, whole(at(capacity, "maximumVolumeSize"))
    return free if largest is None else min(free, largest)


@check(
    "MAAS-147",
    "nodes have room for images and caches",
    Category.storage,
    wanted="30 GiB of ephemeral storage on a node that takes models",
    severity=Severity.warning,
    looks="allocatable minus requested ephemeral-storage of the nodes that models go to: those with GPUs, if any are "
    "wanted.",
    why="vLLM's image alone takes about 20 GB unpacked; emptyDir volumes for caches, shm and tmp are on the same disk. "
    "A node that runs out evicts its pods.",
    mend="Give the nodes larger disks.",
    covers=("Storage Requirements", "GPU Nodes (Optional but Recommended)"),
)
def ephemeral(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    usable = {name(node) for node in _for_models(facts, asked) if _tells_disk(node)}
    if not usable:
        yield unknown("no node that takes models tells the size of its disk")
        return
    left = {node: amounts.get(STORAGE, 0) for node, amounts in free(facts).items() if node in usable}
    best = max(left, key=lambda node: left[node])
    seen = Seen(f"Node {best}", "allocatable - requested", gib(left[best]))
    if left[best] >= EPHEMERAL:
        yield passed(f"{gib(left[best])} on node {best}", seen)
    else:
        yield failed(
            f"no node has more than {gib(left[best])}",
            seen,
            remedy=Remedy("Give the nodes larger disks.", (f"kubectl describe node {word(best)}",)),
        )


def _for_models(facts: Facts, asked: Asked) -> list[Object]:
    """GPU nodes if there are any and models are to run on them."""
    on_gpus = [each.node for each in with_gpus(facts) if is_usable(each.node, TOLERATES_GPU)] if wanted(asked) else []
    return on_gpus or [node for node in facts.all(NODE) if is_usable(node)]


def _tells_disk(node: Object) -> bool:
    return STORAGE in mapping(node, "status", "allocatable")
