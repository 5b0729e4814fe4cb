"""Do the quotas of the models' namespace leave room? (MAAS-126, 143)"""

from collections.abc import Iterator

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import QUOTA, STORAGE_CLASS
from maas.cluster.nodes import GPU
from maas.cluster.objects import every, name
from maas.cluster.quotas import Tight, tight
from maas.cluster.shell import word
from maas.readiness.catalogue import BEFORE, Asked, check
from maas.readiness.checks.gpu import wanted
from maas.readiness.checks.storage import WANTED, is_default
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, warning
from maas.readiness.wording import cores, count, gib

_MIB = 2**20
# What models request by default: the simulator, and one on a GPU.
SIMULATOR = {"requests.cpu": 100, "cpu": 100, "requests.memory": 256 * _MIB, "memory": 256 * _MIB, "pods": 1}
ON_GPU = {
    "requests.cpu": 2000,
    "cpu": 2000,
    "requests.memory": 8192 * _MIB,
    "memory": 8192 * _MIB,
    f"requests.{GPU}": 1,
    "pods": 1,
}


@check(
    "MAAS-126",
    "quotas leave room for models",
    Category.nodes,
    wanted="0.1 CPUs and 256 MiB for the simulator; 2 CPUs, 8 GiB and a GPU for a model on a GPU",
    phases=BEFORE,
    looks="status.hard minus status.used of every ResourceQuota in the models' namespace, for requests of CPU, memory "
    "and nvidia.com/gpu, and for pods.",
    why="Pods beyond a quota are never made; only an event of their ReplicaSet tells of it.",
    mend="Raise the quota, or choose another namespace.",
    covers=("Node Requirements", "Sufficient node resources (CPU/Memory)"),
)
def for_models(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    quotas = every(facts.whole(QUOTA), asked.namespace)
    found = list(tight(quotas, ON_GPU if wanted(asked) else SIMULATOR))
    for each in found:
        yield failed(_told(each, asked), *_seen(each, asked), remedy=_raise(each, asked), about=_about(each, asked))
    if not quotas:
        yield skipped(f"there is no quota in namespace {asked.namespace}")
    elif not found:
        yield passed(f"{count(len(quotas), 'quota')} in namespace {asked.namespace} with room for a model")


@check(
    "MAAS-143",
    "quotas leave 100 GB",
    Category.storage,
    wanted="100 GB of requests.storage and one more claim, where the models' namespace has a quota",
    looks="status.hard minus status.used of every ResourceQuota in the models' namespace, for requests.storage, "
    "persistentvolumeclaims and those of the default StorageClass.",
    why="A claim beyond the quota is refused when the model is created, not when it is planned.",
    mend="Raise the quota, or choose another namespace.",
    covers=("Storage Requirements",),
)
def for_volumes(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    quotas = every(facts.whole(QUOTA), asked.namespace)
    defaults = [name(each) for each in facts.known(STORAGE_CLASS) if is_default(each)]
    prefixes = ("", *(f"{each}.storageclass.storage.k8s.io/" for each in defaults))
    claims = {f"{prefix}persistentvolumeclaims": 1 for prefix in prefixes}
    found = list(tight(quotas, {f"{prefix}requests.storage": WANTED for prefix in prefixes} | claims))
    # Too little is in nobody's way while only the simulator is asked for: it keeps nothing.
    say = failed if wanted(asked) or asked.models - {"simulator"} else warning
    for each in found:
        yield say(_told(each, asked), *_seen(each, asked), remedy=_raise(each, asked), about=_about(each, asked))
    if not quotas:
        yield skipped(f"there is no quota in namespace {asked.namespace}")
    elif not found:
        yield passed(f"{count(len(quotas), 'quota')} in namespace {asked.namespace} with room for 100 GB")


def _about(each: Tight, asked: Asked) -> str:
    return f"ResourceQuota {asked.namespace}/{name(each.quota)}"


def _told(each: Tight, asked: Asked) -> str:
    return f"quota {name(each.quota)} in namespace {asked.namespace} leaves {_amount(each)} of {each.key}"


def _amount(each: Tight) -> str:
    if each.key.endswith("cpu"):
        return cores(each.left)
    return gib(each.left) if each.key.endswith(("memory", "storage")) else str(each.left)


def _seen(each: Tight, asked: Asked) -> tuple[Seen, ...]:
    about = _about(each, asked)
    return Seen(about, f"status.hard.{each.key}", each.hard), Seen(about, f"status.used.{each.key}", each.used)


def _raise(each: Tight, asked: Asked) -> Remedy:
    return Remedy("Raise it.", (f"kubectl edit resourcequota {word(name(each.quota))} -n {word(asked.namespace)}",))
