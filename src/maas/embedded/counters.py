"""How full every limit is, in memory: what admission reads and settlement writes.

A cell is one limit of one user in one tier. It is found by unit and window, not by amount, so raising or
lowering a limit keeps what was used. The ledger's transaction carries changed cells to the database
(`dirty_rows`), and `restore` takes them from there: the database is never asked while a request waits.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from maas.domain.admission import Hold
from maas.domain.limits import Level, Limit, Unit
from maas.domain.money import MOST
from maas.store import CounterRow

_EMPTY = Level()
_CLOCK_SET_BACK = 60.0  # seconds; less may be two events in another order than they happened
_Place = tuple[str, str, Unit, int]


@dataclass(slots=True)
class _Cell:
    started_at: float | None = None
    used: int = 0
    reserved: int = 0
    clipped: int = 0

    def roll(self, seconds: int, now: float) -> None:
        """Forget a window that has ended. Reservations stay: they are charged when they settle."""
        if self.started_at is None:
            return
        if now >= self.started_at + seconds:
            self.started_at, self.used = None, 0
        elif now < self.started_at - _CLOCK_SET_BACK:
            self.started_at = now

    def charge(self, amount: int, now: float) -> None:
        if self.started_at is None:
            self.started_at = now
        self.used += amount


class Counters:
    def __init__(self) -> None:
        self._cells: dict[_Place, _Cell] = {}
        self._dirty: set[_Place] = set()

    def level(self, user: str, tier: str, limit: Limit, now: float) -> Level:
        cell = self._cells.get((user, tier, limit.unit, limit.seconds))
        if cell is None:
            return _EMPTY
        cell.roll(limit.seconds, now)
        return Level(cell.used, cell.reserved, cell.clipped > 0, cell.started_at)

    def hold(self, user: str, tier: str, holds: Iterable[Hold], now: float) -> None:
        """Charge the request itself; set aside the tokens and money that it may spend."""
        for hold in holds:
            if hold.limit.unit is Unit.REQUESTS:
                self._cell(user, tier, hold.limit, now).charge(hold.amount, now)
        self.reserve(user, tier, holds, now)

    def reserve(self, user: str, tier: str, holds: Iterable[Hold], now: float) -> None:
        """Only what settles later; by itself for a request whose own charge is known to be counted already."""
        for hold in holds:
            if hold.limit.unit is not Unit.REQUESTS:
                cell = self._cell(user, tier, hold.limit, now)
                cell.charge(0, now)
                cell.reserved += hold.amount
                cell.clipped += hold.clipped

    def settle(
        self, user: str, tier: str, holds: Iterable[Hold], limits: Iterable[Limit], tokens: int, cost: int, now: float
    ) -> None:
        """Give back what was held and charge what was spent, to every limit that the tier has now."""
        charged = {(limit.unit, limit.seconds): limit for limit in limits}
        for hold in holds:
            charged.setdefault((hold.limit.unit, hold.limit.seconds), hold.limit)
            if hold.limit.unit is not Unit.REQUESTS:
                cell = self._cell(user, tier, hold.limit, now)
                cell.reserved -= hold.amount
                cell.clipped -= hold.clipped
        for limit in charged.values():
            spent = {Unit.TOKENS: tokens, Unit.MONEY: cost, Unit.REQUESTS: 0}[limit.unit]
            if spent:
                self._cell(user, tier, limit, now).charge(spent, now)

    def restore(self, rows: Iterable[CounterRow]) -> None:
        for row in rows:
            self._cells[row.user, row.tier, Unit(row.unit), row.seconds] = _Cell(row.started_at, row.used)

    def dirty_rows(self) -> list[CounterRow]:
        """What changed since the last call, for the database."""
        places, self._dirty = self._dirty, set()
        return [
            CounterRow(
                user=p[0], tier=p[1], unit=p[2], seconds=p[3], started_at=cell.started_at, used=min(cell.used, MOST)
            )
            for p in places
            if (cell := self._cells.get(p)) is not None and cell.started_at is not None
        ]

    def mark_dirty(self, rows: Iterable[CounterRow]) -> None:
        """The database did not take these rows."""
        self._dirty.update((row.user, row.tier, Unit(row.unit), row.seconds) for row in rows)

    def forget_ended(self, now: float) -> None:
        """Drop cells that say nothing: their window has ended and nothing is under way."""
        for place, cell in list(self._cells.items()):
            cell.roll(place[3], now)
            if cell.started_at is None and not cell.reserved and not cell.clipped:
                del self._cells[place]

    def _cell(self, user: str, tier: str, limit: Limit, now: float) -> _Cell:
        place = (user, tier, limit.unit, limit.seconds)
        cell = self._cells.get(place)
        if cell is None:
            cell = self._cells[place] = _Cell()
        cell.roll(limit.seconds, now)
        self._dirty.add(place)
        return cell
