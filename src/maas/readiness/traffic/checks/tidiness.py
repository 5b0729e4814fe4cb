"""Nothing of a validation is left behind: neither of this one, nor of one that was killed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import TYPE_CHECKING

from maas.readiness.evidence import names
from maas.readiness.findings import Outcome, Remedy, Seen, failed, passed, unknown
from maas.readiness.traffic.declaring import live

if TYPE_CHECKING:
    from maas.readiness.traffic.visit import Visit


@live(
    "MAAS-514",
    "nothing of the validation is left behind",
    wanted="every temporary key is withdrawn, those of earlier runs that were killed as well",
    looks="The keys whose owner or label says that a validation made them.",
    why="A forgotten key is a way in that nobody watches.",
    mend="Remove what is named.",
    covers=("All models require API key authentication",),
)
async def tidy(visit: Visit) -> AsyncIterator[Outcome]:
    """Is judged by outcome() instead, when the visit is over."""
    yield unknown("the validation is not over")


def outcome(removed: Collection[str], left: Collection[str]) -> Outcome:
    if left:
        remedy = Remedy(
            "Remove them.",
            ("kubectl delete secrets -A -l maas-temporary", "maas keys list  # then: maas keys revoke ID"),
        )
        return failed(f"still there: {names(left)}", *(Seen(each) for each in list(left)[:5]), remedy=remedy)
    before = f"; {len(removed)} of an earlier run removed: {names(removed)}" if removed else ""
    return passed(f"all temporary keys of this run are gone{before}")
