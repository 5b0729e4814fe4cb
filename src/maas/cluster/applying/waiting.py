"""Waiting on real conditions: single objects, looked at with growing pauses, until all are done or time is up.

Polling instead of a watch: a step waits for a handful of objects, a look costs a millisecond, and a watch would have to
be begun anew after every lost connection. A connection that is lost meanwhile costs patience like anything else.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from maas.cluster.api import Api
from maas.cluster.applying import objects
from maas.cluster.applying.told import Clock, Told
from maas.cluster.changes import Change, Verb
from maas.cluster.failures import Conflicting, Denied, Missing, Refused, ServerFailed, Unreachable
from maas.cluster.objects import Object
from maas.cluster.plan.model import Seen, Stage, Step, Wait

_RIGHTS = re.compile(r'User "[^"]+" cannot ')
_FIRST, _GROWTH, _LONGEST = 0.25, 1.5, 5.0  # seconds between looks
_SURE = 30.0  # seconds that something has to look hopeless: some controllers say so in passing, and try again


class GaveUp(Exception):
    """A wait that ended without its condition.

    hopeless: before its time, as no waiting would help. cut_short: before its time, as that of all steps was over.
    """

    def __init__(self, wait: Wait, seen: Seen, seconds: float, *, hopeless: bool = False, cut_short: bool = False):
        super().__init__(f"{wait.what}: {seen.why}")
        self.wait, self.seen, self.seconds = wait, seen, seconds
        self.hopeless, self.cut_short = hopeless, cut_short


@dataclass
class Waiting:
    """end: of the clock's monotonic time, for all waits together."""

    api: Api
    told: Told
    clock: Clock
    end: float

    async def all(self, step: Step) -> None:
        """Raises GaveUp, and MaasError where the cluster will not let us look."""
        began, pause = self.clock.monotonic(), _FIRST
        left: list[Wait] = list(step.waits)
        hopeless: dict[str, float] = {}
        while left:
            seen = await asyncio.gather(*(self.look(wait) for wait in left))
            now = self.clock.monotonic()
            left = self._judged(step, left, seen, now - began, hopeless)
            if left:
                await self.clock.sleep(min(pause, max(self.end - now, 0.0)) or pause)
                pause = min(pause * _GROWTH, _LONGEST)

    def _judged(
        self, step: Step, waits: Sequence[Wait], seen: Sequence[Seen], seconds: float, hopeless: dict[str, float]
    ) -> list[Wait]:
        """Those that are not done. Raises GaveUp."""
        left = []
        out_of_time = self.clock.monotonic() >= self.end
        for wait, found in zip(waits, seen, strict=True):
            own = seconds >= wait.patience
            over = own or out_of_time
            if found.stage is Stage.done or (found.enough and over):
                if found.why:
                    self.told.noted(step, f"{wait.what}: {found.why}")
                continue
            if found.stage is not Stage.hopeless:
                hopeless.pop(wait.what, None)
            elif seconds - hopeless.setdefault(wait.what, seconds) >= _SURE:
                raise GaveUp(wait, found, seconds, hopeless=True)
            if over:
                raise GaveUp(wait, found, seconds, cut_short=not own)
            self.told.waiting(step, wait, found.why, seconds)
            left.append(wait)
        return left

    async def look(self, wait: Wait) -> Seen:
        try:
            return wait.until(await self._found(wait))
        except (ServerFailed, Unreachable) as error:
            return Seen(Stage.waiting, f"the API server does not answer: {error}")
        except _NotTaken as refused:
            return Seen(Stage.waiting, str(refused))

    async def _found(self, wait: Wait) -> Object | None:
        if wait.tried is None:
            return await objects.one(self.api, wait.kind, wait.name, wait.namespace)
        change = Change(Verb.apply, wait.kind, wait.name, wait.namespace, wait.tried)
        try:
            return await self.api.carry_out(change, dry_run=True, now=self.clock.time())
        except (Refused, ServerFailed, Missing, Conflicting, Denied) as error:
            if _RIGHTS.search(str(error)):
                raise  # rights do not come with waiting, as webhooks do
            raise _NotTaken(str(error)) from None


class _NotTaken(Exception):
    pass
