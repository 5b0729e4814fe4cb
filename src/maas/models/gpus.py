"""The GPUs that people have, by the names they use for them and by the product names that nodes are labelled with.

What runs on one is decided by its compute capability, never by its name: a card that is not in this table is judged
just as well, if its node says what it has.
"""

import re
from dataclasses import dataclass

_MIB = 2**20


@dataclass(frozen=True)
class Gpu:
    """capability: compute capability times ten, 75 for 7.5. memory: MiB that CUDA reports, less than on the box."""

    name: str
    memory: int
    capability: int
    products: str  # a regular expression over nvidia.com/gpu.product, beginning to end
    aws: str = ""

    @property
    def total(self) -> int:
        """Bytes."""
        return self.memory * _MIB

    @property
    def bf16(self) -> bool:
        return self.capability >= 80


# Capabilities from NVIDIA's lists (facts/cluster.md §4.3); memory as CUDA's out-of-memory messages print it, of cards
# with ECC where they have it. Those from GB200 on are left out: nobody here has seen one's figures.
ALL = (
    Gpu("t4", 14_910, 75, r"Tesla-T4", "g4dn"),
    Gpu("v100-16", 16_150, 70, r"(Tesla|NVIDIA)-V100-.*16GB.*", "p3"),
    Gpu("v100-32", 32_500, 70, r"(Tesla|NVIDIA)-V100-.*32GB.*", "p3dn"),
    Gpu("a10", 22_590, 86, r"NVIDIA-A10"),
    Gpu("a10g", 22_590, 86, r"NVIDIA-A10G", "g5"),
    Gpu("l4", 22_560, 89, r"NVIDIA-L4", "g6"),
    Gpu("l40s", 45_490, 89, r"NVIDIA-L40S?", "g6e"),
    Gpu("a30", 24_060, 80, r"NVIDIA-A30"),
    Gpu("a100-40", 40_330, 80, r"NVIDIA-A100-.*40GB.*", "p4d"),
    Gpu("a100-80", 81_050, 80, r"NVIDIA-A100-.*80GB.*", "p4de"),
    Gpu("h100", 81_000, 90, r"NVIDIA-H100-.*80GB.*", "p5"),
    Gpu("h200", 143_000, 90, r"NVIDIA-H200.*", "p5e"),
)
_ALIASES = {"v100": "v100-16", "a100": "a100-80", "h100-80": "h100", "tesla-t4": "t4"}


def find(name: str) -> Gpu | None:
    """By the name people use: "T4", "a100-80"."""
    wanted = _ALIASES.get(name.lower(), name.lower())
    return next((gpu for gpu in ALL if gpu.name == wanted), None)


def of_product(label: str) -> Gpu | None:
    """By nvidia.com/gpu.product; a card shared by time slices is the same card, a MIG slice is none of these."""
    product = label.removesuffix("-SHARED")
    return None if "-MIG-" in product else next((gpu for gpu in ALL if re.fullmatch(gpu.products, product)), None)
