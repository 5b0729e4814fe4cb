"""Limitador, as far as the policies' meaning hangs on it: fixed windows that begin with their first hit.

After its own source (limitador v2, in_memory storage; limitador-server's envoy_rls and kuadrant_service): `should` is
ShouldRateLimit, which takes all limits that match or none; `check` is CheckRateLimit, which asks for one hit and takes
none; `report` adds without asking, at least one. Where this model ends: one instance, whose memory nobody evicts and
nothing restarts, and no latency between a report and the next check.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Counted:
    """One rate of one limit for one user, at one HTTPRoute: those are Limitador's namespaces."""

    route: str
    policy: str
    limit: str
    user: str
    most: int
    seconds: float


@dataclass
class _Window:
    used: int
    ends: float


@dataclass
class Limitador:
    windows: dict[Counted, _Window] = field(default_factory=dict)

    def should(self, counters: Iterable[Counted], now: float, hits: int = 1) -> bool:
        """Whether the request may pass; then its hits are counted, everywhere."""
        every = list(counters)
        if not self.check(every, now, hits):
            return False
        self.report(every, now, hits)
        return True

    def check(self, counters: Iterable[Counted], now: float, hits: int = 1) -> bool:
        return all(self._used(each, now) + hits <= each.most for each in counters)

    def report(self, counters: Iterable[Counted], now: float, hits: int) -> None:
        for each in counters:
            if self._used(each, now) == 0 and (each not in self.windows or self.windows[each].ends <= now):
                self.windows[each] = _Window(0, now + each.seconds)
            self.windows[each].used += max(1, hits)

    def _used(self, counter: Counted, now: float) -> int:
        window = self.windows.get(counter)
        return window.used if window and window.ends > now else 0
