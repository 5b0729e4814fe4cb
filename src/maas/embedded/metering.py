"""From admission to ledger: what is under way, what it holds, and what it came to.

Every admitted request ends in exactly one record. The chain is: a line in the journal of decisions, a line in
Envoy's access log, and one transaction that carries the records, the counters and the places up to which both
files have been worked off. Killed anywhere, the next life begins at those places and comes to the same sums.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from maas.domain import settlement
from maas.domain.admission import Request
from maas.domain.limits import Limit
from maas.domain.platform import Platform
from maas.domain.settlement import Ending, Spent
from maas.domain.usage import UsageRecord
from maas.embedded import access_log, decisions, log
from maas.embedded.counters import Counters
from maas.embedded.decisions import Admission, DecisionLog, Position
from maas.embedded.home import Home
from maas.embedded.written import Written
from maas.store import Store

COMMIT_EVERY = 0.5  # seconds; whoever asks for usage gets what has settled until then
BACKLOG_MAX = 100_000  # records the database has not taken; past that nothing is admitted
LONGEST_REQUEST = 3600 + 60  # the gateway ends any request within the hour
_POLL_WAITED_FOR, _POLL_BUSY, _POLL_IDLE = 0.001, 0.005, 0.5
_POLL_WATCHED = 0.2  # a file that took the name of a renamed one is not watched before somebody looks
_GAVE_UP_ASKING = 503  # Envoy's own answer when admission did not answer in time
_GONE_MAX = 10_000  # clients that hung up before admission heard of them, and may still be heard of


class Metering:
    def __init__(
        self,
        home: Home,
        store: Store,
        platform: Callable[[], Platform],
        clock: Callable[[], float],
        segment_bytes: int = decisions.SEGMENT_BYTES,
    ) -> None:
        self.counters = Counters()
        self.on_record: Callable[[UsageRecord], None] = lambda record: None
        self.on_used: Callable[[Mapping[str, float]], None] = lambda last_used: None
        self.trouble: str | None = None  # with the database
        self.journal_trouble: str | None = None  # with the disk, when something was last to be let through
        self._home, self._store, self._platform, self._clock = home, store, platform, clock
        self._open: dict[str, tuple[Admission, Position]] = {}
        self._gone: dict[str, Ending] = {}
        self._records: list[UsageRecord] = []
        self._last_used: dict[str, float] = {}
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._wake = asyncio.Event()
        self._segment_bytes = segment_bytes
        self._committer = ThreadPoolExecutor(1, "ledger")
        self._committing = asyncio.Lock()
        self._committed: dict[str, str] = {}
        self._recover()

    # --- admission's side

    def admit(self, admission: Admission, seen: Mapping[str, object]) -> None:
        """seen: what else `maas explain` tells.

        Raises OSError when this can't be remembered; then nothing is held, and nothing may pass.
        """
        try:
            begin = self._note({**admission.line(), **seen})
        except OSError as error:
            if self.journal_trouble is None:
                log.error("journal_failing", reason=str(error))
            self.journal_trouble = f"nothing is let through: {error}"
            raise
        self.journal_trouble = None
        self._open[admission.request.id] = admission, begin
        self.counters.hold(admission.user, admission.tier, admission.holds, admission.at)
        self._last_used[admission.key_id] = admission.at
        self._wake.set()
        if early := self._gone.pop(admission.request.id, None):
            self._end(early)

    def refuse(self, line: dict[str, object]) -> None:
        """For `maas explain` only: a full disk does not turn a refusal into something else."""
        with contextlib.suppress(OSError):
            if self._refusals.full:
                self._refusals.next_segment()
                self._refusals.drop_before(self._refusals.end.segment)
            self._refusals.append(line)

    async def settled(self, user: str, patience: float) -> bool:
        """Wait until a request of this user has settled; False when none did in time."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user, set()).add(future)
        try:
            await asyncio.wait_for(future, patience)
        except TimeoutError:
            self._stop_waiting(user, future)
            return False
        return True

    def under_way(self, instance: str) -> int:
        return sum(admission.instance == instance for admission, _ in self._open.values())

    # --- the gateway's side

    async def follow(self) -> None:
        """Settle what ends, as long as this runs: at once when one does, in batches when many do."""
        settled = False
        while True:
            watched = self._written.watch()  # before looking, or what comes in between would be missed
            if self.drain():
                settled = True
                await asyncio.sleep(0)
            elif self._open and (settled or not watched):
                settled = False
                await asyncio.sleep(_POLL_WAITED_FOR if self._waiting else _POLL_BUSY)
            elif self._open:
                await self._written.again(_POLL_WATCHED)
            else:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):  # refusals are logged too, and the log must not grow unread
                    await asyncio.wait_for(self._wake.wait(), _POLL_IDLE)

    def drain(self) -> bool:
        """Settle one chunk of the access log; False when it holds nothing new."""
        lines = self._follower.read()
        for raw in lines:
            if (ending := access_log.ending(raw)) is not None:
                self._end(ending)
        return bool(lines)

    @property
    def may_rotate(self) -> bool:
        return self._follower.on_newest

    def lose(self, before: float) -> int:
        """Settle what was under way in a gateway that died, after its last lines have been read."""
        dead = [admission for admission, _ in self._open.values() if admission.at < before]
        now = self._clock()
        for admission in dead:
            del self._open[admission.request.id]
            took = int((now - admission.at) * 1000)
            ending = Ending(admission.request.id, admission.at, took, status=0, sent=0, broken=True)
            self._settle(admission, settlement.lost(admission.request), ending)
        return len(dead)

    async def commit_regularly(self) -> None:
        pause = COMMIT_EVERY
        while True:
            await asyncio.sleep(pause)
            self.lose(self._clock() - LONGEST_REQUEST)
            pause = COMMIT_EVERY if await self.commit() else min(pause * 2, 5.0)

    async def commit(self) -> bool:
        """Write what has settled so far. False if the database did not take it; it is tried again later."""
        async with self._committing:
            marks = self._marks()
            records, last_used, rows = self._records, self._last_used, self.counters.dirty_rows()
            if not (records or rows or last_used) and marks == self._committed:
                return True
            self._records, self._last_used = [], {}
            work = partial(self._store.ledger.commit_settlements, records, rows, marks, last_used)
            try:
                await asyncio.get_running_loop().run_in_executor(self._committer, work)
            except BaseException as error:  # cancelled, too: whether it was written is not known, and twice is once
                self._records = records + self._records
                self._last_used = last_used | self._last_used
                self.counters.mark_dirty(rows)
                if not isinstance(error, Exception):
                    raise
                self._report(str(error))
                return False
            self._report(None)
            self._committed = marks
            self._log.drop_before(Position.parse(marks["under_way"]).segment)
            self.on_used(last_used)
            return True

    async def record(self, request_id: str) -> UsageRecord | None:
        """The ledger's, with what has settled until now."""
        await self.commit()
        return await asyncio.to_thread(self._store.ledger.record, request_id)

    def close(self) -> None:
        self._committer.shutdown()
        self._written.close()
        self._follower.close()
        self._log.close()
        self._refusals.close()

    # --- inside

    def _end(self, ending: Ending) -> None:
        """A question may still wait in admission's socket when its client has hung up, or Envoy has given up.

        It will be answered, to nobody; then it must be known that it has ended already.
        """
        if (entry := self._open.pop(ending.id, None)) is not None:
            self._settle(entry[0], settlement.judge(entry[0].request, ending), ending)
        elif not ending.reached and (ending.aborted or ending.status == _GAVE_UP_ASKING):
            self._gone[ending.id] = ending
            if len(self._gone) > _GONE_MAX:
                del self._gone[next(iter(self._gone))]

    def _settle(self, admission: Admission, spent: Spent, ending: Ending) -> None:
        record = _record(admission, spent, ending)
        tier = self._platform().tiers.get(admission.tier)
        limits: Iterable[Limit] = tier.limits if tier else ()
        tokens, user = record.total_tokens, admission.user
        self.counters.settle(user, admission.tier, admission.holds, limits, tokens, record.cost, ending.ended_at)
        self._records.append(record)
        self.on_record(record)
        for future in self._waiting.pop(user, ()):
            if not future.done():
                future.set_result(None)

    def _stop_waiting(self, user: str, future: asyncio.Future[None]) -> None:
        if others := self._waiting.get(user):
            others.discard(future)
            if not others:
                del self._waiting[user]

    def _marks(self) -> dict[str, str]:
        """Both files' places, at one moment between two events."""
        first = next(iter(self._open.values()), None)
        return {
            "access_log": self._follower.place,
            "decided": str(self._log.end),
            "under_way": str(first[1] if first else self._log.end),
        }

    def _recover(self) -> None:
        """Take up where the last life stopped: its counters, then what it decided and did not see the end of."""
        self.counters.restore(self._store.ledger.counters())
        marks = self._store.ledger.marks()
        self._log = DecisionLog(self._home.journal, segment_bytes=self._segment_bytes)
        self._refusals = DecisionLog(self._home.journal, decisions.REFUSED, self._segment_bytes)
        self._follower = access_log.Follower(self._home.access_log, marks.get("access_log"))
        self._written = Written(self._home.access_log)
        if "decided" not in marks:  # a new database: what is in the journal was settled in another one
            self._store.ledger.commit_settlements((), marks=self._marks())
            return
        decided = Position.parse(marks["decided"])
        for begin, admission, carried in self._unsettled(Position.parse(marks["under_way"])):
            if admission.request.id in self._open:
                continue  # this is its repetition in a later segment
            keep = self.counters.reserve if carried or begin < decided else self.counters.hold
            keep(admission.user, admission.tier, admission.holds, admission.at)
            self._open[admission.request.id] = admission, begin

    def _unsettled(self, since: Position) -> list[tuple[Position, Admission, bool]]:
        found = [
            (begin, Admission.parse(line), "carried" in line)
            for begin, line in decisions.read(self._home.journal, since)
        ]
        done = self._store.ledger.settled([admission.request.id for _, admission, _ in found])
        return [entry for entry in found if entry[1].request.id not in done]

    def _note(self, line: Mapping[str, object]) -> Position:
        if len(self._records) > BACKLOG_MAX:
            raise OSError(f"the ledger is {BACKLOG_MAX} records behind")
        if self._log.full:
            self._carry_over()
        return self._log.append(line)

    def _carry_over(self) -> None:
        """Repeat what is under way in a new segment: a stream of an hour must not keep an hour's journal alive."""
        self._log.next_segment()
        self._open = {
            id: (admission, self._log.append({**admission.line(), "carried": True}))
            for id, (admission, _) in self._open.items()
        }

    def _report(self, trouble: str | None) -> None:
        if trouble and not self.trouble:
            log.error("ledger_failing", reason=trouble)
        elif self.trouble and not trouble:
            log.info("ledger_recovered")
        self.trouble = trouble


def _record(admission: Admission, spent: Spent, ending: Ending) -> UsageRecord:
    request: Request = admission.request
    return UsageRecord(
        request_id=request.id,
        key_id=admission.key_id,
        user=admission.user,
        tier=admission.tier,
        model=request.model,
        dialect=request.dialect,
        stream=request.stream,
        prompt_tokens=spent.prompt_tokens,
        completion_tokens=spent.completion_tokens,
        source=spent.source,
        outcome=spent.outcome,
        status=ending.status,
        started_at=admission.at,
        duration_ms=ending.duration_ms,
        first_byte_ms=ending.first_byte_ms,
        cost=admission.price.cost(spent.prompt_tokens, spent.completion_tokens),
    )
