"""The results as tables for people: at most 80 columns, the same in a terminal and in results.md."""

import math
from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.gateway.aims import aims
from benchmarks.gateway.figures import Load, Spread, best_connections, by_target, difference, median_of, ratio
from benchmarks.gateway.results import BARE, Results
from benchmarks.gateway.target import TOKENS_PER_SECOND

Rows = list[list[str]]


def text(results: Results) -> str:
    return "\n\n".join(f"{title}\n{table(rows)}" for title, rows in _sections(results)) + "\n"


def markdown(results: Results) -> str:
    machine = "\n".join(f"- {name}: {value}" for name, value in results.machine.items())
    blocks = [f"## {title}\n\n```\n{table(rows)}\n```" for title, rows in _sections(results)]
    skipped = [f"Not measured: {reason}" for reason in results.skipped]
    return "\n\n".join(["# Gateway benchmark", machine, *skipped, *blocks]) + "\n"


def table(rows: Rows) -> str:
    """Columns as wide as their widest cell; the first to the left, figures to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def _sections(results: Results) -> Iterator[tuple[str, Rows]]:
    if results.saturation:
        yield "Requests per second at saturation (median, and the extremes)", _saturation(results.saturation)
        yield "CPU for each request at saturation, microseconds", _cpu(results.saturation)
    if results.at_one:
        yield "Latency at 1 connection, ms", _latency(results.at_one, by_rate=False)
    if results.at_rate:
        yield "Latency at half of saturation, constant rate, ms", _latency(results.at_rate, by_rate=True)
    if results.streams:
        load = f"{results.stream_count} streams of {TOKENS_PER_SECOND} tokens/s"
        yield f"{load}: time to first token, ms", _streams(results, "first")
        yield f"{load}: gaps between tokens, ms", _streams(results, "gap")
        yield f"{load}: memory (peak PSS, MB) and CPU (cores)", _stream_use(results)
    if results.starts or results.helps:
        yield "Start", _starts(results)
    if results.idle:
        yield "Memory (PSS), MB", _memory(results)
    yield "Aims", _aims(results)


def _saturation(runs: Sequence[Load]) -> Rows:
    rows = [["", "connections", "requests/s", "from", "to", "of bare", "failed"]]
    best = best_connections(runs)
    bare = median_of(best.get(BARE, []), "per_second")
    for target, of_target in best.items():
        spread = Spread.of([run.per_second for run in of_target])
        failed = sum(run.failed for run in of_target)
        share = number(ratio(spread.median, bare), 2)
        figures = [number(figure) for figure in (spread.median, spread.low, spread.high)]
        rows.append([target, str(of_target[0].connections), *figures, share, str(failed)])
    return rows


def _cpu(runs: Sequence[Load]) -> Rows:
    rows = [["", "process", "median", "from", "to"]]
    for target, of_target in best_connections(runs).items():
        for process in of_target[0].cpu_us:
            spread = Spread.of([run.cpu_us.get(process, 0.0) for run in of_target])
            rows.append([target, process, *map(number, (spread.median, spread.low, spread.high))])
    return rows


def _latency(runs: Sequence[Load], *, by_rate: bool) -> Rows:
    grouped = by_target(runs)
    rate = ["rate/s"] if by_rate else []
    rows = [["", *rate, "p50", "p99", "added p50", "added p99", "failed"]]
    bare = [median_of(grouped.get(BARE, []), name) for name in ("p50", "p99")]
    for target, of_target in grouped.items():
        figures = [median_of(of_target, name) for name in ("p50", "p99")]
        added = [None if target == BARE else difference(f, b) for f, b in zip(figures, bare, strict=True)]
        at = [number(of_target[0].rate)] if by_rate else []
        failed = str(sum(run.failed for run in of_target))
        rows.append([target, *at, *(number(figure, 2) for figure in (*figures, *added)), failed])
    return rows


def _streams(results: Results, what: str) -> Rows:
    """what: "first" for the time to the first token, "gap" for that between tokens."""
    rows = [["", "p50", "p99", "added p50", "added p99", "failed"]]
    names = (f"{what}_p50", f"{what}_p99")
    bare = next((run for run in results.streams if run.target == BARE), None)
    for run in results.streams:
        base = bare if run is not bare else None
        figures = [getattr(run, name) for name in names]
        added = [difference(f, getattr(base, name, None)) for f, name in zip(figures, names, strict=True)]
        rows.append([run.target, *(number(figure, 1) for figure in (*figures, *added)), str(run.failed)])
    return rows


def _stream_use(results: Results) -> Rows:
    rows = [["", "process", "memory", "CPU"]]
    for run in results.streams:
        rows += [[run.target, name, number(run.memory.get(name), 1), number(used, 2)] for name, used in run.cpu.items()]
    return rows


def _starts(results: Results) -> Rows:
    rows = [["", "median", "from", "to", "unit"]]
    for found, unit, digits in ((results.starts, "s to the first answer", 2), (results.helps, "ms", 1)):
        for name, times in found.items():
            figures = (median(times), min(times), max(times))
            rows.append([name, *(number(figure, digits) for figure in figures), unit])
    return rows


def _memory(results: Results) -> Rows:
    rows = [["", "process", "idle", "after"]]
    for target, parts in results.idle.items():
        after = results.after.get(target, {})
        rows += [[target, name, number(used, 1), number(after.get(name), 1)] for name, used in parts.items()]
    return rows


def _aims(results: Results) -> Rows:
    rows = [["", "wanted", "measured", "unit", ""]]
    for aim in aims(results):
        wanted = f"{'≥' if aim.higher else '≤'} {aim.wanted:g}"
        rows.append([aim.name, wanted, number(aim.measured, 2), aim.unit, aim.verdict])
    return rows
