"""The platform on this machine as a whole: start it, stop it, say how it is.

What runs is written down (processes.py), and the supervisor makes it so. Once the platform runs, its control plane
alone writes that, and Envoy's files: a change from outside would reach the gateway and not admission. Commands that
change a running platform therefore ask its management API.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from maas.domain import platform_file
from maas.domain.errors import Conflict, NotFound, Unavailable
from maas.domain.platform import Gateway, Platform
from maas.embedded import addresses, instances, ports, processes
from maas.embedded.atomic import replace
from maas.embedded.envoy import admin, files
from maas.embedded.gateway import described
from maas.embedded.home import Home
from maas.embedded.supervisor import client
from maas.embedded.supervisor.status import Status

READY_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 90.0  # the longest grace of each of three orders, with time to spare

_CORE = frozenset({processes.CONTROL, processes.GATEWAY})

Progress = Callable[[Status], None]


def configuration(home: Home) -> Platform:
    """Raises NotFound when there is no maas.yaml, InvalidPlatform when it is wrong."""
    try:
        text = home.config.read_text()
    except FileNotFoundError:
        raise NotFound(f"{home.config} does not exist; `maas init` writes one to start from") from None
    return platform_file.load(text, str(home.config))


def applied(home: Home) -> Platform:
    """What was last put in force. A control plane that comes back must not take up what is still being edited."""
    return platform_file.load(home.applied.read_text()) if home.applied.exists() else configuration(home)


def start(home: Home, *, foreground: bool = False, progress: Progress = lambda _: None) -> None:
    """Returns when everything is ready; in the foreground, never: this process becomes the supervisor.

    Raises Conflict for a taken port or when it runs already, and Unavailable that names the part which failed.

    When that is the control plane or the gateway, everything is stopped again: nobody would be served, ports would be
    held, and a command that failed should leave nothing behind. systemd, which is to go on trying, runs the foreground.
    A model that fails is no reason to take the others away: those are left running, and its own tries go on.
    """
    home.prepare()
    platform = configuration(home)
    if runs(home):
        raise Conflict("the platform runs already; `maas down` stops it")
    client.clear(home)
    ports.require_free(platform.gateway)
    served = instances.instances(platform, home).values()
    config = described(home, platform.gateway, served)
    files.write(config)
    replace(home.applied, home.config.read_bytes())
    generation = client.want(home, processes.specs(home, served))
    if foreground:
        os.execv(*_supervisor(home))
    client.launch(home)
    try:
        client.wait_ready(home, generation, timeout=READY_TIMEOUT, on_change=progress, only=_CORE)
        asyncio.run(admin.in_force(home, config, within=READY_TIMEOUT))  # Envoy also runs without what it rejected
    except (client.KeepsFailing, admin.Rejected) as failure:
        stop(home)
        raise Unavailable(f"{failure}\nThe platform has been stopped again") from failure
    wait_ready(home, progress)


def runs(home: Home) -> bool:
    return client.running(home) is not None


def wait_changeable(home: Home, progress: Progress = lambda _: None) -> None:
    """Until a platform that runs can be asked for changes. What waits to be tried again is tried now.

    Raises Unavailable.
    """
    with _still_tried():
        client.wait_ready(home, client.hurry(home), timeout=READY_TIMEOUT, on_change=progress, only=_CORE)


def wait_ready(home: Home, progress: Progress = lambda _: None) -> None:
    """Until all that maas.yaml names is ready, in a platform that runs. Raises Unavailable."""
    served = instances.instances(configuration(home), home).values()
    wanted = {spec.name for spec in processes.specs(home, served)}
    patience = max((instance.patience for instance in served if instance.process), default=READY_TIMEOUT)
    with _still_tried():
        client.wait_ready(home, timeout=patience, on_change=progress, only=wanted)


@contextmanager
def _still_tried() -> Iterator[None]:
    try:
        yield
    except client.KeepsFailing as failure:
        raise Unavailable(f"{failure}\nThe supervisor goes on trying; `maas down` stops everything") from failure


def stop(home: Home) -> bool:
    """False if it was not running."""
    return client.stop(home, timeout=STOP_TIMEOUT)


def status(home: Home) -> Status | None:
    """None if it is not running."""
    return client.status(home)


def endpoints(gateway: Gateway) -> list[str]:
    """Base URLs for clients, the preferred one first."""
    secure = f"https://{addresses.public_host(gateway)}:{gateway.https_port}/v1"
    if gateway.remote:
        return [secure]
    return [f"http://{addresses.in_url(gateway.bind)}:{gateway.http_port}/v1", secure]


def _supervisor(home: Home) -> tuple[str, list[str]]:
    arguments = client.command(home, "--foreground")
    return arguments[0], arguments
