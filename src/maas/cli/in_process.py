"""The management API of a platform on a cluster, which runs in the command itself: httpx calls it without a socket.

Everything that comes after this import (FastAPI, the cluster's whole half) is only paid for by who has a cluster. One
event loop serves all calls of a command, so a login and its connections are used again.
"""

import asyncio
import atexit
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import httpx

from maas.api.app import create_app
from maas.cli.ending import ended_by_signals
from maas.cli.installing import told
from maas.cli.installing.remembered import Remembered
from maas.cluster.api import Api
from maas.cluster.connection import connect
from maas.cluster.control.control import ClusterControl
from maas.cluster.wanted import Target

T = TypeVar("T")
_OPEN: dict[Remembered, "InProcess"] = {}


def transport(to: Remembered) -> "InProcess":
    """The same one for the same cluster, as long as the command runs."""
    if to not in _OPEN:
        _OPEN[to] = InProcess(to)
    return _OPEN[to]


@atexit.register
def end() -> None:
    while _OPEN:
        _OPEN.popitem()[1].end()


class InProcess(httpx.BaseTransport):
    """Closed by `end` alone: httpx closes a transport with each client, of which a command makes many."""

    def __init__(self, to: Remembered) -> None:
        self._to, self._runner, self._held = to, asyncio.Runner(), AsyncExitStack()
        self._inner: httpx.ASGITransport | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises MaasError where the cluster cannot be reached at all."""
        return self._run(self._answer(request))

    def end(self) -> None:
        if self._inner is not None:
            self._runner.run(self._held.aclose())
        self._runner.close()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if self._inner is None:
            self._inner = httpx.ASGITransport(create_app(await self._control()), raise_app_exceptions=True)
        whole = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = await self._inner.handle_async_request(whole)
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        body = b"".join([part async for part in _parts(answer.stream)])
        return httpx.Response(answer.status_code, headers=answer.headers, content=body, request=request)

    async def _control(self) -> ClusterControl:
        api = await self._held.enter_async_context(self._connected())
        control = ClusterControl(api, self._to.namespace, Target(self._to.target), watch=told.shown)
        await control.load()
        return control

    def _connected(self) -> Api:
        return connect(self._to.context or None, self._to.kubeconfig)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._runner.run(ended_by_signals(work))
        except (KeyboardInterrupt, SystemExit):
            end()  # not at exit: before that Python waits for the threads of the loop, which stop when it goes on
            raise


async def _parts(stream: httpx.AsyncByteStream) -> AsyncIterator[bytes]:
    async for part in stream:
        yield part
