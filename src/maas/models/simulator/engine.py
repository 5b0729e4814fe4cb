"""Who runs, who waits, and when the tokens of an answer are due.

A request takes one of `max_num_seqs` slots (whatever its `n`: the choices advance together), waits in order if none
is free, and is refused if too many wait already.
Token i is due at a time fixed when the request starts, not some time after token i-1 was sent: a busy machine makes
the gaps uneven but does not slow a stream down.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from random import Random
from typing import Protocol

from .client import Client
from .errors import queue_full
from .settings import MAX_DEVIATION, Settings


class Pace:
    """Seconds from the start of a request to each of its tokens."""

    __slots__ = ("_due",)

    def __init__(self, settings: Settings, size: int, random: Random) -> None:
        self._due = array("d", _dues(settings, size, random))

    def due(self, token: int) -> float:
        """When token number `token` (from 0) is due; after the last one, when that was."""
        return self._due[min(token, len(self._due) - 1)]

    @property
    def takes_time(self) -> bool:
        return self._due[-1] > 0

    def tokens_at(self, elapsed: float) -> int:
        return bisect_right(self._due, elapsed)


def _dues(settings: Settings, size: int, random: Random) -> Iterator[float]:
    """At least one value: an answer without tokens takes the time of its prompt too."""
    due = _vary(settings.time_to_first_token, settings.time_to_first_token_std_dev, random)
    yield due
    gap, deviation = settings.inter_token_latency, settings.inter_token_latency_std_dev
    for _ in range(size - 1):
        due += _vary(gap, deviation, random)
        yield due


def _vary(mean: float, deviation: float, random: Random) -> float:
    """At most three of the largest allowed deviations from the mean, so that nothing is due before now."""
    if not deviation:
        return mean
    reach = 3 * MAX_DEVIATION * mean
    return min(max(random.gauss(mean, deviation), mean - reach), mean + reach)


class Gauges(Protocol):
    def load(self, running: int, waiting: int) -> None: ...


class Engine:
    def __init__(self, settings: Settings, gauges: Gauges) -> None:
        self._gauges = gauges
        self._waiting: dict[Client, None] = {}  # in order of arrival
        self._running = 0
        self.settings = settings

    def change(self, settings: Settings) -> None:
        self.settings = settings
        self._admit()

    async def enter(self, client: Client) -> bool:
        """Takes a slot, which `leave` gives back. False: the caller left while it waited, there is no slot."""
        if self._running < self.settings.max_num_seqs:
            self._running += 1
            self._report()
            return True
        if len(self._waiting) >= self.settings.max_waiting_queue_length:
            raise queue_full()
        self._waiting[client] = None
        self._report()
        await client.pause()
        if client in self._waiting:
            del self._waiting[client]
            self._report()
            return False
        return True

    def leave(self) -> None:
        self._running -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._running < self.settings.max_num_seqs:
            client = next(iter(self._waiting))
            del self._waiting[client]
            self._running += 1
            client.wake()
        self._report()

    def _report(self) -> None:
        self._gauges.load(self._running, len(self._waiting))
