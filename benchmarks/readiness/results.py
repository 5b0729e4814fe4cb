"""All that one run found, as it is written to results.json."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from benchmarks.readiness.phases import Phases
from benchmarks.readiness.seeding import Size


@dataclass(frozen=True)
class Run:
    """One `maas` command in a process of its own. cpu: seconds of it. memory: its peak, MB."""

    seconds: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Asked:
    """What the API server saw of one preflight. pages: those that continue a list. together: at most at once."""

    calls: int
    pages: int
    together: int


@dataclass
class Measured:
    """floor: seconds in which the API server gives all pods in pages of 500, to somebody who throws them away."""

    size: Size
    floor: list[float] = field(default_factory=list)
    live: list[Run] = field(default_factory=list)
    offline: list[Run] = field(default_factory=list)
    live_phases: list[Phases] = field(default_factory=list)
    offline_phases: list[Phases] = field(default_factory=list)
    snapshot: Run | None = None
    snapshot_mb: float = 0.0
    asked: Asked | None = None
    server_mb: float = 0.0


@dataclass
class Results:
    machine: Mapping[str, str]
    repeats: int
    sizes: list[Measured] = field(default_factory=list)


def typical(runs: list[Run]) -> Run:
    """Medians."""
    return Run(*(median(getattr(run, name) for run in runs) for name in ("seconds", "cpu", "memory")))
