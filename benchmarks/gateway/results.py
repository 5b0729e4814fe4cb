"""All that one run found, as it is written to results.json."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.gateway.figures import Load, Streams

BARE = "bare Envoy"


@dataclass
class Results:
    """saturation: every run, with its connections. at_one: one connection. at_rate: constant rate.

    starts: seconds, by what was started. helps: milliseconds, by command.
    idle, after: memory in MB, by target and then by process. skipped: what could not be measured, and why.
    """

    machine: Mapping[str, str]
    effort: Mapping[str, float]
    saturation: list[Load] = field(default_factory=list)
    at_one: list[Load] = field(default_factory=list)
    at_rate: list[Load] = field(default_factory=list)
    streams: list[Streams] = field(default_factory=list)
    stream_count: int = 0
    starts: dict[str, Sequence[float]] = field(default_factory=dict)
    helps: dict[str, Sequence[float]] = field(default_factory=dict)
    idle: dict[str, Mapping[str, float]] = field(default_factory=dict)
    after: dict[str, Mapping[str, float]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
