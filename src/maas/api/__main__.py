"""The control plane's process: admission and the management API, each on its own unix socket, on one event loop."""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from maas.api.control import Control
from maas.domain.errors import MaasError
from maas.embedded import assembly, log
from maas.embedded.home import Home

_AT_ONCE = 4096


def main() -> int:
    parser = argparse.ArgumentParser(prog="maas.api", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    home = Home(parser.parse_args().home)
    os.umask(0o077)  # sockets and files are for their owner
    try:
        uvloop.run(_serve(home))
    except (MaasError, OSError) as error:
        log.error("cannot_start", reason=str(error))
        return 1
    except ExceptionGroup as errors:  # half a control plane must not go on: the supervisor starts a whole one
        log.exception("control_plane_failed", errors)
        return 1
    return 0


async def _serve(home: Home) -> None:
    """Admission first: requests wait for it, and the API's framework takes half a second to import."""
    parts = assembly.assemble(home, time.time)
    admission = _server(parts.admission, home.admission_socket, Interfaces.RSGI)
    try:
        async with asyncio.TaskGroup() as group:  # one that fails takes the others, and the process, with it
            works = [*parts.loops(), admission.serve(), _serve_api(home, parts.control)]
            tasks = [group.create_task(work) for work in works]
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, _cancel, tasks)
    finally:
        await parts.close()


async def _serve_api(home: Home, control: Control) -> None:
    await _server(await asyncio.to_thread(_api_app, control), home.api_socket, Interfaces.ASGI).serve()


def _api_app(control: Control) -> Any:
    from maas.api.app import create_app

    return create_app(control)


def _server(target: Any, socket: Path, interface: Interfaces) -> Server:
    socket.unlink(missing_ok=True)  # of a life that was killed; the supervisor runs one of us at a time
    return Server(
        target,
        uds=socket,
        interface=interface,
        http=HTTPModes.http1,  # all that Envoy and the commands speak here
        log_enabled=False,
        websockets=False,
        backlog=_AT_ONCE,  # a full one refuses Envoy's connections, and so its clients; the default is 128
        backpressure=_AT_ONCE,
    )


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    sys.exit(main())
