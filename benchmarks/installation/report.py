"""The results as tables for people: at most 80 columns, the same in a terminal and in results.md."""

from collections.abc import Callable, Iterator
from statistics import median

from benchmarks.gateway.report import Rows, number, table
from benchmarks.installation.phases import Phases
from benchmarks.installation.results import Measured, Results

AIMED_AT = 1000  # nodes, of the aims below
_PARTS = ("load", "read", "judge", "plan", "carry", "whole", "memory")


def text(results: Results) -> str:
    return "\n\n".join(f"{title}\n{table(rows)}" for title, rows in _sections(results)) + "\n"


def markdown(results: Results) -> str:
    machine = "\n".join(f"- {name}: {value}" for name, value in results.machine.items())
    blocks = [f"## {title}\n\n```\n{table(rows)}\n```" for title, rows in _sections(results)]
    return "\n\n".join(["# Installation benchmark", machine, *blocks]) + "\n"


def _sections(results: Results) -> Iterator[tuple[str, Rows]]:
    yield "Where the seconds go (medians)", _phases(results)
    yield "What a run with nothing to do asks of the API server", _calls(results)
    yield "Aims, at 1 000 nodes and 20 000 pods", _aims(results)


def _phases(results: Results) -> Rows:
    rows = [["nodes", "", "actions", "imports", "reading", "judging", "planning", "carrying", "whole", "MB"]]
    for each in results.sizes:
        for name, found in (("new", each.new), ("again", each.again)):
            digits = {"plan": 3, "carry": 3, "memory": 0}
            parts = [number(_middle(found, part), digits.get(part, 2)) for part in _PARTS]
            rows.append([number(each.size.nodes), name, number(found[0].actions), *parts])
    return rows


def _middle(found: list[Phases], part: str) -> float:
    return float(median(getattr(each, part) for each in found))


def _calls(results: Results) -> Rows:
    rows = [["nodes", "calls", "lists", "kinds", "kinds in several choices", "the same list twice", "writes"]]
    for each in results.sizes:
        several = [kind.rpartition("/")[2] for kind, choices in each.reads.items() if len(choices) > 1]
        rows.append(
            [
                *(number(each.size.nodes), number(each.again[-1].calls), number(sum(map(len, each.reads.values())))),
                *(number(len(each.reads)), ", ".join(several) or "-", ", ".join(each.read_twice) or "-"),
                number(each.writes),
            ]
        )
    return rows


def _aims(results: Results) -> Rows:
    rows = [["", "wanted", "measured", "unit", ""]]
    aims: list[tuple[str, float, Callable[[Measured], float], str]] = [
        ("a full plan: judging and planning", 5, lambda it: _middle(it.new, "ours"), "s"),
        ("an unchanged run, from start to end", 10, lambda it: _middle(it.again, "whole"), "s"),
        ("actions of an unchanged run", 0, lambda it: it.again[-1].actions, ""),
        ("writes of an unchanged run", 0, lambda it: it.writes, ""),
        ("lists that are read twice", 0, lambda it: len(it.read_twice), ""),
    ]
    at = next((each for each in results.sizes if each.size.nodes == AIMED_AT), None)
    for name, aim, measure, unit in aims:
        value = measure(at) if at else None
        verdict = "not measured" if value is None else "met" if value <= aim else "MISSED"
        rows.append([name, f"≤ {aim:g}", number(value, 2), unit, verdict])
    return rows
