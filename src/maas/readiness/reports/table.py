"""For people: a first screen as prerequisites list it, then every check in linkerd's layout, then the verdict.

gpu
---
√ MAAS-140 GPUs are there: 4 of 8 free
× MAAS-141 …
    what was seen, what was wanted, what to do
    see docs/checks.md#maas-141
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from maas.readiness.findings import Status
from maas.readiness.reports.checklist import Line, Mark, legend
from maas.readiness.reports.look import SYMBOLS, VERDICT_SYMBOLS, Look, clean
from maas.readiness.reports.quick import Answer
from maas.readiness.reports.report import PROBLEMS, Group, Report, Told, alike, counted
from maas.readiness.reports.words import said

_INDENT = "    "
_LABEL = 9  # "wanted", "seen", "mend" and a gap, after the indent
_SHOWN = 5  # findings of one check; all are in -o json


def table(report: Report, look: Look) -> str:
    screens = (_head(report, look), _first_screen(report, look), _categories(report, look), _end(report, look))
    return look.finished("\n".join(chain.from_iterable(screens))) + "\n"


def short(report: Report, look: Look) -> str:
    """Problems and the verdict alone."""
    problems = [group for group in report.groups if group.status in PROBLEMS]
    lines = [line for groups in alike(problems) for line in (*_alike(groups, look), "")]
    return look.finished("\n".join([*_head(report, look), *lines, *_end(report, look)])) + "\n"


def _head(report: Report, look: Look) -> Iterator[str]:
    yield from look.fold(f"{report.described}, judged for {report.asked.target}", rest=_INDENT)
    yield ""


def _first_screen(report: Report, look: Look) -> Iterator[str]:
    if not report.has_first_screen:
        return
    yield from _titled("pre-installation checklist", look)
    for line in report.checklist:
        yield from _checklist_line(line, look)
    yield from look.fold(legend(report.checklist))
    yield ""
    yield from _titled("quick validation commands", look)
    for answer in report.quick:
        yield from _answer(answer, look)
    yield ""


_MARK_STYLES = {
    Mark.done: "√",
    Mark.warning: "‼",
    Mark.open: "×",
    Mark.to_install: "+",
    Mark.unknown: "?",
    Mark.left_out: "-",
}


def _checklist_line(line: Line, look: Look) -> Iterator[str]:
    first, *rest = look.fold(f"[{line.mark}] {line.text}: {line.reason}", rest=_INDENT)
    yield look.paint(first[:3], _MARK_STYLES[line.mark]) + first[3:]
    yield from rest


def _answer(answer: Answer, look: Look) -> Iterator[str]:
    yield look.paint(f"$ {answer.command}", "command")
    if answer.note:
        yield from look.fold(answer.note, "  ", "  ")
        return
    rows = [answer.columns, *answer.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(answer.columns))]
    for row in rows:
        cells = (clean(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()
    if answer.more:
        yield f"  and {answer.more} more"


def _categories(report: Report, look: Look) -> Iterator[str]:
    for category, groups in report.categories:
        yield from _titled(category.value, look)
        for same in alike(groups):
            yield from _alike(same, look)
        yield ""


def _alike(groups: Sequence[Group], look: Look) -> Iterator[str]:
    """Several that one reason leaves out take one line."""
    first, *others = groups
    if not others:
        yield from _group(first, look)
        return
    codes = ", ".join(group.first.code for group in groups)
    yield from _beside(SYMBOLS[first.status], f"{codes}: {first.only_reason}", look)


def _titled(title: str, look: Look) -> Iterator[str]:
    yield look.paint(title, "title")
    yield "-" * len(title)


def _group(group: Group, look: Look) -> Iterator[str]:
    first, problems = group.first, group.problems
    symbol = SYMBOLS[group.status]
    if not problems:
        yield from _beside(symbol, f"{first.code} {first.title}: {_said_in_a_line(group)}", look)
        return
    of = f" ({len(problems)} of {len(group.findings)})" if len(group.findings) > 1 else ""
    yield from _beside(symbol, f"{first.code} {first.title}{of}", look)
    for told in group.told(_SHOWN):
        yield from _problem(told, "- " if len(problems) > 1 else "", look)
    if len(problems) > _SHOWN:
        yield f"{_INDENT}and {len(problems) - _SHOWN} more; -o json has all"
    if group.because_of:
        yield from look.fold(f"likely follows from {', '.join(group.because_of)}: mend that first", _INDENT, _INDENT)
    yield f"{_INDENT}see {first.anchor}"


def _said_in_a_line(group: Group) -> str:
    deciding = [finding for finding in group.findings if finding.status is group.status]
    more = f" (and {len(deciding) - 1} more)" if len(deciding) > 1 else ""
    return deciding[0].message + more  # without its object: that all is well needs no names


def _beside(symbol: str, text: str, look: Look) -> Iterator[str]:
    first, *rest = look.fold(text, f"{symbol} ", "  ")
    yield look.symbol(symbol) + first[len(symbol) :]
    yield from rest


def _problem(told: Told, bullet: str, look: Look) -> Iterator[str]:
    yield from look.fold(said(told.finding), _INDENT + bullet, _INDENT + " " * len(bullet))
    for number, seen in enumerate(told.finding.seen):
        yield from _labelled("seen" if number == 0 else "", str(seen), look)
    if told.wanted:
        yield from _labelled("wanted", told.wanted, look)
    if told.remedy:
        yield from _labelled("mend", told.remedy.text, look)
        for command in told.remedy.all_commands:
            yield from _command(command, look)


def _labelled(label: str, text: str, look: Look) -> Iterator[str]:
    yield from look.fold(text, f"{_INDENT}{label:<{_LABEL}}", _INDENT + " " * _LABEL)


def _command(command: str, look: Look) -> Iterator[str]:
    """Never folded, and one of several lines not even indented: a shell looks for its last line at the edge."""
    lines = clean(command).splitlines()
    indent = _INDENT + " " * _LABEL if len(lines) == 1 else ""
    yield from (indent + look.paint(line, "command") for line in lines)


def _end(report: Report, look: Look) -> Iterator[str]:
    symbol = VERDICT_SYMBOLS[report.verdict]
    yield from _beside(symbol, f"{report.verdict}: {counted(report)}", look)
    for sentence in report.obstacles:
        yield from look.fold(sentence, "  ", "  ")
    if report.counts[Status.to_install]:
        yield from look.fold("`maas install` brings what is marked +.", "  ", "  ")
