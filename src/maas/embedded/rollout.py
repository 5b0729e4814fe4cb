"""Moving the running platform to another description without a failed request.

What is new is started first and made known to the gateway; then admission changes its mind, in one assignment;
then what is no longer wanted is stopped, once nothing that was admitted to it is under way. A step that fails
before the assignment is undone, and nobody has noticed.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from maas.domain.errors import MaasError, Unavailable
from maas.domain.platform import Gateway, Platform
from maas.domain.reports import ModelState
from maas.embedded import credentials, instances, log, ports, processes
from maas.embedded.admission import View
from maas.embedded.atomic import replace
from maas.embedded.envoy import admin, files
from maas.embedded.gateway import certificate_trouble, described
from maas.embedded.home import Home
from maas.embedded.instances import Instance
from maas.embedded.loading import Loading
from maas.embedded.metering import Metering
from maas.embedded.supervisor import client
from maas.embedded.supervisor.status import BACKOFF, FAILED, READY, ProcessStatus
from maas.embedded.trouble import end_of

_POLL = 0.05
_RETIRE_EVERY = 0.5
_RENEWAL_EVERY = 6 * 3600.0
_KEYS_EVERY = 5.0


class Rollout:
    def __init__(self, home: Home, view: View, metering: Metering) -> None:
        self._home, self._view, self._metering = home, view, metering
        self._lock = asyncio.Lock()
        self.certificate_trouble: str | None = None
        self.credentials_trouble: str | None = None
        self.loading = Loading(self.statuses)
        self._running = _by_name(instances.instances(view.platform, home).values())
        self._left_over = _processes(home) - self._running.keys()  # by a former life that was to retire them

    async def to(self, platform: Platform, text: str) -> None:
        """Returns when it is in force. Raises Unavailable or Conflict when it can't be; then nothing has changed."""
        async with self._lock:
            before = self._running
            wanted = instances.instances(platform, self._home)
            both = before | _by_name(wanted.values())
            old = self._view.platform.gateway
            await asyncio.to_thread(ports.require_free, platform.gateway, old)
            try:
                await self._start(both, both.keys() - before.keys())
                await self._route(platform.gateway, both)
            except (MaasError, OSError):
                await self._undo(old, before)
                raise
            replace(self._home.config, text.encode())
            replace(self._home.applied, text.encode())
            self._view.platform = platform
            self._view.instances = {name: instance.name for name, instance in wanted.items()}
            self._running = both
            self.loading.refresh()

    async def keep_house(self) -> None:
        """Retire what is no longer wanted, renew the certificate, follow keys of others, as long as this runs."""
        renew_at = look_at = 0.0  # at first, in case a former life was killed between two of its steps
        while True:
            await asyncio.sleep(_RETIRE_EVERY)
            try:
                await self._retire()
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + _KEYS_EVERY
                    if await self._keys_changed():
                        renew_at = 0.0
                if time.monotonic() >= renew_at:
                    await self._renew()
                    renew_at = time.monotonic() + _RENEWAL_EVERY
            except (MaasError, OSError) as error:
                log.error("housekeeping_failed", reason=str(error))

    def statuses(self) -> Mapping[str, ModelState]:
        """By model: "ready", "starting", "failed", or "external"."""
        current = client.status(self._home)
        states = {process.name: _state(process) for process in current.processes} if current else {}
        starting, elsewhere = ModelState("starting" if current else "unknown"), ModelState("external")
        return {
            name: states.get(instance, starting) if self._running[instance].process else elsewhere
            for name, instance in self._view.instances.items()
        }

    def sockets(self) -> Mapping[str, Path]:
        """Of the models whose servers are ready, where those listen. As of the last look at them."""
        served = {name: self._running[instance] for name, instance in self._view.instances.items()}
        ready = {name for name in served if self.loading.trouble(name) is None}
        return {name: instance.socket for name, instance in served.items() if name in ready and instance.process}

    async def _keys_changed(self) -> bool:
        platform = self._view.platform
        self.credentials_trouble = await asyncio.to_thread(credentials.trouble, platform)
        return await asyncio.to_thread(credentials.changed, platform)

    async def _renew(self) -> None:
        async with self._lock:
            await self._route(self._view.platform.gateway, self._running)

    async def _retire(self) -> None:
        async with self._lock:
            unwanted = (self._running.keys() | self._left_over) - set(self._view.instances.values())
            idle = {name for name in unwanted if not self._metering.under_way(name)}
            if idle:
                left = {name: instance for name, instance in self._running.items() if name not in idle}
                await self._route(self._view.platform.gateway, left)
                await asyncio.to_thread(self._want, left)
                self._running = left
                self._left_over -= idle
                log.info("retired", instances=sorted(idle))

    async def _start(self, running: Mapping[str, Instance], fresh: Iterable[str]) -> None:
        waiting = {name for name in fresh if running[name].process}
        generation = await asyncio.to_thread(self._want, running)
        patience = max((running[name].patience for name in waiting), default=0.0)
        deadline = time.monotonic() + patience
        while waiting:
            current = client.status(self._home)
            if current and current.generation == generation:
                for process in current.processes:
                    if process.name in waiting and process.state == FAILED:
                        raise Unavailable(_failed(process))
                waiting -= {process.name for process in current.processes if process.state == READY}
            if time.monotonic() > deadline:
                raise Unavailable(f"{', '.join(sorted(waiting))} is not ready after {patience:g} s")
            await asyncio.sleep(_POLL)

    async def _route(self, gateway: Gateway, running: Mapping[str, Instance]) -> None:
        await admin.apply(self._home, await self._described(gateway, running))
        self.certificate_trouble = await asyncio.to_thread(certificate_trouble, gateway)
        if self.certificate_trouble:
            log.warning("certificate_out_of_time", reason=self.certificate_trouble)

    async def _undo(self, gateway: Gateway, running: Mapping[str, Instance]) -> None:
        """Best effort: the first error is the one to tell, and admission never used any of it."""
        try:
            await asyncio.to_thread(self._want, running)
            files.write(await self._described(gateway, running))
        except (MaasError, OSError) as error:
            log.error("undo_failed", reason=str(error))

    def _want(self, running: Mapping[str, Instance]) -> str:
        return client.want(self._home, processes.specs(self._home, running.values()))

    async def _described(self, gateway: Gateway, running: Mapping[str, Instance]) -> files.Configuration:
        return await asyncio.to_thread(described, self._home, gateway, running.values())


def _processes(home: Home) -> set[str]:
    """The model servers that the supervisor runs, by instance."""
    current = client.status(home)
    return {process.name for process in current.processes if "@" in process.name} if current else set()


def _failed(process: ProcessStatus) -> str:
    return f"{process.name} does not start ({process.last_exit}): {end_of(process)}\nIts log is {process.log}"


def _state(process: ProcessStatus) -> ModelState:
    ended = process.state in (FAILED, BACKOFF)
    return ModelState(process.state, end_of(process) if ended else None)


def _by_name(served: Iterable[Instance]) -> dict[str, Instance]:
    return {instance.name: instance for instance in served}
