"""`maas simulate`, and `python -m maas.models.simulator`.

granian's embedded server was measured against what a model server has to do, and kept: 500 streams of 20 tokens/s
take a fifth of a core, a disconnect is known at once, and it serves HTTP/1.1 and HTTP/2 over TCP and Unix sockets.
Two things it leaves to us: it sets SO_REUSEPORT, so a second process on a taken port would quietly get half of
the requests; and it waits for running requests without end when it stops.
"""

import argparse
import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvloop
from granian.constants import Interfaces
from granian.http import HTTP2Settings
from granian.server.embed import Server

from .request_log import RequestLog
from .server import Simulator
from .settings import OPTIONS, BadSetting, Option, Settings, show_duration

_EXAMPLE = """example:
  maas simulate --port 8000 --model tiny --time-to-first-token 100ms
  curl http://127.0.0.1:8000/v1/chat/completions \\
    -H 'content-type: application/json' \\
    -d '{"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}'

Durations are "100ms", "1.5s" or a plain number of milliseconds. /admin/config
shows the settings and changes those of latency, failures and queue while
running."""

_LAST_WORDS = 2.0  # seconds for telling callers that their requests were ended; who does not read holds up nothing
_UDS_MAX = 107  # bytes of a Unix socket's path, on Linux


def main(argv: list[str]) -> int:
    parser = _parser()
    given = parser.parse_args(argv)
    try:
        settings = _settings(given)
        with RequestLog(given.request_log) as request_log:
            uvloop.run(_run(given, settings, request_log))
    except BadSetting as error:
        parser.error(f"argument --{error.option}: {error.problem}")
    except OSError as error:
        print(f"maas simulate: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="maas simulate",
        description="An OpenAI-compatible model server that needs no model and no GPU.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=_port, help="TCP port; 0 takes a free one (default: 8000 without --uds)")
    parser.add_argument("--uds", metavar="PATH", type=Path, help="listen on a Unix socket, too or instead")
    parser.add_argument("--model", default=Settings.model, help="name of the model (default: %(default)s)")
    parser.add_argument(
        "--served-model-name",
        nargs="+",
        default=[],
        metavar="NAME",
        help="names clients use, instead of --model",
    )
    parser.add_argument("--request-log", metavar="FILE", help="append a JSON line per request that starts or ends")
    for option in OPTIONS:
        parser.add_argument(f"--{option.name}", metavar="VALUE", type=_typed(option), help=_help(option))
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("must be a port from 0 to 65535")
    return int(text)


def _typed(option: Option) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return option.read(int(text) if re.fullmatch(r"-?\d{1,19}", text) else text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error).replace("%", "%%")) from error

    return read


def _help(option: Option) -> str:
    default = getattr(Settings(), option.field)
    shown = show_duration(default) if isinstance(default, float) else default
    return option.help if isinstance(default, tuple) else f"{option.help} (default: {shown})"


def _settings(given: argparse.Namespace) -> Settings:
    values = {option.field: getattr(given, option.field) for option in OPTIONS}
    return Settings(
        model=given.model,
        served_model_name=tuple(given.served_model_name),
        **{field: value for field, value in values.items() if value is not None},
    )


async def _run(given: argparse.Namespace, settings: Settings, request_log: RequestLog) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    app = Simulator(settings, request_log)
    servers = list(_servers(app, given))
    serving = asyncio.gather(*(server.serve() for server in servers))
    serving.add_done_callback(lambda _: stopping.set())  # a server that could not start
    await stopping.wait()
    for server in servers:
        server.stop()  # type: ignore[no-untyped-call]
    _, late = await asyncio.wait([serving], timeout=settings.shutdown_grace)
    if late:
        app.abort()
        await asyncio.wait([serving], timeout=_LAST_WORDS)
    serving.cancel()  # without effect on what has ended, as it has by now unless a caller does not read
    with suppress(asyncio.CancelledError):
        await serving


def _servers(app: Simulator, given: argparse.Namespace) -> Iterator[Server]:
    port = 8000 if given.port is None and given.uds is None else given.port
    if port is not None:
        port = _free_port(given.host, port)
        yield _server(app, address=given.host, port=port)
        _say(f"listening on http://{given.host}:{port}")
    if given.uds is not None:
        _clear_socket(given.uds)
        yield _server(app, uds=given.uds)
        _say(f"listening on unix:{given.uds}")


def _server(app: Simulator, **where: Any) -> Server:
    return Server(
        app,
        **where,
        interface=Interfaces.RSGI,
        http2_settings=HTTP2Settings(max_concurrent_streams=10_000),
        websockets=False,
        log_enabled=False,
        backlog=4096,
    )


def _free_port(host: str, port: int) -> int:
    """The port, or one that is free for 0. Fails as listening would, were it not for SO_REUSEPORT."""
    with socket.create_server((host, port)) as probe:
        number: int = probe.getsockname()[1]
        return number


def _clear_socket(path: Path) -> None:
    """Removes what a killed process left behind, but takes the path from no living one."""
    if len(os.fsencode(path.absolute())) > _UDS_MAX:
        raise OSError(f"the path of the Unix socket is longer than {_UDS_MAX} bytes: {path}")
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise OSError(f"another process listens on {path}")


def _say(text: str) -> None:
    print(f"maas simulate: {text}", file=sys.stderr, flush=True)
