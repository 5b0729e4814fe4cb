"""What the control plane has to know of the gateway's process: that it died, and that its log has grown long."""

import asyncio
import os
import time
from pathlib import Path

from maas.embedded import log
from maas.embedded.envoy import admin
from maas.embedded.home import Home
from maas.embedded.metering import Metering
from maas.embedded.processes import GATEWAY
from maas.embedded.supervisor import paths
from maas.embedded.supervisor.identity import Identity
from maas.embedded.supervisor.status import read_status

LOG_BYTES = 64 * 2**20
KEPT_LOGS = 4
_LOOK_EVERY = 0.2
_TICKS = os.sysconf("SC_CLK_TCK")


class GatewayWatch:
    """What was under way in a gateway that was replaced will never get a line in its log: it is settled as lost."""

    def __init__(self, home: Home, metering: Metering, log_bytes: int = LOG_BYTES) -> None:
        self._home, self._metering, self._log_bytes = home, metering, log_bytes
        self._gateway: Identity | None = None

    async def run(self) -> None:
        while True:
            await self._look()
            await self._rotate()
            await asyncio.sleep(_LOOK_EVERY)

    async def _look(self) -> None:
        gateway = self._current()
        if gateway is None or gateway == self._gateway:
            return
        self._gateway = gateway
        while self._metering.drain():  # noqa: ASYNC110 (it does the work, and lets others in between)
            await asyncio.sleep(0)
        if lost := self._metering.lose(before=_started_at(gateway)):
            log.warning("gateway_replaced", lost_requests=lost, pid=gateway.pid)

    def _current(self) -> Identity | None:
        status = read_status(paths.status(self._home))
        processes = status.processes if status else ()
        return next((process.identity for process in processes if process.name == GATEWAY), None)

    async def _rotate(self) -> None:
        """Rename the log; Envoy opens a new one when told to, and the follower ends the old one first."""
        path = self._home.access_log
        try:
            if path.exists():
                if path.stat().st_size < self._log_bytes or not self._metering.may_rotate:
                    return
                _shift(path)
            elif not path.with_name(f"{path.name}.1").exists():
                return  # Envoy has not begun one
            await admin.post(self._home, "/reopen_logs")
        except OSError as error:
            log.error("log_rotation_failed", reason=str(error))


def _shift(path: Path) -> None:
    for number in range(KEPT_LOGS - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    path.replace(path.with_name(f"{path.name}.1"))


def _started_at(process: Identity) -> float:
    """Seconds since the epoch, to a hundredth."""
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - process.started / _TICKS
    return time.time() - age
