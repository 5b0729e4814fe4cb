"""A plan is carried out: progress while it runs, and where a step fails what the cluster says of it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from maas.cli.ending import ended_by_signals
from maas.cli.installing import agreement, failing, told
from maas.cli.installing.options import Options
from maas.cli.output import notes
from maas.cluster import applying
from maas.cluster.applying import StepFailed
from maas.cluster.connection import connect
from maas.cluster.helm import Helm
from maas.cluster.plan.model import Plan
from maas.cluster.wanted import Wanted


class Clock:
    """Of applying: the machine's own."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def carried_out(options: Options, wanted: Wanted, plan: Plan) -> None:
    """Ends with exit code 7 where a step fails, after it has told which, why, and what to do."""
    try:
        with _interruptible(), told.shown(plan) as lines:
            asyncio.run(ended_by_signals(_carry_out(options, plan, lines)))
    except StepFailed as failed:
        failing.tell(options, wanted, failed)
        raise typer.Exit(failed.exit_code) from None


async def _carry_out(options: Options, plan: Plan, lines: told.Shown) -> None:
    cluster, manner = options.cluster, options.manner

    async def ask(question: str) -> bool:
        if manner.yes or not agreement.is_somebody_there():
            return manner.yes
        with lines.paused():
            return await asyncio.to_thread(typer.confirm, question, err=True)

    async with connect(cluster.context, cluster.kubeconfig) as api:
        helm = Helm(api, cluster.kubeconfig, cluster.context, manner.mirror)
        await applying.carry_out(plan, api, helm, lines, Clock(), timeout=manner.timeout, ask=ask, mirror=manner.mirror)


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        notes().print("Interrupted. Nothing is lost: the same command goes on from here.")
        raise
