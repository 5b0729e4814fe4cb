"""Moving the running platform to another description without a failed request.

What is new is started first and made known to the gateway; then admission changes its mind, in one assignment;
then what is no longer wanted is stopped, once nothing that was admitted to it is under way. A step that fails
before the assignment is undone, and nobody has noticed.

Where a model is replaced and there is no room for both servers, as with vLLM on one GPU, the old one is stopped first,
once its answers have come to their end. Requests meanwhile are told that the model is loading, or wait, as described.
If the new one does not start, the old one is started again.
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
from maas.embedded.supervisor.status import FAILED, READY, ProcessStatus, Status
from maas.embedded.trouble import end_of, is_in_trouble, lacked_room, last_said

_POLL = 0.05
_RETIRE_EVERY = 0.5
_RENEWAL_EVERY = 6 * 3600.0
_KEYS_EVERY = 5.0
_LAST_ANSWERS = 60.0  # seconds for those of a server that has to go before its successor can start


class _NoRoom(Unavailable):
    """For a server beside the one that it replaces."""

    def __init__(self, message: str, instance: str) -> None:
        super().__init__(message)
        self.instance = instance


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
            old, served = self._view.platform.gateway, self._view.instances
            await asyncio.to_thread(ports.require_free, platform.gateway, old)
            try:
                both = await self._started(both, wanted)
                await self._route(platform.gateway, both)
            except (MaasError, OSError):
                self._running, self._view.instances = before, served
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
                if not renew_at:
                    await self._bring_back()
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

    async def _bring_back(self) -> None:
        """What a former life had stopped, to make room, when it was killed."""
        wanted = {name for name, instance in self._running.items() if instance.process}
        if client.status(self._home) and wanted - _processes(self._home):
            await asyncio.to_thread(self._want, self._running)

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

    async def _started(self, both: dict[str, Instance], wanted: Mapping[str, Instance]) -> dict[str, Instance]:
        """What runs once all that is new does: less than both, if some had to make room for their successors."""
        served, fresh = self._view.instances, both.keys() - self._running.keys()
        successors = {new.name: served[name] for name, new in wanted.items() if name in served and new.name in fresh}
        gone: list[str] = []
        while True:
            try:
                await self._start(both, fresh, successors)
            except _NoRoom as full:
                both = await self._make_room(both, full.instance, successors[full.instance])
                gone.append(both[full.instance].model.name)
            except Unavailable as error:
                if gone:
                    raise Unavailable(f"{error}\nThe former server of {', '.join(gone)} is started again") from error
                raise
            else:
                return both

    async def _make_room(self, both: dict[str, Instance], fresh: str, leaving: str) -> dict[str, Instance]:
        """Raises Unavailable when the old server's answers don't end."""
        model = both[fresh].model.name
        log.info("making_room", model=model, stopping=leaving)
        left = {name: instance for name, instance in both.items() if name != leaving}
        without = {name: instance for name, instance in left.items() if name != fresh}
        await asyncio.to_thread(self._want, {**without, leaving: both[leaving]})
        await self._route(self._view.platform.gateway, both)
        self._running = both
        self._view.instances = {**self._view.instances, model: fresh}
        self.loading.refresh()
        await self._come_to_an_end(leaving)
        await self._stop(without, leaving)
        return left

    async def _come_to_an_end(self, instance: str) -> None:
        deadline = time.monotonic() + _LAST_ANSWERS
        while self._metering.under_way(instance):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"there is no room for the new server of {instance.partition('@')[0]} beside the old one, and that"
                    f" one is still answering after {_LAST_ANSWERS:g} s; nothing was changed, try again later"
                )
            await asyncio.sleep(_POLL)

    async def _stop(self, running: Mapping[str, Instance], leaving: str) -> None:
        generation = await asyncio.to_thread(self._want, running)
        while not _is_gone(client.status(self._home), generation, leaving):  # noqa: ASYNC110 (another process ends it)
            await asyncio.sleep(_POLL)

    async def _start(
        self, running: Mapping[str, Instance], fresh: Iterable[str], successors: Mapping[str, str]
    ) -> None:
        """Raises Unavailable; and _NoRoom at the first death of one that finds no room beside its predecessor."""
        waiting = {name for name in fresh if running[name].process}
        generation = await asyncio.to_thread(self._want, running)
        patience = max((running[name].patience for name in waiting), default=0.0)
        deadline = time.monotonic() + patience
        while waiting:
            current = client.status(self._home)
            if current and current.generation == generation:
                for process in current.processes:
                    if process.name not in waiting or process.state == READY:
                        continue
                    if _has_a_server(running, successors.get(process.name)) and lacked_room(process):
                        raise _NoRoom(_failed(process), process.name)
                    if process.state == FAILED:
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
    said = "".join(f"\n  {line}" for line in last_said(process))
    ended = f"{process.name} does not start ({process.last_exit}): {end_of(process)}"
    return ended + (f"\nIts last lines:{said}" if said else "") + f"\nIts log is {process.log}"


def _has_a_server(running: Mapping[str, Instance], instance: str | None) -> bool:
    found = running.get(instance or "")
    return found is not None and found.process is not None


def _is_gone(current: Status | None, generation: str, process: str) -> bool:
    if current is None or current.generation != generation:
        return False
    return process not in {each.name for each in current.processes}


def _state(process: ProcessStatus) -> ModelState:
    return ModelState(process.state, end_of(process) if is_in_trouble(process) else None)


def _by_name(served: Iterable[Instance]) -> dict[str, Instance]:
    return {instance.name: instance for instance in served}
