"""The platform on this machine as a whole: start it, stop it, say how it is.

What runs is written down (processes.py), and the supervisor makes it so. Starting a platform that is up means to write
it down again: what has not changed is left alone.
"""

import os
from collections.abc import Callable

from maas.domain import platform_file
from maas.domain.errors import Conflict, NotFound
from maas.domain.platform import Gateway, Platform
from maas.embedded import instances, ports, processes
from maas.embedded.envoy import files
from maas.embedded.gateway import described
from maas.embedded.home import Home
from maas.embedded.supervisor import client
from maas.embedded.supervisor.status import Status

READY_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 90.0  # the longest grace of each of three orders, with time to spare

Progress = Callable[[Status], None]


def configuration(home: Home) -> Platform:
    """Raises NotFound when there is no maas.yaml, InvalidPlatform when it is wrong."""
    try:
        text = home.config.read_text()
    except FileNotFoundError:
        raise NotFound(f"{home.config} does not exist; `maas init` writes one to start from") from None
    return platform_file.load(text, str(home.config))


def start(home: Home, *, foreground: bool = False, progress: Progress = lambda _: None) -> None:
    """Returns when everything is ready; in the foreground, never: this process becomes the supervisor.

    Raises Conflict for a taken port, and Unavailable that names the part which failed.
    """
    home.prepare()
    platform = configuration(home)
    running = client.running(home)
    if running and foreground:
        raise Conflict("the platform runs in the background already; `maas down` stops it")
    if not running:
        ports.require_free(platform.gateway)
    served = instances.instances(platform, home).values()
    files.write(described(home, platform.gateway, served))
    generation = client.want(home, processes.specs(home, served))
    if foreground:
        os.execv(*_supervisor(home))
    if not running:
        client.launch(home)
    client.wait_ready(home, generation, timeout=READY_TIMEOUT, on_change=progress)


def stop(home: Home) -> bool:
    """False if it was not running."""
    return client.stop(home, timeout=STOP_TIMEOUT)


def status(home: Home) -> Status | None:
    """None if it is not running."""
    return client.status(home)


def endpoints(gateway: Gateway) -> list[str]:
    """Base URLs for clients, the preferred one first."""
    host = gateway.hosts[0] if gateway.hosts else gateway.bind
    if gateway.remote:
        return [f"https://{host}:{gateway.https_port}/v1"]
    return [f"http://{host}:{gateway.http_port}/v1", f"https://{host}:{gateway.https_port}/v1"]


def _supervisor(home: Home) -> tuple[str, list[str]]:
    arguments = client.command(home, "--foreground")
    return arguments[0], arguments
