"""What the platform is held to, beside what was measured."""

from collections.abc import Iterator, Mapping
from statistics import median

from benchmarks.gateway import litellm_proxy, maas_platform
from benchmarks.gateway.figures import Aim, Load, best_connections, by_target, difference, median_of, ratio
from benchmarks.gateway.results import BARE, Results

MAAS = tuple(f"{maas_platform.NAME}, {tier}" for tier in (maas_platform.UNLIMITED, maas_platform.LIMITED))
_PLATFORM = ("control", "gateway")


def aims(results: Results) -> list[Aim]:
    return [*_throughput(results), *_latency(results), *_start(results), *_memory(results)]


def served(runs: list[Load], target: str) -> float | None:
    """Requests per second at the best number of connections."""
    return median_of(best_connections(runs).get(target, []), "per_second")


def _throughput(results: Results) -> Iterator[Aim]:
    bare = served(results.saturation, BARE)
    lite = served(results.saturation, litellm_proxy.NAME)
    for name in MAAS:
        ours = served(results.saturation, name)
        yield Aim(f"throughput, {name}", 0.6, ratio(ours, bare), "of bare", higher=True)
        yield Aim(f"throughput, {name}", 25, ratio(ours, lite), "× LiteLLM", higher=True)


def _latency(results: Results) -> Iterator[Aim]:
    runs = by_target(results.at_one)
    bare = median_of(runs.get(BARE, []), "p50")
    for name in MAAS:
        added = difference(median_of(runs.get(name, []), "p50"), bare)
        yield Aim(f"added p50, {name}", 1.0, ratio(added, bare), "of bare's")


def _start(results: Results) -> Iterator[Aim]:
    cold = results.starts.get(maas_platform.NAME)
    yield Aim("`maas up` to the first 200", 3.0, median(cold) if cold else None, "s")
    ours, bare = results.helps.get("maas --help"), results.helps.get("python -c pass")
    times = ratio(median(ours), median(bare)) if ours and bare else None
    yield Aim("`maas --help`", 5.0, times, "× python")


def _memory(results: Results) -> Iterator[Aim]:
    for said, found in (("idle", results.idle), ("after load", results.after)):
        yield Aim(f"control plane and Envoy, {said}", 250.0, _sum(found.get(maas_platform.NAME)), "MB")


def _sum(parts: Mapping[str, float] | None) -> float | None:
    return sum(parts.get(name, 0.0) for name in _PLATFORM) if parts else None
