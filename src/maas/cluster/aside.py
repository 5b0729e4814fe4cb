"""Work that may hang, in threads that nobody waits for: name servers, and other people's programs.

asyncio's own threads are joined at the end of the program, for as long as a dead name server takes, and its
subprocesses keep their pipes when a grandchild does.
"""

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
_LAST_WORDS = 1.0  # seconds for a program that was killed


def aside(work: Callable[[], T]) -> "asyncio.Future[T]":
    """What it returns, or raises. Cancelling the future lets go of it."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001  # it is raised again where it is waited for
            failure = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, daemon=True).start()
    return answer


@dataclass(frozen=True)
class Ended:
    code: int
    output: bytes
    errors: bytes


async def run(
    command: Sequence[str],
    *,
    patience: float,
    environment: Mapping[str, str] | None = None,
    talks: bool = False,
    told: bytes = b"",
    grace: float = 0.0,
) -> Ended:
    """talks: to the person at the terminal, through our stdin and stderr. told: what it reads from its stdin.

    One that is not done in time, or not waited for any longer, is killed with all it started; before, it has `grace`
    seconds to put its things in order. Raises OSError, and TimeoutError.
    """
    process = _started(command, environment, talks, reads=bool(told))
    ending = aside(lambda: process.communicate(told or None))
    try:
        async with asyncio.timeout(patience):
            output, errors = await asyncio.shield(ending)
    except BaseException:
        if grace:
            await _asked_to_end(process, ending, grace)
        _kill(process, group=not talks)
        await asyncio.wait({ending}, timeout=_LAST_WORDS)
        raise
    return Ended(process.returncode, output or b"", errors or b"")


async def _asked_to_end(
    process: "subprocess.Popen[bytes]", ending: "asyncio.Future[tuple[bytes, bytes]]", grace: float
) -> None:
    process.terminate()
    await asyncio.wait({ending}, timeout=grace)


def _started(
    command: Sequence[str], environment: Mapping[str, str] | None, talks: bool, *, reads: bool
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # what the user's kubeconfig names, or a tool on the PATH
        command,
        env=environment,
        stdin=None if talks else subprocess.PIPE if reads else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if talks else subprocess.PIPE,
        start_new_session=not talks,
    )


def _kill(process: "subprocess.Popen[bytes]", *, group: bool) -> None:
    with suppress(ProcessLookupError):
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
