"""All that one run found, as it is written to results.json."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.installation.phases import Phases
from benchmarks.readiness.seeding import Size


@dataclass
class Measured:
    """new: plans of a platform that is not there; again: of the one that is, carried out.

    reads: lists asked for by one run, by kind and by what is chosen of it, without further pages.
    """

    size: Size
    new: list[Phases] = field(default_factory=list)
    again: list[Phases] = field(default_factory=list)
    reads: Mapping[str, Sequence[str]] = field(default_factory=dict)
    writes: int = 0

    @property
    def read_twice(self) -> list[str]:
        """Kinds of which one choice was read more than once."""
        return [kind for kind, choices in self.reads.items() if len(set(choices)) < len(choices)]


@dataclass
class Results:
    machine: Mapping[str, str]
    repeats: int
    sizes: list[Measured] = field(default_factory=list)
