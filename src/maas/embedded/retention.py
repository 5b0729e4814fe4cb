"""Forgetting: records past their time, counters whose window has ended."""

import asyncio
from collections.abc import Callable

from maas.domain.errors import MaasError
from maas.domain.platform import Platform
from maas.embedded import log
from maas.embedded.counters import Counters
from maas.store import Store

_EVERY = 3600.0
_DAY = 86400.0


class Retention:
    def __init__(
        self, store: Store, counters: Counters, platform: Callable[[], Platform], clock: Callable[[], float]
    ) -> None:
        self._store, self._counters, self._platform, self._clock = store, counters, platform, clock

    async def run(self) -> None:
        while True:
            await self.prune()
            await asyncio.sleep(_EVERY)

    async def prune(self) -> None:
        now = self._clock()
        self._counters.forget_ended(now)
        try:
            pruned = await asyncio.to_thread(
                self._store.ledger.prune, now - self._platform().usage_days * _DAY, now=now
            )
        except MaasError as error:
            log.error("retention_failed", reason=str(error))
            return
        if pruned:
            log.info("usage_pruned", records=pruned)
