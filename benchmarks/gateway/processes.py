"""Processes that are started here and end here, whatever happens in between."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx

_GRACE = 10.0


class NotReady(Exception):
    """It ended, or took too long; with the end of its log."""


@contextlib.contextmanager
def started(argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """In a session of its own; at the end the whole session is stopped."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _stop(process)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on just now."""
    with contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def wait_until_served(
    url: str, process: subprocess.Popen[bytes], log: Path, timeout: float, pause: float = 0.02
) -> None:
    """Until a GET is answered, with whatever status. Raises NotReady."""
    deadline = time.monotonic() + timeout
    with httpx.Client(timeout=2, trust_env=False) as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                client.get(url)
                return
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotReady(f"{url} is not served; {log} ends with:\n{_tail(log)}")
            time.sleep(pause)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the session's group, and SIGKILL to what is left of it after the grace."""
    _signal(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-8:])
