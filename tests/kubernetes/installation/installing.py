"""An installation as the command makes it, without the command: read, planned, carried out. And its uninstallation."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maas.cluster import sites, uninstalling
from maas.cluster.applying import carry_out
from maas.cluster.connection import connect
from maas.cluster.facts import live
from maas.cluster.facts.model import Facts
from maas.cluster.helm import Helm
from maas.cluster.plan.model import Action, Plan, Step, Wait
from maas.cluster.plan.planning import plan
from maas.cluster.uninstalling import Removal, Stay
from maas.cluster.wanted import Wanted
from maas.domain import platform_file

_TIMEOUT = 200.0


class Clock:
    """Real, but with no patience for the longest pauses between looks."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.3))


@dataclass
class Heard:
    """What was told. dies_at: this process is killed, as by kill -9, when it hears that many things."""

    dies_at: int = 0
    said: Callable[[str], None] = lambda words: None
    steps: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    acts: int = 0

    def begun(self, step: Step) -> None:
        self._hear(f"{step.key} begun")
        self.steps.append(step.key)

    def acted(self, step: Step, action: Action, note: str) -> None:
        self.acts += 1
        self._hear(f"{step.key}: {type(action).__name__} {note}")
        if self.dies_at and self.acts >= self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def noted(self, step: Step, text: str) -> None:
        self.notes.append(f"{step.key}: {text}")
        self._hear(f"{step.key} notes {text}")

    def waiting(self, step: Step, wait: Wait, why: str, seconds: float) -> None:
        if (words := f"{wait.what}: {why}") not in self.waits:
            self.waits.append(words)
            self._hear(f"{step.key} waits: {words}")

    def done(self, step: Step, seconds: float) -> None:
        self._hear(f"{step.key} done in {seconds:.1f} s")

    def failed(self, step: Step, message: str) -> None:
        self._hear(f"{step.key} failed: {message}")

    def stopped(self, done: Sequence[Step], under_way: Sequence[Step]) -> None:
        self._hear("stopped")

    def _hear(self, words: str) -> None:
        self.said(words)


@dataclass(frozen=True)
class Installer:
    """kubeconfig: of whoever installs."""

    kubeconfig: Path
    mirror: Path | None = None
    namespace: str = "llm"
    gpu_operator: bool = False
    maas_yaml: str = ""

    def plan(self) -> Plan:
        return asyncio.run(self._plan())

    def install(self, told: Heard | None = None) -> Plan:
        """What was to be done, when it is done."""
        return asyncio.run(self._install(told or Heard()))

    def removal(self, *, keep_crds: bool = False, keep_operators: bool = False) -> Removal:
        return asyncio.run(self._removal(keep_crds, keep_operators))

    def uninstall(
        self, told: Heard | None = None, *, keep_crds: bool = False, keep_operators: bool = False
    ) -> Sequence[Stay]:
        return asyncio.run(self._uninstall(told or Heard(), keep_crds, keep_operators))

    def facts(self) -> Facts:
        """As `maas validate` and `maas doctor` read them."""
        return asyncio.run(self._facts(logs=True))

    async def _facts(self, *, logs: bool) -> Facts:
        async with connect(kubeconfig=self.kubeconfig) as api:
            return await live.read(api, deadline=60, ours=True, tools=False, logs=logs)

    async def _plan(self) -> Plan:
        facts = await self._facts(logs=False)
        written = self.maas_yaml or platform_file.default_text()
        wanted = Wanted(
            platform_file.load(written),
            sites.of(facts, self.namespace),
            self.namespace,
            gpu_operator=self.gpu_operator,
            document=written,
        )
        return plan(wanted, facts)

    async def _install(self, told: Heard) -> Plan:
        found = await self._plan()
        async with connect(kubeconfig=self.kubeconfig) as api:
            helm = Helm(api, self.kubeconfig, mirror=self.mirror)
            await carry_out(found, api, helm, told, Clock(), timeout=_TIMEOUT, ask=_yes, mirror=self.mirror)
        return found

    async def _removal(self, keep_crds: bool, keep_operators: bool) -> Removal:
        async with connect(kubeconfig=self.kubeconfig) as api:
            ours = await uninstalling.find(api, Helm(api, self.kubeconfig))
        return uninstalling.removal_of(ours, keep_crds=keep_crds, keep_operators=keep_operators, home=self.namespace)

    async def _uninstall(self, told: Heard, keep_crds: bool, keep_operators: bool) -> Sequence[Stay]:
        removal = await self._removal(keep_crds, keep_operators)
        async with connect(kubeconfig=self.kubeconfig) as api:
            helm = Helm(api, self.kubeconfig)
            return await uninstalling.carry_out(removal, api, helm, told, Clock(), timeout=_TIMEOUT)


async def _yes(question: str) -> bool:
    return True
