"""The caller of one request: waits for it can be cut short, because it may leave.

granian tells of a disconnect by a future. It is asked for only when a request has to wait for something, as asking
costs more than a whole answer at zero latency does.
One future and one timer handle per wait is what `asyncio.sleep` costs too; a task per stream that watches the
other one would double it.
"""

import asyncio
from collections.abc import Awaitable, Callable


class Client:
    def __init__(self, loop: asyncio.AbstractEventLoop, disconnected: Callable[[], Awaitable[None]]) -> None:
        self._loop = loop
        self._disconnected = disconnected
        self._watch: asyncio.Future[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.gone = False

    async def pause(self, until: float | None = None) -> None:
        """Returns at `until` (the loop's time), when woken, or when the caller has left."""
        if self._watch is None:
            self._watch = asyncio.ensure_future(self._disconnected())
            self._watch.add_done_callback(self.leave)
        if self.gone:
            return
        self._waiter = waiter = self._loop.create_future()
        timer = self._loop.call_at(until, self.wake) if until is not None else None
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def leave(self, _: object = None) -> None:
        self.gone = True
        self.wake()

    def close(self) -> None:
        if self._watch is not None:
            self._watch.remove_done_callback(self.leave)
            self._watch.cancel()
