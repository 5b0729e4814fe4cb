"""The results as tables for people: at most 80 columns, the same in a terminal and in results.md."""

from collections.abc import Callable, Iterator
from statistics import median

from benchmarks.gateway.report import Rows, number, table
from benchmarks.readiness.phases import Phases
from benchmarks.readiness.results import Measured, Results, typical

AIMED_AT = 1000  # nodes, of the aims below
_PARTS = ("load", "read", "judge", "report")


def text(results: Results) -> str:
    return "\n\n".join(f"{title}\n{table(rows)}" for title, rows in _sections(results)) + "\n"


def markdown(results: Results) -> str:
    machine = "\n".join(f"- {name}: {value}" for name, value in results.machine.items())
    blocks = [f"## {title}\n\n```\n{table(rows)}\n```" for title, rows in _sections(results)]
    return "\n\n".join(["# Readiness benchmark", machine, *blocks]) + "\n"


def _sections(results: Results) -> Iterator[tuple[str, Rows]]:
    yield "`maas preflight`: seconds, CPU seconds, peak memory (medians)", _commands(results)
    yield "Where the seconds go (medians)", _phases(results)
    yield "What one preflight asks of the API server, and a snapshot of it", _calls(results)
    yield "Seconds for each 1 000 pods: flat is linear", _growth(results)
    yield "Aims, at 1 000 nodes and 20 000 pods", _aims(results)


def _commands(results: Results) -> Rows:
    rows = [["nodes", "pods", "live", "from", "to", "CPU", "MB", "offline", "CPU", "MB"]]
    for each in results.sizes:
        live, offline = typical(each.live), typical(each.offline)
        seconds = [run.seconds for run in each.live]
        rows.append(
            [
                *(number(each.size.nodes), number(each.size.pods), number(live.seconds, 2)),
                *(number(min(seconds), 2), number(max(seconds), 2), number(live.cpu, 1), number(live.memory)),
                *(number(offline.seconds, 2), number(offline.cpu, 1), number(offline.memory)),
            ]
        )
    return rows


def _phases(results: Results) -> Rows:
    rows = [["nodes", "", "imports", "reading", "judging", "report", "pods alone"]]
    for each in results.sizes:
        for name, found in (("live", each.live_phases), ("offline", each.offline_phases)):
            parts = [number(median(getattr(run, part) for run in found), 2) for part in _PARTS]
            floor = number(median(each.floor), 2) if name == "live" else "-"
            rows.append([number(each.size.nodes), name, *parts, floor])
    return rows


def _calls(results: Results) -> Rows:
    rows = [["nodes", "calls", "pages", "at once", "MB sent", "unpacked", "server MB", "snapshot s", "MB"]]
    for each in results.sizes:
        if each.asked is None or each.snapshot is None:
            continue
        run = each.live_phases[-1]
        rows.append(
            [
                *(number(each.size.nodes), number(each.asked.calls), number(each.asked.pages)),
                *(number(each.asked.together), number(run.received / 1e6, 1), number(run.unpacked / 1e6, 1)),
                *(number(each.server_mb), number(each.snapshot.seconds, 1), number(each.snapshot_mb, 1)),
            ]
        )
    return rows


def _growth(results: Results) -> Rows:
    """Without what every run costs: imports."""
    rows = [["nodes", "live: reading", "judging", "offline: reading", "judging"]]
    for each in results.sizes:
        thousands = each.size.pods / 1000
        cells = [
            number(median(value(run) for run in found) / thousands, 3)
            for found in (each.live_phases, each.offline_phases)
            for value in (_reading, _judging)
        ]
        rows.append([number(each.size.nodes), *cells])
    return rows


def _reading(run: Phases) -> float:
    return run.read


def _judging(run: Phases) -> float:
    return run.judge


def _aims(results: Results) -> Rows:
    rows = [["", "wanted", "measured", "unit", ""]]
    aims: list[tuple[str, float, Callable[[Measured], float | None], str]] = [
        ("live", 5, lambda it: typical(it.live).seconds, "s"),
        ("calls, without further pages", 60, lambda it: it.asked.calls if it.asked else None, "calls"),
        ("peak memory, live", 300, lambda it: typical(it.live).memory, "MB"),
        ("peak memory, offline", 300, lambda it: typical(it.offline).memory, "MB"),
        ("offline, compared with live", 1, lambda it: typical(it.offline).seconds / typical(it.live).seconds, "× live"),
    ]
    at = next((each for each in results.sizes if each.size.nodes == AIMED_AT), None)
    for name, wanted, measure, unit in aims:
        value = measure(at) if at else None
        verdict = "not measured" if value is None else "met" if value <= wanted else "MISSED"
        rows.append([name, f"≤ {wanted:g}", number(value, 2), unit, verdict])
    return rows
