"""How live requests get to the gateway of a cluster: by its own address, or by one that is opened for the moment."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from maas.cli.frame import home
from maas.cli.installing import arrival, forwarding
from maas.cli.installing.options import Cluster
from maas.cluster.api import Api
from maas.cluster.facts.model import Facts, NotRead
from maas.domain.errors import MaasError
from maas.readiness.traffic.addresses import endpoints
from maas.readiness.traffic.answers import MODELS
from maas.readiness.traffic.calling import Caller
from maas.readiness.traffic.site import Endpoint

_MOST = 20  # addresses


@dataclass(frozen=True)
class Way:
    """url: "" for the gateway's own address. why_not: why that cannot be reached from here, and nothing else either."""

    url: str = ""
    by_forwarding: bool = False
    why_not: str = ""


@contextmanager
def found(cluster: Cluster, facts: Facts, url: str, say: Callable[[str], None]) -> Iterator[Way]:
    """url: what somebody named, which is taken as it is. What is opened is closed behind it, and both are said."""
    if url or asyncio.run(_is_reached(facts, cluster.namespace)):
        yield Way(url)
        return
    entry = forwarding.entry_in(facts, cluster.namespace)
    if entry is None:
        yield Way(why_not="the gateway has no address that can be reached from here, and no Service")
        return
    with forwarding.opened(cluster, entry) as way:
        if isinstance(way, forwarding.Closed):
            say(f"{way.why}.\n--url names an address that this machine can reach.")
            yield Way(why_not=way.why)
            return
        say(f"The gateway has no address that can be reached from here:\nopened a port-forward to it, {way.url}")
        yield Way(way.url, by_forwarding=True)
    say("Closed the port-forward.")


@contextmanager
def believed(ca: str) -> Iterator[Path | None]:
    """A file with the platform's own CA: this one, or the one that an installation left in $MAAS_HOME."""
    left = arrival.ca_file(home())
    if not ca:
        yield left if left.exists() else None
        return
    with tempfile.TemporaryDirectory(prefix="maas-") as folder:
        file = Path(folder) / "ca.crt"
        file.write_text(ca)
        yield file


async def ca_of(api: Api, namespace: str) -> str:
    """In PEM; "" where there is none, or who asks may not see it."""
    try:
        return await arrival.ca(api, namespace)
    except MaasError:
        return ""


async def _is_reached(facts: Facts, namespace: str) -> bool:
    """What was not read is told by who wants to call it."""
    try:
        known = (await endpoints(facts, namespace))[:_MOST]
    except NotRead:
        return True
    return any(await _answering(known))


async def _answering(known: Sequence[Endpoint]) -> list[bool]:
    return await asyncio.gather(*map(_answers, known))


async def _answers(endpoint: Endpoint) -> bool:
    caller = Caller(endpoint, verify=False)
    try:
        return bool((await caller.get(MODELS)).status)
    finally:
        await caller.close()
