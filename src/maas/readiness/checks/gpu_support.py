"""What the GPUs are good for: card, driver, CUDA, and the models that are wanted (MAAS-132 to 134, 138)."""

from collections.abc import Iterator, Mapping, Sequence

from maas.cluster.demand import CPU, MEMORY, free
from maas.cluster.facts.model import Facts, NotRead
from maas.cluster.gpus import GpuNode, held_by_models, unrequested, with_gpus
from maas.cluster.nodes import TOLERATES_GPU, is_usable
from maas.cluster.objects import label
from maas.models.sizing import qwen3, vllm
from maas.models.sizing.architecture import Architecture
from maas.models.sizing.fit import Device, Fit, Wish, fit
from maas.readiness.catalogue import Asked, check
from maas.readiness.checks.gpu import NOT_ASKED, on_gpu, wanted
from maas.readiness.checks.quotas import ON_GPU
from maas.readiness.evidence import names, some
from maas.readiness.findings import Category, Outcome, Remedy, Seen, failed, passed, skipped, unknown, warning
from maas.readiness.wording import count, gib

DRIVER_FLOOR = (525,)
DRIVER_ENDED = 535  # its branch had its last release in June 2026, those before it earlier
VOLTAS_LAST_DRIVER = 580
CUDA_FLOOR = (12,)
CUDA_12_DRIVER = (525,)  # the first that speaks CUDA 12.0
CONTEXT = 4096  # tokens; what MaaS gives a model if nobody says otherwise
_NO_NODE = "there is no GPU node"


