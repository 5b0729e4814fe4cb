"""Which models are not ready to answer, why, and who waits for them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maas.domain.reports import ModelState
from maas.embedded.supervisor.status import FAILED, READY

_POLL = 0.1
_QUEUE = 100  # requests that may wait for one model; each may hold a body of 32 MB in the gateway
_SOON = 5  # seconds: Retry-After while it loads
_LATER = 30  # while it keeps failing


@dataclass(frozen=True)
class NotReady:
    message: str
    code: str
    retry_after: int


class Loading:
    """states: by model. `refresh` asks the supervisor; what it said is believed until it is asked again."""

    def __init__(self, states: Callable[[], Mapping[str, ModelState]]) -> None:
        self._states = states
        self._waiting: Counter[str] = Counter()
        self._not_ready: Mapping[str, ModelState] = {}
        self._changed = asyncio.Event()

    def refresh(self) -> Mapping[str, ModelState]:
        """What is told now is what requests meet from now on."""
        states = self._states()
        served_here = {name: state for name, state in states.items() if state.status not in _ELSEWHERE}
        self._not_ready = {name: state for name, state in served_here.items() if state.status != READY}
        self._changed.set()
        self._changed.clear()
        return states

    async def follow(self) -> None:
        while True:
            self.refresh()
            await asyncio.sleep(_POLL if self._not_ready else 2 * _POLL)

    def trouble(self, model: str) -> NotReady | None:
        """None if it can answer, as far as is known. Nothing of why it fails: that is the administrator's."""
        state = self._not_ready.get(model)
        if state is None:
            return None
        if state.status == FAILED:
            return NotReady("The server of this model does not start.", "model_unavailable", _LATER)
        return NotReady("This model is loading.", "model_loading", _SOON)

    async def wait(self, model: str, seconds: float) -> NotReady | None:
        """Until it can answer, has failed for good, or the time is up."""
        if self._waiting[model] >= _QUEUE:
            return NotReady("This model is loading, and too many requests wait for it.", "model_loading", _SOON)
        self._waiting[model] += 1
        try:
            async with asyncio.timeout(seconds):
                while (trouble := self.trouble(model)) and trouble.retry_after == _SOON:
                    await self._changed.wait()
                return trouble
        except TimeoutError:
            return self.trouble(model)
        finally:
            self._waiting[model] -= 1


_ELSEWHERE = frozenset({"external", "unknown"})
