"""How much slower, and how sure that is: each pair of requests is compared with itself."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.cpu_model.asking import Stream

_RESAMPLES = 2000
DIRECT, GATEWAY = "llama.cpp direct", "through MaaS"


@dataclass(frozen=True)
class Case:
    """pairs: of the same request, sent directly and through the gateway, right after one another."""

    name: str
    pairs: list[tuple[Stream, Stream]]


@dataclass(frozen=True)
class Compared:
    """slower: the median over the pairs, as a share; between `low` and `high` with a probability of 95 %."""

    case: str
    what: str
    direct: float
    gateway: float
    slower: float
    low: float
    high: float


_MEASURES: tuple[tuple[str, Callable[[Stream], float], bool], ...] = (
    ("time to first token, ms", lambda stream: stream.first * 1000, False),
    ("tokens/s", lambda stream: stream.per_second, True),
    ("whole answer, ms", lambda stream: stream.whole * 1000, False),
)


def compared(case: Case) -> list[Compared]:
    return [_compared(case, what, of, more_is_better=more) for what, of, more in _MEASURES]


def _compared(case: Case, what: str, of: Callable[[Stream], float], *, more_is_better: bool) -> Compared:
    direct = [of(pair[0]) for pair in case.pairs]
    gateway = [of(pair[1]) for pair in case.pairs]
    ratios = [(d / g if more_is_better else g / d) - 1 for d, g in zip(direct, gateway, strict=True)]
    low, high = interval(ratios)
    return Compared(case.name, what, median(direct), median(gateway), median(ratios), low, high)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Of the median, by resampling; the same for the same values."""
    chance = random.Random(1)
    medians = sorted(median(chance.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    return medians[int(0.025 * _RESAMPLES)], medians[int(0.975 * _RESAMPLES)]
