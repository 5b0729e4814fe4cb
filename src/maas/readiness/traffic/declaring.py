"""Checks that ask a running gateway: declared in the catalogue beside all others, judged by validating.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

from maas.cluster.facts.model import Facts
from maas.readiness.catalogue import TRAFFIC, Asked, check
from maas.readiness.findings import Category, Outcome, Severity, skipped

if TYPE_CHECKING:
    from maas.readiness.traffic.visit import Visit

Ask = Callable[["Visit"], AsyncIterator[Outcome]]

LIVE: dict[str, Ask] = {}


def live(
    code: str,
    title: str,
    *,
    wanted: str,
    looks: str,
    why: str,
    mend: str,
    severity: Severity = Severity.error,
    covers: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
) -> Callable[[Ask], Ask]:
    def declared(ask: Ask) -> Ask:
        declare = check(
            code,
            title,
            Category.traffic,
            wanted=wanted,
            looks=looks,
            why=why,
            mend=mend,
            severity=severity,
            phases=TRAFFIC,
            covers=covers,
            after=after,
        )
        declare(_offline)
        LIVE[code] = ask
        return ask

    return declared


def _offline(facts: Facts, asked: Asked) -> Iterator[Outcome]:
    yield skipped("needs the running gateway; a snapshot has none")
