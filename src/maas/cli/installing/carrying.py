"""A plan is carried out: progress while it runs, and where a step fails what the cluster says of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import typer

from maas.cli.ending import ended_by_signals
from maas.cli.installing import agreement, failing, told
from maas.cli.installing.options import Cluster, Options
from maas.cli.output import notes
from maas.cluster import applying
from maas.cluster.api import Api
from maas.cluster.applying import StepFailed
from maas.cluster.connection import connect
from maas.cluster.helm import Helm, usable
from maas.cluster.plan.model import Chart, Plan, Uninstall
from maas.cluster.wanted import Wanted

T = TypeVar("T")


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
    cluster, manner = options.cluster, options.manner
    try:
        with interruptible(), told.shown(plan) as lines:

            async def ask(question: str) -> bool:
                if manner.yes or not agreement.is_somebody_there():
                    return manner.yes
                with lines.paused():
                    return await asyncio.to_thread(typer.confirm, question, err=True)

            async def work(api: Api) -> None:
                helm = helm_of(cluster, api, manner.mirror)
                clock, mirror = Clock(), manner.mirror
                await applying.carry_out(plan, api, helm, lines, clock, timeout=manner.timeout, ask=ask, mirror=mirror)

            connected(cluster, work)
    except StepFailed as failed:
        failing.tell(options, wanted, failed)
        raise typer.Exit(failed.exit_code) from None


def helm_of(cluster: Cluster, api: Api, mirror: Path | None = None) -> Helm:
    return Helm(api, cluster.kubeconfig, cluster.context, mirror)


def require_helm(plan: Plan) -> None:
    """Where it is needed, it is missed before anything is changed. Raises MaasError."""
    if any(isinstance(action, Chart | Uninstall) for step in plan.steps for action in step.actions):
        asyncio.run(usable())


def connected(cluster: Cluster, work: Callable[[Api], Awaitable[T]]) -> T:
    """What `work` returns; signals end it by way of its own cleaning up."""

    async def whole() -> T:
        async with connect(cluster.context, cluster.kubeconfig) as api:
            return await work(api)

    return asyncio.run(ended_by_signals(whole()))


@contextmanager
def interruptible() -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        notes().print("Interrupted. Nothing is lost: the same command goes on from here.")
        raise
