"""What is measured, and the arithmetic over it. Times in milliseconds unless a name says otherwise."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Spread:
    """The median of several runs, and their extremes."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Raises ValueError when there are none."""
        if not values:
            raise ValueError("no values")
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True)
class Load:
    """One run of a load generator. cpu_us: by process, microseconds of CPU for each request."""

    target: str
    per_second: float
    p50: float
    p99: float
    failed: int
    cpu_us: Mapping[str, float] = field(default_factory=dict)
    connections: int = 0
    rate: float | None = None


@dataclass(frozen=True)
class Streams:
    """One run of many streams. first: time to the first token; gap: between tokens. cpu: in cores, by process;
    memory: peak PSS in MB, by process. None where no token came."""

    target: str
    tokens: int
    failed: int
    first_p50: float | None
    first_p99: float | None
    gap_p50: float | None
    gap_p99: float | None
    cpu: Mapping[str, float] = field(default_factory=dict)
    memory: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Aim:
    """`measured` against `wanted`; higher says which side of it is good. measured None: it could not be measured."""

    name: str
    wanted: float
    measured: float | None
    unit: str
    higher: bool = False

    @property
    def verdict(self) -> str:
        if self.measured is None or math.isnan(self.measured):
            return "not measured"
        good = self.measured >= self.wanted if self.higher else self.measured <= self.wanted
        return "met" if good else "missed"


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank: the smallest value that `share` (0 to 1) of all values do not pass. NaN when there are none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ratio(part: float | None, whole: float | None) -> float | None:
    """None unless both are known and the second is not zero."""
    return part / whole if part is not None and whole else None


def difference(value: float | None, base: float | None) -> float | None:
    return None if value is None or base is None else value - base


def median_of(runs: Sequence[Load], attribute: str) -> float | None:
    """The median of one attribute over the runs; None when there are none."""
    return median([float(getattr(run, attribute)) for run in runs]) if runs else None


def by_target(runs: Sequence[Load]) -> dict[str, list[Load]]:
    """In the order in which the targets first occur."""
    found: dict[str, list[Load]] = {}
    for run in runs:
        found.setdefault(run.target, []).append(run)
    return found


def best_connections(runs: Sequence[Load]) -> dict[str, list[Load]]:
    """By target, the runs with the number of connections at which it served most in the median."""
    return {target: _best(of_target) for target, of_target in by_target(runs).items()}


def _best(runs: Sequence[Load]) -> list[Load]:
    groups: dict[int, list[Load]] = {}
    for run in runs:
        groups.setdefault(run.connections, []).append(run)
    return max(groups.values(), key=lambda group: median(run.per_second for run in group))