@check(
    "MAAS-132",
    "the GPUs are supported",
    Category.gpu,
    wanted="compute capability 7.5 or higher; 8.0 or higher without workarounds",
    looks="The labels gpu.compute.major and gpu.compute.minor of GPU nodes; the product's name only where they lack.",
    why="vLLM's images hold code for certain capabilities. T4 (7.5) has no bfloat16 and crashes vLLM 0.9.0 to 0.10.1; "
    "for V100 (7.0) the images end with 0.8.5.",
    mend="On T4: vLLM 0.10.2 or newer with --dtype=float16 --enforce-eager. On V100: vLLM 0.8.5.post1.",
    covers=("GPU Nodes (Optional but Recommended)", "Issue 2: Triton Compilation on Tesla T4 GPUs", "GPU Models"),
)
def supported(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    nodes = with_gpus(facts) if wanted(asked) else []
    if not nodes:
        yield skipped(_NO_NODE if wanted(asked) else NOT_ASKED)
    for product, alike in _alike(nodes):
        yield _supported(product, alike)


def _alike(nodes: Sequence[GpuNode]) -> list[tuple[str, list[GpuNode]]]:
    """Nodes with the same card are told together."""
    by_kind: dict[tuple[str, int | None], list[GpuNode]] = {}
    for each in nodes:
        by_kind.setdefault((each.product, each.capability), []).append(each)
    return [(product or "a GPU of unknown name", alike) for (product, _), alike in by_kind.items()]


def _supported(product: str, alike: Sequence[GpuNode]) -> Outcome:
    capability, where = alike[0].capability, f"{product} on {count(len(alike), 'node')}"
    seen = some(
        Seen(f"Node {each.name}", "nvidia.com/gpu.compute", f"{capability / 10}" if capability else "absent")
        for each in alike
    )
    if capability is None:
        return unknown(f"{where}: nothing tells its compute capability", *seen, remedy=_DISCOVER)
    if not vllm.working(capability, ""):
        return failed(
            f"{where}: compute capability {capability / 10} is too old for vLLM", *seen, remedy=_NEWER, about=product
        )
    if capability < vllm.TURING:
        return warning(f"{where}: vLLM's images from 0.9 on do not run on it", *seen, remedy=_VOLTA, about=product)
    if capability < vllm.AMPERE:
        return warning(f"{where}: works, with workarounds", *seen, remedy=_TURING, about=product)
    return passed(f"{where}: compute capability {capability / 10}, all of vLLM", *seen, about=product)


_DISCOVER = Remedy(
    "GPU Feature Discovery, part of the GPU Operator, sets the labels.",
    ("kubectl get nodes -L nvidia.com/gpu.product,nvidia.com/gpu.compute.major,nvidia.com/gpu.compute.minor",),
)
_NEWER = Remedy("Use nodes with T4, A10G, L4, A100 or newer: for example g4dn.xlarge or g5.xlarge on AWS.")
_VOLTA = Remedy(
    "Use image vllm/vllm-openai:v0.8.5.post1 with --dtype=float16 and VLLM_USE_V1=0, and a driver of the branch 580, "
    "the last for this card."
)
_TURING = Remedy(
    "Use vLLM 0.10.2 or newer with --dtype=float16 --enforce-eager --gpu-memory-utilization=0.85 and a --max-model-len "
    "of 4096 to 8192; never vLLM 0.9.0 to 0.10.1. `maas install` does so by itself. The variables "
    "VLLM_USE_TRITON_ATTENTION and VLLM_USE_TRITON_FLASH_ATTN of older guides do nothing any more."
)


@check(
    "MAAS-133",
    "the NVIDIA driver is new enough",
    Category.gpu,
    wanted="driver 525 or newer; a branch that is still maintained",
    looks="The labels cuda.driver-version.full (or the deprecated cuda.driver.major, minor and rev) of GPU nodes.",
    why="Older drivers do not speak CUDA 12. The branch 535 ended in June 2026; 580 is the last for V100.",
    mend="Raise driver.version in the ClusterPolicy; where the cloud's image brings the driver, take a newer image.",
    covers=("GPU Nodes (Optional but Recommended)", "GPU Not Detected"),
)
def driver(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    nodes = with_gpus(facts) if wanted(asked) else []
    silent = [each for each in nodes if not each.driver]
    old = [each for each in nodes if each.driver and each.driver < DRIVER_FLOOR]
    ended = [each for each in nodes if each not in old and each.driver and each.driver[0] <= DRIVER_ENDED]
    beyond = [each for each in nodes if _is_volta(each) and each.driver and each.driver[0] > VOLTAS_LAST_DRIVER]
    if not nodes:
        yield skipped(_NO_NODE if wanted(asked) else NOT_ASKED)
    if old:
        yield failed(f"older than 525: {_told(old)}", *_driver_seen(old), remedy=_RAISE, about="old drivers")
    if ended:
        message = f"of a branch that is no longer maintained: {_told(ended)}"
        yield warning(message, *_driver_seen(ended), remedy=_RAISE, about="ended branches")
    if beyond:
        message = f"too new for V100, whose last branch is {VOLTAS_LAST_DRIVER}: {_told(beyond)}"
        yield failed(message, *_driver_seen(beyond), remedy=_PIN, about="V100")
    if silent:
        said = names(each.name for each in silent)
        yield unknown(f"nodes do not tell their driver: {said}", remedy=_DISCOVER)
    if nodes and not (old or ended or beyond or silent):
        yield passed(names(sorted({_dotted(each.driver) for each in nodes})))


def _is_volta(each: GpuNode) -> bool:
    return each.capability is not None and vllm.VOLTA <= each.capability < vllm.TURING


def _dotted(driver: tuple[int, ...]) -> str:
    """As NVIDIA writes it: 580.95.05."""
    return ".".join(f"{part:02}" for part in driver)


def _told(nodes: Sequence[GpuNode]) -> str:
    return names(f"{each.name} ({_dotted(each.driver)})" for each in nodes)


def _driver_seen(nodes: Sequence[GpuNode]) -> tuple[Seen, ...]:
    return some(Seen(f"Node {each.name}", "nvidia.com/cuda.driver-version", _dotted(each.driver)) for each in nodes)


_RAISE = Remedy(
    "Let the GPU Operator choose its own driver (remove driver.version), or name a newer one. Where the machine image "
    "brings the driver, take a newer image.",
    ("kubectl get clusterpolicies.nvidia.com -o jsonpath='{.items[*].spec.driver}'",),
)
_PIN = Remedy(
    "Pin a driver of the branch 580.",
    (
        "kubectl patch clusterpolicies.nvidia.com gpu-cluster-policy --type=merge "
        """-p '{"spec":{"driver":{"version":"580.95.05"}}}'""",
    ),
)


@check(
    "MAAS-134",
    "CUDA is new enough",
    Category.gpu,
    wanted="CUDA 12.0 or newer",
    looks="The labels cuda.runtime-version.major (or the deprecated cuda.runtime.major) of GPU nodes: the newest CUDA "
    "that the driver speaks. Where they lack it follows from the driver.",
    why="vLLM's images need CUDA 12; vllm/vllm-openai:latest is built for CUDA 13 since April 2026.",
    mend="A newer driver brings a newer CUDA. With CUDA 12, name a version of vLLM's image instead of latest.",
    covers=("GPU Nodes (Optional but Recommended)",),
    after=("MAAS-133",),
)
def cuda(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    nodes = with_gpus(facts) if wanted(asked) else []
    versions = {each.name: _cuda(each) for each in nodes}
    old = [each for each in nodes if (version := versions[each.name]) and version < CUDA_FLOOR]
    silent = [each.name for each in nodes if not versions[each.name]]
    if not nodes:
        yield skipped(_NO_NODE if wanted(asked) else NOT_ASKED)
    elif old:
        said = names(f"{each.name} ({'.'.join(map(str, versions[each.name]))})" for each in old)
        yield failed(f"older than 12: {said}", *_cuda_seen(old), remedy=_RAISE)
    elif silent:
        yield unknown(f"nodes do not tell their CUDA: {names(silent)}", remedy=_DISCOVER)
    else:
        oldest = min(versions.values())
        hint = "; name a version of vLLM's image, latest is built for CUDA 13" if oldest < (13,) else ""
        yield passed(f"{'.'.join(map(str, oldest))} or newer{hint}", *_cuda_seen(nodes))


def _cuda(each: GpuNode) -> tuple[int, ...]:
    if each.cuda:
        return each.cuda
    return (() if not each.driver else (12, 0)) if each.driver >= CUDA_12_DRIVER else ((11,) if each.driver else ())


def _cuda_seen(nodes: Sequence[GpuNode]) -> tuple[Seen, ...]:
    return some(
        Seen(f"Node {each.name}", "nvidia.com/cuda.runtime-version", ".".join(map(str, each.cuda)) or "absent")
        for each in nodes
    )


@check(
    "MAAS-138",
    "the wanted models fit",
    Category.gpu,
    wanted=f"for each model, GPUs of one node that hold its weights and a context of {CONTEXT} tokens",
    looks="Weights, cache and overhead of each model, against the memory of the GPUs; and how many of a node are free, "
    "with CPU and memory for the process beside.",
    why="vLLM refuses to start when its cache does not hold one request of the longest length.",
    mend="Choose a smaller model, a quantised one, or nodes with larger GPUs.",
    covers=("GPU Nodes (Optional but Recommended)", "GPU Models"),
    after=("MAAS-131",),
)
def models_fit(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    models = sorted(model for model in asked.models if on_gpu(model))
    nodes = [each for each in with_gpus(facts) if is_usable(each.node, TOLERATES_GPU)] if models else []
    if not models:
        yield skipped("no model that is known to need a GPU was asked for")
    elif not nodes:
        yield skipped("there is no GPU node that takes pods")
    else:
        left = _left(facts, asked, nodes)
        for model in models:
            yield _fits(model, nodes, left)


def _left(facts: Facts, asked: Asked, nodes: Sequence[GpuNode]) -> dict[str, int]:
    """By node: GPUs that a model can have, with CPU and memory for its process.

    Where nobody knows what is requested, MAAS-131 says so: here it is the size that counts then.
    """
    try:
        left, held, beside = unrequested(facts), held_by_models(facts, asked.namespace), free(facts)
    except NotRead:
        return {each.name: each.allocatable for each in nodes}
    return {node: (amount if _holds_process(beside[node]) else 0) + held.get(node, 0) for node, amount in left.items()}


def _holds_process(left: Mapping[str, int]) -> bool:
    """What vLLM requests beside the GPU."""
    return left.get(CPU, 0) >= ON_GPU["cpu"] and left.get(MEMORY, 0) >= ON_GPU["memory"]


def _fits(model: str, nodes: Sequence[GpuNode], left: Mapping[str, int]) -> Outcome:
    architecture = qwen3.find("qwen3-0.6b" if model == "qwen3" else model)
    measured = [each for each in nodes if each.memory and each.capability]
    if architecture is None or not measured:
        return unknown(f"{model}: no GPU node tells memory and compute capability", remedy=_DISCOVER)
    tried = [(each, best) for each in measured if (best := _best(architecture, each))]
    fitting = [(each, found) for each, found in tried if found.fits]
    room = [(each, found) for each, found in fitting if left.get(each.name, 0) >= found.gpus]
    about = f"model {model}"
    if room:
        each, found = min(room, key=lambda pair: pair[1].gpus)
        version = names(map(str, found.works_with))
        return passed(f"{model} fits on {_cards(each, found)} with vLLM {version}", *_memory_seen([each]), about=about)
    if fitting:
        each, found = min(fitting, key=lambda pair: pair[1].gpus)
        return failed(
            f"{model} needs {_cards(each, found)} with 2 CPUs and 8 GiB beside, and no node has that free",
            *_memory_seen([each]),
            remedy=Remedy("Free it, or add a node.", ("kubectl describe nodes | grep -A 12 'Allocated resources'",)),
            about=about,
        )
    return _too_large(model, architecture, measured, about)


def _best(model: Architecture, each: GpuNode) -> Fit | None:
    """On as few of the node's GPUs as do; else the largest try."""
    device = Device(each.product or "GPU", each.memory, each.capability or 0)
    last = None
    for gpus in (1, 2, 4, 8):
        if gpus <= max(each.allocatable, 1):
            last = fit(model, device, Wish(gpus=gpus, context=CONTEXT, concurrency=1))
            if last.fits:
                return last
    return last


def _too_large(model: str, architecture: Architecture, nodes: Sequence[GpuNode], about: str) -> Outcome:
    largest = max(nodes, key=lambda each: each.memory * max(each.allocatable, 1))
    weights = gib(architecture.weight_bytes())
    return failed(
        f"{model} fits on none of the GPUs: its weights alone are {weights}, the largest is {largest.described} with "
        f"{count(largest.allocatable, 'GPU')} of {gib(largest.memory)}",
        *_memory_seen(nodes),
        remedy=Remedy("Choose a smaller or a quantised model, or larger GPUs."),
        about=about,
    )


def _cards(each: GpuNode, found: Fit) -> str:
    return f"{found.gpus} x {each.product or 'GPU'} of {gib(each.memory)}"


def _memory_seen(nodes: Sequence[GpuNode]) -> tuple[Seen, ...]:
    return some(
        Seen(f"Node {each.name}", "nvidia.com/gpu.memory", label(each.node, "nvidia.com/gpu.memory") or "absent")
        for each in nodes
    )
