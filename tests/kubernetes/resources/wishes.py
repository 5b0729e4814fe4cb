"""Platforms on clusters, as people would have them."""

from maas.cluster import sites
from maas.cluster.wanted import Site, Target, Wanted
from maas.domain import platform_file
from maas.models import gpus
from maas.models.sizing.fit import Device

SIMULATOR = "simulator: {runtime: simulator, context_length: 8192}"
QWEN3 = "qwen3-0.6b: {runtime: vllm, weights: Qwen/Qwen3-0.6B}"
TIERS = (
    "{free: {limits: [{requests: 5, per: 2m}, {tokens: 200, per: 1m}]},"
    " premium: {limits: [{requests: 20, per: 2m}, {tokens: 1000, per: 1m}]}}"
)


def device(name: str) -> Device:
    gpu = gpus.find(name)
    assert gpu is not None
    return Device(gpu.name, gpu.total, gpu.capability)


def site(target: Target = Target.kubernetes, gpu: str = "", *, domain: str = "") -> Site:
    return sites.assumed(target, device(gpu) if gpu else None, domain=domain)


def wanted(*models: str, on: Site | None = None, **options: object) -> Wanted:
    """models: entries of maas.yaml."""
    lines = "\n".join(f"  {each}" for each in models or (SIMULATOR,))
    platform = platform_file.load(f"models:\n{lines}\ntiers: {TIERS}\n")
    return Wanted(platform, on or site(), **options)  # type: ignore[arg-type]
