"""Carrying a plan out: every step as soon as those it needs are done, side by side.

A step is its actions, one after another, then its waits, all at once. When one fails, those under way are let finish
the write they are at and stop, and none is begun: the message is of the first. Nothing is remembered anywhere: run
again, the plan is made of the cluster as it is then, so Ctrl-C, kill -9 or a lost connection cost no more than time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maas.cluster.api import Api
from maas.cluster.applying.acting import HURRIED, Acting, NotDone
from maas.cluster.applying.failure import StepFailed
from maas.cluster.applying.reporting import Reporting
from maas.cluster.applying.told import Ask, Clock, Told
from maas.cluster.applying.waiting import GaveUp, Waiting
from maas.cluster.helm import Helm
from maas.cluster.plan.model import Plan, Step
from maas.domain.errors import MaasError


async def carry_out(
    plan: Plan,
    api: Api,
    helm: Helm,
    told: Told,
    clock: Clock,
    *,
    timeout: float,  # noqa: ASYNC109  # it ends waits in words, not by cancelling
    ask: Ask,
    mirror: Path | None = None,
) -> None:
    """timeout: seconds for everything. Raises StepFailed; cancelled (Ctrl-C), it tells what was done, and ends."""
    end = clock.monotonic() + timeout
    acting = Acting(api, helm, told, clock, ask, end, mirror)
    run = _Run(plan.steps, acting, Waiting(api, told, clock, end), Reporting(api, clock), told, clock)
    await run.all()


@dataclass
class _Run:
    steps: Sequence[Step]
    acting: Acting
    waiting: Waiting
    reporting: Reporting
    told: Told
    clock: Clock
    done: list[Step] = field(default_factory=list)
    under_way: list[Step] = field(default_factory=list)

    async def all(self) -> None:
        finished = {step.key: asyncio.Event() for step in self.steps}
        tasks = [asyncio.create_task(self._in_turn(step, finished)) for step in self.steps]
        if not tasks:
            return
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError:
            self.acting.leave = HURRIED
            await _ended(tasks)
            self.told.stopped(self.done, self.under_way)
            raise
        await _ended(tasks)
        await self._raise_first([task for task in tasks if not task.cancelled() and task.exception()])

    async def _raise_first(self, failed: Sequence["asyncio.Task[None]"]) -> None:
        """What is no failure of the cluster is a mistake of ours, and goes first."""
        errors = [error for task in failed if (error := task.exception()) is not None]
        for error in errors:
            if not isinstance(error, _Failed):
                raise error
        found = [error for error in errors if isinstance(error, _Failed)]
        if not found:
            return
        first = min(found, key=lambda each: each.at)
        others = tuple(f"{each.step.key}: {each.error}" for each in found if each is not first)
        report = await self.reporting.report(first.step, first.error, others)
        self.told.failed(first.step, f"{report.wanted}: {report.found}")
        raise StepFailed(report)

    async def _in_turn(self, step: Step, finished: dict[str, asyncio.Event]) -> None:
        for need in step.needs:
            if need in finished:
                await finished[need].wait()
        await self._step(step)
        finished[step.key].set()

    async def _step(self, step: Step) -> None:
        began = self.clock.monotonic()
        self.told.begun(step)
        self.under_way.append(step)
        try:
            for action in step.actions:
                await self.acting.do(step, action)
            await self.waiting.all(step)
        except (NotDone, GaveUp, MaasError) as error:
            raise _Failed(step, error, self.clock.monotonic()) from None
        self.under_way.remove(step)
        self.done.append(step)
        self.told.done(step, self.clock.monotonic() - began)


class _Failed(Exception):
    def __init__(self, step: Step, error: NotDone | GaveUp | MaasError, at: float) -> None:
        super().__init__(str(error))
        self.step, self.error, self.at = step, error, at


async def _ended(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
