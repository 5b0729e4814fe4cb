"""The control plane's process: admission and the management API, each on its own unix socket, on one event loop."""

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import structlog
import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server

from maas.domain.errors import MaasError
from maas.embedded import assembly
from maas.embedded.home import Home


def main() -> int:
    parser = argparse.ArgumentParser(prog="maas.api", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    home = Home(parser.parse_args().home)
    os.umask(0o077)  # sockets and files are for their owner
    _log_as_json()
    try:
        uvloop.run(_serve(home))
    except (MaasError, OSError) as error:
        structlog.get_logger().error("cannot_start", reason=str(error))
        return 1
    return 0


async def _serve(home: Home) -> None:
    """Admission first: requests wait for it, and the API's framework takes half a second to import."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    parts = assembly.assemble(home, time.time)
    admission = _server(parts.admission, home.admission_socket, Interfaces.RSGI)
    background = [asyncio.create_task(_guarded(work, stopping)) for work in (*parts.loops(), admission.serve())]
    api_app = await asyncio.to_thread(_api_app, parts)
    api = _server(api_app, home.api_socket, Interfaces.ASGI)
    background.append(asyncio.create_task(_guarded(api.serve(), stopping)))
    await stopping.wait()
    for server in (api, admission):
        server.stop()  # type: ignore[no-untyped-call]
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    await parts.close()


def _api_app(parts: assembly.Parts) -> Any:
    from maas.api.app import create_app

    return create_app(parts.control)


def _server(target: Any, socket: Path, interface: Interfaces) -> Server:
    return Server(target, uds=socket, interface=interface, log_enabled=False, websockets=False)


async def _guarded(work: Coroutine[Any, Any, None], stopping: asyncio.Event) -> None:
    """A loop that ends takes the process with it: the supervisor starts a whole one again."""
    try:
        await work
    except Exception:  # noqa: BLE001 (whatever it was, half a control plane must not go on)
        structlog.get_logger().exception("control_plane_failed")
    stopping.set()


def _log_as_json() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


if __name__ == "__main__":
    sys.exit(main())
