"""For an issue, a wiki or a pull request: GitHub's Markdown."""

import re
from collections.abc import Iterator

from maas.readiness.findings import Status
from maas.readiness.reports.checklist import Line, Mark
from maas.readiness.reports.look import SYMBOLS, VERDICT_SYMBOLS, Look, clean
from maas.readiness.reports.quick import Answer
from maas.readiness.reports.report import Group, Report, Told, counted
from maas.readiness.reports.words import said

_SPECIAL = re.compile(r"([\\*_\[\]<>|#~])")
_TICKED = re.compile(r"(`[^`]+`)")
_QUIET = {Status.passed: "√", Status.to_install: "(to install)", Status.skipped: "(skipped)"}


def markdown(report: Report, look: Look) -> str:
    return look.finished("\n\n".join(_blocks(report))) + "\n"


def _blocks(report: Report) -> Iterator[str]:
    yield f"# {VERDICT_SYMBOLS[report.verdict]} {report.verdict}"
    yield f"{counted(report)}."
    yield from report.obstacles
    yield plain(f"{report.described}, judged for {report.asked.target}")
    if report.has_first_screen:
        yield "## pre-installation checklist"
        yield "\n".join(map(_checklist_line, report.checklist))
        yield "## quick validation commands"
        for answer in report.quick:
            yield from _answer(answer)
    for category, groups in report.categories:
        yield f"## {category}"
        if quiet := [group for group in groups if not group.problems]:
            yield "\n".join(line for group in quiet for line in _lines(group))
        for group in groups:
            yield from _group(group) if group.problems else ()


def _checklist_line(line: Line) -> str:
    box = "x" if line.mark is Mark.done else " "
    word = "" if line.mark in (Mark.done, Mark.open) else f"({line.mark.name.replace('_', ' ')}) "
    return f"- [{box}] {line.text}: {word}{plain(line.reason)}"


def _answer(answer: Answer) -> Iterator[str]:
    yield f"`{answer.command}`"
    if answer.note:
        yield plain(answer.note)
        return
    rows = [answer.columns, tuple("---" for _ in answer.columns), *answer.rows]
    yield "\n".join(f"| {' | '.join(map(plain, row))} |" for row in rows)
    if answer.more:
        yield f"and {answer.more} more"


def _lines(group: Group) -> Iterator[str]:
    for finding in group.findings:
        yield f"- {_QUIET[finding.status]} **{finding.code}** {plain(finding.title)}: {plain(said(finding))}"


def _group(group: Group) -> Iterator[str]:
    code = group.first.code
    yield f"### {SYMBOLS[group.status]} {code} {plain(group.first.title)}"
    for told in group.told():
        yield from _problem(told)
    if group.because_of:
        yield f"Likely follows from {', '.join(group.because_of)}: mend that first."
    yield f"`maas explain {code}` says more, as does {group.first.anchor}."


def _problem(told: Told) -> Iterator[str]:
    yield plain(said(told.finding))
    points = [f"- seen: {plain(str(seen))}" for seen in told.finding.seen]
    if told.wanted:
        points.append(f"- wanted: {plain(told.wanted)}")
    if points:
        yield "\n".join(points)
    if told.remedy:
        yield plain(told.remedy.text)
        if commands := told.remedy.all_commands:
            yield "\n".join(["```sh", *map(clean, commands), "```"])


def plain(text: str) -> str:
    """One line, in which nothing is markup but commands in ticks."""
    parts = _TICKED.split(clean(" ".join(text.split())))
    return "".join(part if part.startswith("`") else _SPECIAL.sub(r"\\\1", part) for part in parts)
