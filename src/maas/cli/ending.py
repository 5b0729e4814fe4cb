"""Work that signals end by way of everything that has to be cleaned up."""

import asyncio
import signal
from collections.abc import Awaitable
from typing import TypeVar

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_T = TypeVar("_T")


async def ended_by_signals(work: Awaitable[_T]) -> _T:
    """A signal ends it by way of everything that has to be cleaned up; impatience does not shorten that.

    asyncio's own second Ctrl-C would: what cleans up would be cancelled as well.
    """
    task = asyncio.ensure_future(work)
    got: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        if not got:
            task.cancel()
        got.append(number)

    loop = asyncio.get_running_loop()
    for number in _ENDING:
        loop.add_signal_handler(number, end, number)
    try:
        return await task
    except asyncio.CancelledError:
        if got and got[0] is not signal.SIGINT:
            raise SystemExit(128 + got[0]) from None
        raise KeyboardInterrupt from None
    finally:
        for number in _ENDING:
            loop.remove_signal_handler(number)
