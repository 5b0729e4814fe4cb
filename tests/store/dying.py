"""Settles batch after batch, and says so. The first ones in children that kill themselves (SIGKILL), each one
statement later than the child before it, until one gets through alive.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import count
from typing import Any

from sqlalchemy import Engine, event

from maas.store import CounterRow, Store
from tests.store.samples import record

BATCH = 50


def settle_next(store: Store) -> int:
    """What comes next is in the store, as the journal's position is. Returns the number of batches settled."""
    done = settled_batches(store)
    batch = [record(f"{done}-{i}") for i in range(BATCH)]
    counter = CounterRow("ann", "free", "tokens", 60, 0.0, used=(done + 1) * BATCH)
    store.ledger.commit_settlements(batch, [counter], {"journal": str(done + 1)}, {"k1": float(done + 1)})
    return done + 1


def settled_batches(store: Store) -> int:
    """Fails when anything was stored by halves."""
    done = int(store.ledger.marks().get("journal", 0))
    assert sum(1 for _ in store.usage.records()) == done * BATCH
    assert [counter.used for counter in store.ledger.counters()] == [done * BATCH] * bool(done)
    assert [key.last_used_at for key in store.keys.all()] == [float(done) if done else None]
    return done


def dies_at(url: str, moment: int) -> bool:
    child = os.fork()
    if child == 0:
        with closing(Store.open(url)) as store:
            settled_batches(store)
            tick = killing_at(moment)
            settle_next(store)
            tick()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


def killing_at(moment: int) -> Callable[..., None]:
    """Kills this process at the moment-th call, which is before a statement or a commit."""
    calls = count()

    def tick(*_: Any) -> None:
        if next(calls) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", tick)
    event.listen(Engine, "commit", tick)
    return tick


def main(url: str) -> None:
    deaths = 0
    while dies_at(url, deaths):
        deaths += 1
    print(deaths, flush=True)
    with closing(Store.open(url)) as store:
        while True:
            print(settle_next(store), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
