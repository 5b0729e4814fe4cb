"""What nodes tell of their GPUs: by resources, by the labels of NVIDIA's operator, of NFD and of the cloud.

Labels can be there without the device plugin, and the plugin without labels. Only what is allocatable can be had.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from maas.cluster.demand import Resources, free, requested, resources
from maas.cluster.facts.model import Facts
from maas.cluster.kinds import NODE, POD
from maas.cluster.nodes import GPU
from maas.cluster.objects import Object, label, mapping, name, namespace
from maas.models.gpus import Gpu, of_product

_NFD = ("pci-10de.present", "pci-0302_10de.present", "pci-0300_10de.present")
_MIG = "nvidia.com/mig-"
_MODEL = "serving.kserve.io/inferenceservice"
_MIB = 2**20
# Of instances with NVIDIA GPUs, as their clouds name them.
_INSTANCES = re.compile(
    r"(p[2-6][a-z]*|g[4-7][a-z]*)\.|Standard_N[CDVG][0-9A-Za-z_]*|(a2|a3|a4|g2|g4)-[a-z]+", re.IGNORECASE
)
_OTHER_MAKERS = re.compile(r"g4ad\.|Standard_N[VG].*(v4|V620)|Standard_ND_MI300", re.IGNORECASE)  # AMD's


@dataclass(frozen=True)
class GpuNode:
    """memory: bytes of one GPU, as labelled or known of the product; 0 if neither. driver, cuda: () if not labelled.

    allocatable: whole GPUs, or time slices of them; slices: of MIG, how many there are by resource name.
    capability: 75 for 7.5; None if neither labelled nor known of the product.
    """

    node: Object
    allocatable: int
    slices: dict[str, int]
    product: str
    capability: int | None
    memory: int
    driver: tuple[int, ...]
    cuda: tuple[int, ...]

    @property
    def name(self) -> str:
        return name(self.node)

    @property
    def described(self) -> str:
        """ "gpu-1 (Tesla-T4)"."""
        return f"{self.name} ({self.product})" if self.product else self.name

    @property
    def is_shared(self) -> bool:
        return self.product.endswith("-SHARED") or label(self.node, "nvidia.com/gpu.sharing-strategy") not in (
            "",
            "none",
        )


def with_gpus(facts: Facts) -> list[GpuNode]:
    """Nodes whose GPUs can be had. Raises NotRead."""
    return [_read(node) for node in facts.all(NODE) if _has(node)]


def unrequested(facts: Facts) -> dict[str, int]:
    """By node: GPUs and slices of them that no pod requests. Raises NotRead."""
    return {node: _gpus(left) for node, left in free(facts).items()}


def held_by_models(facts: Facts, in_namespace: str) -> dict[str, int]:
    """By node: GPUs that models there hold already. Their own pods are in nobody's way. Raises NotRead."""
    mine = [pod for pod in facts.whole(POD) if namespace(pod) == in_namespace and label(pod, _MODEL)]
    return {node: _gpus(amounts) for node, amounts in requested(mine).items()}


def _gpus(amounts: Resources) -> int:
    return sum(amount for key, amount in amounts.items() if key == GPU or key.startswith(_MIG))


def only_hardware(facts: Facts) -> Iterator[tuple[Object, str]]:
    """Nodes with GPUs that Kubernetes cannot give to anybody, and how they are known. Raises NotRead."""
    for node in facts.all(NODE):
        if not _has(node) and (sign := hardware(node)):
            yield node, sign


def hardware(node: Object) -> str:
    """The label that tells of an NVIDIA GPU, "" if none does."""
    signs = ["nvidia.com/gpu.present", *(f"feature.node.kubernetes.io/{each}" for each in _NFD)]
    found = next((sign for sign in signs if label(node, sign) == "true"), "")
    if found or label(node, "cloud.google.com/gke-accelerator"):
        return found or "cloud.google.com/gke-accelerator"
    instance = label(node, "node.kubernetes.io/instance-type")
    is_gpu = _INSTANCES.match(instance) and not _OTHER_MAKERS.match(instance)
    return "node.kubernetes.io/instance-type" if is_gpu else ""


def _has(node: Object) -> bool:
    allocatable = resources(mapping(node, "status", "allocatable"))
    return any(amount > 0 for key, amount in allocatable.items() if key == GPU or key.startswith(_MIG))


def _read(node: Object) -> GpuNode:
    allocatable = resources(mapping(node, "status", "allocatable"))
    product = label(node, "nvidia.com/gpu.product")
    known = of_product(product)
    return GpuNode(
        node,
        allocatable.get(GPU, 0),
        {key: amount for key, amount in allocatable.items() if key.startswith(_MIG) and amount},
        product,
        _capability(node) or (known.capability if known else None),
        _memory(node, known),
        _version(node, "nvidia.com/cuda.driver-version", "nvidia.com/cuda.driver", "rev"),
        _version(node, "nvidia.com/cuda.runtime-version", "nvidia.com/cuda.runtime", ""),
    )


def _capability(node: Object) -> int | None:
    major = _number(label(node, "nvidia.com/gpu.compute.major"))
    minor = _number(label(node, "nvidia.com/gpu.compute.minor"))
    return 10 * major + (minor or 0) if major else None


def _memory(node: Object, known: Gpu | None) -> int:
    """What CUDA reports where the card is known: the label holds a little more than can be had."""
    labelled = (_number(label(node, "nvidia.com/gpu.memory")) or 0) * _MIB
    return min(labelled, known.total) if labelled and known else labelled or (known.total if known else 0)


def _version(node: Object, new: str, deprecated: str, last: str) -> tuple[int, ...]:
    """Read of either form of the labels: "…-version.full", or "….major", "….minor" and a last part."""
    full = label(node, f"{new}.full").split(".")
    parts = [_number(part) for part in full] if full != [""] else [_number(label(node, f"{new}.major"))]
    if None in parts:
        keys = ["major", "minor", *([last] if last else [])]
        parts = [_number(label(node, f"{deprecated}.{key}")) for key in keys]
    known = parts[: parts.index(None)] if None in parts else parts
    return tuple(part for part in known if part is not None)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
