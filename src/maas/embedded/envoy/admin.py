"""Envoy's administration, over its unix socket: is what was written in force, and if not, why.

Spoken with the standard library in a thread: a few GETs to our own child process are not worth a client that every
start of the platform would have to import.
"""

import asyncio
import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace

from maas.domain.errors import Unavailable
from maas.embedded.envoy.files import Configuration, write
from maas.embedded.envoy.names import Json
from maas.embedded.home import Home

_POLL = 0.02
_REASON_MAX = 500  # characters; before its reason, Envoy repeats the whole configuration
_DISCOVERY = {"cds": "cluster_manager.cds", "lds": "listener_manager.lds"}
_WARMING = ("cluster_manager.warming_clusters", "listener_manager.total_listeners_warming")
_STATS = "/stats?filter=^(cluster_manager.(cds|warming)|listener_manager.(lds|total_listeners_warming)|server.state)"


class Rejected(Unavailable):
    """Envoy kept its former configuration; the message has its reason."""


@dataclass(frozen=True)
class State:
    """versions: in force, by "cds" and "lds". rejected: updates refused so far. settled: nothing is still warming."""

    versions: Mapping[str, str]
    rejected: int
    settled: bool


async def apply(home: Home, config: Configuration, *, within: float = 10.0) -> None:
    """Write it and wait until a running Envoy follows it. Raises Rejected, Unavailable, OSError.

    What Envoy rejects is taken back: it would be the end of an Envoy that starts again with it.
    """
    before = await state(home)
    former = {path: path.read_bytes() for path in config.files if path.exists()}
    write(config)
    try:
        await in_force(home, config, within=within, rejected_before=before.rejected)
    except Rejected:
        write(replace(config, files=former))
        raise


async def in_force(home: Home, config: Configuration, *, within: float = 10.0, rejected_before: int = 0) -> None:
    """Wait until Envoy, which may still be starting, follows this configuration. Raises Rejected, Unavailable."""
    try:
        async with asyncio.timeout(within):
            while not await _follows(home, config, rejected_before):  # noqa: ASYNC110 (another process sets it)
                await asyncio.sleep(_POLL)
    except TimeoutError as error:
        raise Unavailable(f"Envoy did not take over its configuration within {within:g} s.") from error


async def state(home: Home) -> State:
    """Raises OSError when Envoy does not answer."""
    stats = dict(_lines(await get(home, _STATS)))
    return State(
        versions={kind: stats.get(f"{name}.version_text", "").strip('"') for kind, name in _DISCOVERY.items()},
        rejected=sum(int(stats.get(f"{name}.update_rejected", 0)) for name in _DISCOVERY.values()),
        settled=all(stats.get(name) == "0" for name in _WARMING) and stats.get("server.state") == "0",
    )


async def stop(home: Home, *, within: float = 30.0) -> None:
    """End gracefully: no new connections, the answers under way finish, but at most `within` seconds are waited.

    Raises OSError when Envoy does not answer.
    """
    await post(home, "/healthcheck/fail")  # from now on every answer asks its client to connect anew, elsewhere
    await post(home, "/drain_listeners")
    try:
        async with asyncio.timeout(within):
            while await _active_requests(home):  # noqa: ASYNC110 (another process finishes them)
                await asyncio.sleep(_POLL)
    except TimeoutError:
        pass
    await post(home, "/quitquitquit")


async def get(home: Home, path: str) -> bytes:
    """Raises OSError when Envoy does not answer."""
    return await _exchange(home, "GET", path)


async def post(home: Home, path: str) -> bytes:
    """For commands, such as "/reopen_logs". Raises OSError when Envoy does not answer."""
    return await _exchange(home, "POST", path)


async def _active_requests(home: Home) -> int:
    stats = _lines(await get(home, "/stats?filter=^http.https?.downstream_rq_active"))
    return sum(int(value) for _, value in stats)


async def _follows(home: Home, config: Configuration, rejected_before: int) -> bool:
    try:
        now = await state(home)
    except OSError:  # it is still starting
        return False
    if now.rejected > rejected_before:
        raise Rejected(f"Envoy refused its configuration: {await _reason(home)}")
    return now.settled and now.versions == config.versions


async def _reason(home: Home) -> str:
    dump: Json = json.loads(await get(home, "/config_dump?resource=dynamic_listeners"))
    errors = [error["details"] for entry in dump.get("configs", ()) if (error := entry.get("error_state"))]
    return (errors[-1].strip() if errors else _logged_reason(home))[-_REASON_MAX:]


def _logged_reason(home: Home) -> str:
    """Of clusters, Envoy tells the reason nowhere else."""
    lines = (home.logs / "gateway.log").read_text(errors="replace").splitlines()
    rejected = (line.partition("rejected: ")[2] for line in reversed(lines) if "rejected: " in line)
    return next(rejected, "its log does not say why")


def _lines(stats: bytes) -> list[tuple[str, str]]:
    pairs = (line.partition(": ") for line in stats.decode().splitlines())
    return [(name, value) for name, _, value in pairs]


async def _exchange(home: Home, method: str, path: str) -> bytes:
    return await asyncio.to_thread(_blocking_exchange, home, method, path)


def _blocking_exchange(home: Home, method: str, path: str) -> bytes:
    connection = _UnixConnection(home)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(f"Envoy's administration broke off: {error!r}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise ConnectionError(f"Envoy's administration answered {answer.status} to {path}")
    return body


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, home: Home) -> None:
        super().__init__("envoy", timeout=5)
        self._path = str(home.admin_socket)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
