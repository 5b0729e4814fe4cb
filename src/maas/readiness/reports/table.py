"""For people: a first screen as prerequisites list it, then every check in linkerd's layout, then the verdict.

gpu
---
√ MAAS-140 GPUs are there: 4 of 8 free
× MAAS-141 …
    what was seen, what was wanted, what to do
    see docs/checks.md#maas-141
"""

from collections.abc import Iterator, Sequence

from maas.readiness.findings import Finding, Remedy, Status, Verdict
from maas.readiness.reports.checklist import Line, Mark
from maas.readiness.reports.look import SYMBOLS, VERDICT_SYMBOLS, Look, clean
from maas.readiness.reports.quick import Answer
from maas.readiness.reports.report import PROBLEMS, Group, Report, counted

_INDENT = "    "
_LABEL = 9  # "wanted", "seen", "mend" and a gap, after the indent
_SHOWN = 5  # findings of one check; all are in -o json


def table(report: Report, look: Look) -> str:
    screens = [*_first_screen(report, look), *_categories(report, look), *_end(report, look)]
    return look.finished("\n".join(screens)) + "\n"


def short(report: Report, look: Look) -> str:
    """Problems and the verdict alone."""
    problems = [group for group in report.groups if group.status in PROBLEMS]
    lines = [line for group in problems for line in (*_group(group, look), "")]
    return look.finished("\n".join([*lines, *_end(report, look)])) + "\n"


def _first_screen(report: Report, look: Look) -> Iterator[str]:
    if not report.has_first_screen:
        return
    yield from _titled("pre-installation checklist", look)
    for line in report.checklist:
        yield from _checklist_line(line, look)
    yield ""
    for answer in report.quick:
        yield from _answer(answer, look)
    yield ""


_MARK_STYLES = {Mark.done: "√", Mark.open: "×", Mark.to_install: "+", Mark.unknown: "?", Mark.left_out: "-"}


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
        for group in groups:
            yield from _group(group, look)
        yield ""


def _titled(title: str, look: Look) -> Iterator[str]:
    yield look.paint(title, "title")
    yield "-" * len(title)


def _group(group: Group, look: Look) -> Iterator[str]:
    first, problems = group.first, group.problems
    symbol = SYMBOLS[group.status]
    if not problems:
        said = f"{first.code} {first.title}: {_said_in_a_line(group)}"
        yield from _beside(symbol, said, look)
        return
    of = f" ({len(problems)} of {len(group.findings)})" if len(group.findings) > 1 else ""
    yield from _beside(symbol, f"{first.code} {first.title}{of}", look)
    for finding, remedy in _with_remedies(problems[:_SHOWN]):
        yield from _problem(finding, remedy, look)
    if len(problems) > _SHOWN:
        yield f"{_INDENT}and {len(problems) - _SHOWN} more; -o json has all"
    if causes := sorted({code for finding in problems for code in finding.because_of}):
        yield from look.fold(f"likely follows from {', '.join(causes)}: mend that first", _INDENT, _INDENT)
    yield f"{_INDENT}see {first.anchor}"


def _said_in_a_line(group: Group) -> str:
    deciding = [finding for finding in group.findings if finding.status is group.status]
    more = f" (and {len(deciding) - 1} more)" if len(deciding) > 1 else ""
    about = f"{deciding[0].about}: " if deciding[0].about else ""
    return f"{about}{deciding[0].message}{more}"


def _beside(symbol: str, text: str, look: Look) -> Iterator[str]:
    first, *rest = look.fold(text, f"{symbol} ", "  ")
    yield look.symbol(symbol) + first[len(symbol) :]
    yield from rest


def _with_remedies(findings: Sequence[Finding]) -> Iterator[tuple[Finding, Remedy | None]]:
    """Each with its remedy, but not with one that the next has too: it is said once, after the last."""
    for finding, following in zip(findings, [*findings[1:], None], strict=True):
        same = following is not None and following.remedy == finding.remedy
        yield finding, None if same else finding.remedy


def _problem(finding: Finding, remedy: Remedy | None, look: Look) -> Iterator[str]:
    about = f"{finding.about}: " if finding.about else ""
    yield from look.fold(f"{about}{finding.message}", _INDENT, _INDENT)
    for number, seen in enumerate(finding.seen):
        yield from _labelled("seen" if number == 0 else "", str(seen), look)
    if finding.status is not Status.unknown:
        yield from _labelled("wanted", finding.wanted, look)
    if remedy:
        yield from _labelled("mend", remedy.text, look)
        for command in remedy.all_commands:
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
    if report.verdict is Verdict.not_ready:
        yield from look.fold(f"Mend first: {', '.join(report.first_to_mend)}", "  ", "  ")
    elif report.counts[Status.to_install]:
        yield from look.fold("`maas install` brings what is marked +.", "  ", "  ")
