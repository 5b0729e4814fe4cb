"""Steps in an order in which each comes after those it needs, and otherwise as they were given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from maas.cluster.plan.model import Step


class Tangled(AssertionError):
    """Steps need each other in a circle, or two have one key: a mistake in this program, not in any cluster."""


def ordered(steps: Sequence[Step]) -> list[Step]:
    """Stable: of those that could come next, the first given comes first. Needs that are not among them are ignored.

    Raises Tangled.
    """
    by_key = {step.key: step for step in steps}
    if len(by_key) != len(steps):
        twice = sorted({step.key for step in steps if by_key[step.key] is not step})
        raise Tangled(f"more than one step is called {', '.join(twice)}")
    placed: dict[str, Step] = {}
    left = list(steps)
    while left:
        following = next((step for step in left if _free(step, by_key, placed)), None)
        if following is None:
            raise Tangled(f"steps that need each other: {', '.join(step.key for step in left)}")
        placed[following.key] = following
        left.remove(following)
    return list(placed.values())


def _free(step: Step, known: Mapping[str, Step], placed: Mapping[str, Step]) -> bool:
    return all(need in placed for need in step.needs if need in known)


def bridged(steps: Sequence[Step], kept: Sequence[Step]) -> list[Step]:
    """The steps kept of these, each needing also what those needed that fell out between: A → (B) → C is A → C."""
    by_key, stay = {step.key: step for step in steps}, {step.key for step in kept}

    def through(step: Step, seen: frozenset[str]) -> Iterator[str]:
        for need in step.needs:
            if need in stay:
                yield need
            elif need in by_key and need not in seen:
                yield from through(by_key[need], seen | {need})

    return [_needing(step, tuple(dict.fromkeys(through(by_key[step.key], frozenset())))) for step in kept]


def _needing(step: Step, needs: tuple[str, ...]) -> Step:
    return step if needs == step.needs else replace(step, needs=needs)
