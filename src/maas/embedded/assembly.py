"""The control plane put together: what is made once, in which order, and what runs as long as it does."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from maas.embedded import instances, settings
from maas.embedded.admission import AdmissionEndpoint, View
from maas.embedded.control import EmbeddedControl
from maas.embedded.gateway_watch import GatewayWatch
from maas.embedded.home import Home
from maas.embedded.keyring import Keyring, load_pepper
from maas.embedded.metering import Metering
from maas.embedded.metrics import Metrics
from maas.embedded.platform import applied
from maas.embedded.retention import Retention
from maas.embedded.rollout import Rollout
from maas.embedded.scraping import Scraper
from maas.store import Store


@dataclass(frozen=True)
class Parts:
    admission: AdmissionEndpoint
    control: EmbeddedControl
    metering: Metering
    store: Store
    rollout: Rollout
    watch: GatewayWatch
    retention: Retention
    scraper: Scraper

    def loops(self) -> list[Coroutine[Any, Any, None]]:
        return [
            self.metering.follow(),
            self.metering.commit_regularly(),
            self.watch.run(),
            self.rollout.keep_house(),
            self.rollout.loading.follow(),
            self.retention.run(),
            self.scraper.follow(),
        ]

    async def close(self) -> None:
        """Write what has settled; what is under way stays in the journal for the next life."""
        self.metering.drain()
        await self.metering.commit()
        self.metering.close()
        await asyncio.to_thread(self.store.close)


def assemble(home: Home, clock: Callable[[], float]) -> Parts:
    """Raises MaasError with what is wrong: the platform file, the database, a lost secret."""
    platform = applied(home)
    store = Store.open(settings.load(home).database_url or f"sqlite:///{home.database}")
    known = store.keys.all()
    pepper = load_pepper(home.pepper, keys_exist=bool(known))
    served = {name: instance.name for name, instance in instances.instances(platform, home).items()}
    view = View(platform, {key.hash: key for key in known}, served)
    metering = Metering(home, store, lambda: view.platform, clock)
    rollout = Rollout(home, view, metering)
    scraper = Scraper(rollout.sockets)
    metrics = Metrics(scraper.text)
    metering.on_record = metrics.record
    keyring = Keyring(view, store, pepper, clock)
    metering.on_used = keyring.used
    control = EmbeddedControl(home, store, view, metering, metrics, keyring, rollout, clock)
    endpoint = AdmissionEndpoint(view, metering, pepper, metrics, rollout.loading, clock)
    retention = Retention(store, metering.counters, lambda: view.platform, clock)
    return Parts(endpoint, control, metering, store, rollout, GatewayWatch(home, metering), retention, scraper)
