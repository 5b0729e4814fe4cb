"""The readiness benchmark: its tables, its aims, and copies that are what they say."""

from benchmarks.readiness import copies, report
from benchmarks.readiness.phases import Phases
from benchmarks.readiness.results import Asked, Measured, Results, Run
from benchmarks.readiness.seeding import Size


def _measured(nodes: int, seconds: float = 4.5, memory: float = 280) -> Measured:
    phases = Phases(0.5, seconds, 0.2, 0.01, 46, 10**7, 10**8, 140, memory)
    return Measured(
        Size(nodes, nodes * 20, nodes * 24, 10**7),
        floor=[2.0],
        live=[Run(each, 3.5, memory) for each in (seconds, seconds + 2, seconds - 2)],
        offline=[Run(2, 1.5, memory)],
        live_phases=[phases],
        offline_phases=[phases],
        snapshot=Run(6, 4, memory),
        snapshot_mb=12,
        asked=Asked(46, 40, 8),
        server_mb=1500,
    )


def test_tables_fit_a_terminal() -> None:
    text = report.text(Results({}, 1, [_measured(100), _measured(5000, 100.25, 1234)]))
    assert max(map(len, text.splitlines())) <= 80


def test_aims_are_held_to_the_median_at_1000_nodes() -> None:
    good = report.text(Results({}, 3, [_measured(100, 99), _measured(1000)]))
    assert "MISSED" not in good
    assert good.count("  met") == 5
    assert report.text(Results({}, 3, [_measured(1000, 5.1, 301)])).count("MISSED") == 3
    assert report.text(Results({}, 3, [_measured(100)])).count("not measured") == 5


def test_copies_have_names_of_their_own_and_are_as_long() -> None:
    originals = dict.fromkeys(copies.ORIGINALS, b"load-00 app-00000 node-00000 00000000-0000-4000-8000-000000000000")
    made = dict(copies.of(originals, 200))
    assert len(made) == 199 * copies.PER_NODE  # all keys differ
    assert {len(value) for value in made.values()} == {len(next(iter(originals.values())))}
    pod = made["/registry/pods/load-23/app-00123-7c9d8e-07"]
    assert pod.startswith(b"load-23 app-00123 node-00123 ")
    identities = {value[-36:] for value in made.values()}
    assert len(identities) == len(made)
