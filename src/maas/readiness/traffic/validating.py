"""All live checks of one platform, one after the other, with everything cleaned up behind them.

They share a deadline, and never more than one of them is under way: what one spends of a limit must not be what
another one looks at.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from maas.domain.errors import MaasError
from maas.readiness.catalogue import Check, Phase, checks
from maas.readiness.findings import Finding, Outcome, unknown
from maas.readiness.judging import findings, is_chosen
from maas.readiness.traffic.answers import CannotAsk
from maas.readiness.traffic.calling import TIMEOUT
from maas.readiness.traffic.checks import tidiness
from maas.readiness.traffic.declaring import LIVE
from maas.readiness.traffic.site import Site
from maas.readiness.traffic.visit import MOST_REQUESTS, Visit

_CLEANING = 20.0  # seconds
TIDY = "MAAS-514"  # is judged when everything else is over

Say = Callable[[str], None]
Said = tuple[Check, Outcome]


async def validate(
    site: Site,
    *,
    deadline: float = 180.0,
    model: str = "",
    only: Collection[str] = (),
    skip: Collection[str] = (),
    say: Say = lambda _: None,
    answer_within: float = TIMEOUT,
    most_requests: int = MOST_REQUESTS,
) -> tuple[Finding, ...]:
    """deadline, answer_within: seconds. say: told what is being tried. most_requests: to reach a limit.

    Temporary keys are gone when this returns or raises. Raises MaasError if its administration does not answer.
    """
    chosen = [c for c in checks() if Phase.traffic in c.phases and is_chosen(c, only, skip)]
    asking = [check for check in chosen if check.code != TIDY]
    visit = Visit(site, model=model, answer_within=answer_within, most_requests=most_requests)
    async with _cleaned_up(visit):
        removed = await site.remove_leftovers()
        outcomes = await _all_judged(asking, visit, deadline, say)
    left = await _cleared(site)
    outcomes += [(check, tidiness.outcome(removed, left)) for check in chosen if check.code == TIDY]
    return findings(outcomes)


async def _all_judged(
    asking: Collection[Check], visit: Visit, deadline: float, say: Say
) -> list[tuple[Check, Outcome]]:
    outcomes: list[tuple[Check, Outcome]] = []
    missing = ""
    try:
        async with asyncio.timeout(deadline):
            await visit.open()
            for check in asking:
                say(check.title)
                outcomes += [(check, outcome) for outcome in await _judged(check, visit)]
    except TimeoutError:
        missing = f"there was no time left for it, of {deadline:g} s for all live checks"
    except MaasError as error:
        missing = str(error)
    said = {check.code for check, _ in outcomes}
    return [*outcomes, *((check, unknown(missing)) for check in asking if check.code not in said)]


async def _judged(check: Check, visit: Visit) -> list[Outcome]:
    try:
        outcomes = [outcome async for outcome in LIVE[check.code](visit)]
    except (CannotAsk, MaasError) as missing:
        return [unknown(str(missing))]
    return outcomes or [unknown("the check said nothing, which should not happen")]


@asynccontextmanager
async def _cleaned_up(visit: Visit) -> AsyncIterator[None]:
    """Even when the task is being cancelled: a shielded task of its own withdraws the keys."""
    try:
        yield
    finally:
        cleaning = asyncio.ensure_future(_clean(visit))
        try:
            await asyncio.shield(cleaning)
        except asyncio.CancelledError:  # a second Ctrl-C: the keys go first all the same
            await cleaning
            raise


async def _clean(visit: Visit) -> None:
    async with asyncio.timeout(_CLEANING):
        await visit.site.withdraw_all()
    await visit.close()


async def _cleared(site: Site) -> Collection[str]:
    async with asyncio.timeout(_CLEANING):
        return await site.withdraw_all()
