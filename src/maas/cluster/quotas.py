"""What ResourceQuotas leave of an amount."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from maas.cluster.demand import CPU
from maas.cluster.objects import Object, at
from maas.cluster.quantities import milli, whole

_OF_CPU = (CPU, f"requests.{CPU}", f"limits.{CPU}")


@dataclass(frozen=True)
class Tight:
    """A quota that leaves less of a resource than is needed. CPU in thousandths."""

    quota: Object
    key: str
    left: int
    hard: str
    used: str


def tight(quotas: Sequence[Object], needs: Mapping[str, int]) -> Iterator[Tight]:
    for quota in quotas:
        for key, least in needs.items():
            hard, used = _written(quota, "hard", key), _written(quota, "used", key)
            left = _left(key, hard, used)
            if left is not None and left < least:
                yield Tight(quota, key, left, str(hard), str(used))


def _written(quota: Object, what: str, key: str) -> object:
    """The status has both; a quota that nobody has counted yet has its spec."""
    found = at(quota, "status", what, key)
    return at(quota, "spec", what, key) if found is None else found


def _left(key: str, hard: object, used: object) -> int | None:
    """None where the quota says nothing about it."""
    read = milli if key in _OF_CPU else whole
    limit = read(hard)
    return None if limit is None else max(0, limit - (read(used) or 0))
