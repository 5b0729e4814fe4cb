"""kill -9 at any moment of a settlement leaves all of it or nothing."""

from contextlib import closing

from maas.store import Store
from tests.store.dying import settled_batches
from tests.store.processes import line_of, start
from tests.store.samples import KEY


def test_a_killed_process_leaves_no_half_of_a_settlement(empty_url: str) -> None:
    with closing(Store.open(empty_url)) as store:
        store.keys.insert(KEY, actor="test", at=1.0)
    with start("dying", empty_url) as process:
        deaths = int(line_of(process))
        settled = [int(line_of(process)) for _ in range(10)]
        process.kill()
    assert deaths >= 7  # its reads; records, counters, marks, keys; before and after the commit
    with closing(Store.open(empty_url)) as store:
        assert settled_batches(store) >= settled[-1]
