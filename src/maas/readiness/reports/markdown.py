"""For an issue, a wiki or a pull request: GitHub's Markdown."""

import re
from collections.abc import Iterator

from maas.readiness.findings import Finding, Status, Verdict
from maas.readiness.reports.checklist import Mark
from maas.readiness.reports.look import SYMBOLS, VERDICT_SYMBOLS, Look, clean
from maas.readiness.reports.quick import Answer
from maas.readiness.reports.report import Group, Report, counted

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


def markdown(report: Report, look: Look) -> str:
    return look.finished("\n".join(_page(report))) + "\n"


def _page(report: Report) -> Iterator[str]:
    yield f"# {VERDICT_SYMBOLS[report.verdict]} {report.verdict}"
    yield f"\n{counted(report)}. Read from {_plain(report.facts.source.described)}.\n"
    if report.verdict is Verdict.not_ready:
        yield f"Mend first: {', '.join(report.first_to_mend)}\n"
    if report.has_first_screen:
        yield from _first_screen(report)
    for category, groups in report.categories:
        yield f"## {category}\n"
        for group in groups:
            yield from _group(group)
        yield ""


def _first_screen(report: Report) -> Iterator[str]:
    yield "## pre-installation checklist\n"
    for line in report.checklist:
        box = "x" if line.mark is Mark.done else " "
        said = "" if line.mark in (Mark.done, Mark.open) else f"({line.mark.name.replace('_', ' ')}) "
        yield f"- [{box}] {line.text}: {said}{_plain(line.reason)}"
    yield "\n## quick validation\n"
    for answer in report.quick:
        yield from _answer(answer)


def _answer(answer: Answer) -> Iterator[str]:
    yield f"`{answer.command}`\n"
    if answer.note:
        yield f"{_plain(answer.note)}\n"
        return
    yield f"| {' | '.join(answer.columns)} |"
    yield f"|{'---|' * len(answer.columns)}"
    yield from (f"| {' | '.join(map(_plain, row))} |" for row in answer.rows)
    yield f"\nand {answer.more} more\n" if answer.more else ""


def _group(group: Group) -> Iterator[str]:
    first = group.first
    if not group.problems:
        for finding in group.findings:
            yield f"- {SYMBOLS[finding.status]} **{first.code}** {_plain(first.title)}: {_said(finding)}"
        return
    yield f"\n### {SYMBOLS[group.status]} {first.code} {_plain(first.title)}\n"
    for finding in group.problems:
        yield from _problem(finding)
    yield f"See [{first.code}]({first.anchor}).\n"


def _problem(finding: Finding) -> Iterator[str]:
    yield f"{_said(finding)}\n"
    yield from (f"- seen: {_plain(str(seen))}" for seen in finding.seen)
    if finding.status is not Status.unknown:
        yield f"- wanted: {_plain(finding.wanted)}"
    if finding.because_of:
        yield f"- likely follows from {', '.join(finding.because_of)}"
    if finding.remedy:
        yield f"\n{_plain(finding.remedy.text)}\n"
        if commands := finding.remedy.all_commands:
            yield "\n".join(["```sh", *map(clean, commands), "```"])
    yield ""


def _said(finding: Finding) -> str:
    return _plain(f"{finding.about}: {finding.message}" if finding.about else finding.message)


def _plain(text: str) -> str:
    """One line, in which nothing is markup."""
    return _SPECIAL.sub(r"\\\1", clean(" ".join(text.split())))
