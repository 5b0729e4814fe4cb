"""A cluster to apply to, somebody who hears what is told, and a clock that does not wait.

async with stage(cluster) as here:
    await here.carry_out(steps)
    here.heard
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maas.cluster.api import Api
from maas.cluster.applying import carry_out
from maas.cluster.connection import connect
from maas.cluster.facts import live
from maas.cluster.facts.model import Facts
from maas.cluster.helm import Helm
from maas.cluster.objects import Object
from maas.cluster.plan.model import Action, Apply, Chart, Plan, Step, Wait
from maas.cluster.plan.ordering import ordered
from tests.kubernetes.cluster import Cluster

LABELS = {"app.kubernetes.io/part-of": "maas"}


@dataclass
class Heard:
    """Told: everything that was told, in order, as words."""

    words: list[str] = field(default_factory=list)

    async def until(self, part: str) -> None:
        await until(lambda: any(part in word for word in self.words))

    def begun(self, step: Step) -> None:
        self.words.append(f"{step.key} begun")

    def acted(self, step: Step, action: Action, note: str) -> None:
        self.words.append(f"{step.key} acted: {note}" if note else f"{step.key} acted")

    def noted(self, step: Step, text: str) -> None:
        self.words.append(f"{step.key} noted: {text}")

    def waiting(self, step: Step, wait: Wait, why: str, seconds: float) -> None:
        said = f"{step.key} waits: {wait.what}: {why}"
        if said not in self.words:
            self.words.append(said)

    def done(self, step: Step, seconds: float) -> None:
        self.words.append(f"{step.key} done")

    def failed(self, step: Step, message: str) -> None:
        self.words.append(f"{step.key} failed: {message}")

    def stopped(self, done: Sequence[Step], under_way: Sequence[Step]) -> None:
        self.words.append(f"stopped: {[s.key for s in done]} done, {[s.key for s in under_way]} under way")


@dataclass
class Hurried:
    """A clock whose seconds pass at once where somebody sleeps; the loop still gets to do its work."""

    skipped: float = 0.0
    real: float = 0.005

    def time(self) -> float:
        return time.time() + self.skipped

    def monotonic(self) -> float:
        return time.monotonic() + self.skipped

    async def sleep(self, seconds: float) -> None:
        self.skipped += seconds
        await asyncio.sleep(self.real)


@dataclass
class Patient:
    """A clock as it is, for what really happens meanwhile."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.1))


class NoHelm(Helm):
    """Of tests without charts: notes which were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Chart] = []

    async def upgrade_install(
        self, chart: Chart, *, dry_run: bool = False, noted: Callable[[str], None] = lambda _: None
    ) -> None:
        self.asked.append(chart)


async def until(happened: Callable[[], bool]) -> None:
    """What is under way in another task, looked at now and then."""
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def yes(question: str) -> bool:
    return True


@dataclass
class Stage:
    api: Api
    heard: Heard
    clock: Any
    helm: Helm

    async def carry_out(
        self,
        steps: Sequence[Step] | Plan,
        *,
        seconds: float = 1200.0,
        ask: Callable[[str], Awaitable[bool]] = yes,
        mirror: Path | None = None,
    ) -> None:
        plan = steps if isinstance(steps, Plan) else Plan(ordered(steps))
        await carry_out(plan, self.api, self.helm, self.heard, self.clock, timeout=seconds, ask=ask, mirror=mirror)

    async def facts(self) -> Facts:
        return await live.read(self.api, deadline=60, tools=False, ours=True)


@asynccontextmanager
async def stage(cluster: Cluster, clock: Any = None, *, url: str | None = None) -> AsyncIterator[Stage]:
    async with connect(kubeconfig=cluster.kubeconfig(url=url)) as api:
        yield Stage(api, Heard(), clock or Hurried(), NoHelm())


def config_map(named: str, namespace: str = "default", **data: str) -> Object:
    metadata = {"name": named, "namespace": namespace, "labels": LABELS}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def step(
    key: str, *objects: Object, needs: Sequence[str] = (), waits: Sequence[Wait] = (), adopt: bool = False
) -> Step:
    actions = tuple(Apply(each, adopt) for each in objects)
    return Step(key, f"the step {key}", "a test wants it", actions, tuple(waits), tuple(needs))
