"""A diagnosis for people: how far things go, then each cause in a sentence, its evidence, its remedy, what follows.

1. × MAAS-406 Kuadrant's operator started before what it depends on …
       seen     Kuadrant kuadrant-system/kuadrant status.conditions[Ready] = …
       mend     Restart Kuadrant's operator.
                kubectl rollout restart …
       so       × MAAS-301 AuthPolicy llm/maas-auth: it is not enforced
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from maas.readiness.chapters import Chapter
from maas.readiness.doctor import Cause, Diagnosis
from maas.readiness.findings import Finding, Remedy, Status
from maas.readiness.reports.look import SYMBOLS, Look, clean

_INDENT = "    "
_LABEL = 6
_UNDER = _INDENT + " " * _LABEL
_SHOWN = 8  # causes of one check; consequences of one cause


def told(diagnosis: Diagnosis, described: str, look: Look) -> str:
    """The whole text, with its last newline."""
    parts = (
        look.fold(f"{described}: {diagnosis.topic}", rest=_INDENT),
        [""],
        chain.from_iterable(_chapter(chapter, look) for chapter in diagnosis.chapters),
        _causes(diagnosis, look),
        _unknown(diagnosis.unknown, look),
        _end(diagnosis, look),
    )
    return look.finished("\n".join(chain.from_iterable(parts))) + "\n"


def short(diagnosis: Diagnosis, described: str, look: Look) -> str:
    """A line for each cause."""
    lines = [*look.fold(f"{described}: {diagnosis.topic}", rest=_INDENT)]
    for cause in diagnosis.causes:
        lines += _beside(cause.finding.status, f"{cause.finding.code} {sentence(cause.finding)}", look)
    return look.finished("\n".join([*lines, *_end(diagnosis, look)])) + "\n"


def sentence(finding: Finding) -> str:
    return f"{finding.about}: {finding.message}" if finding.about else finding.message


def mended_by(remedy: Remedy, look: Look) -> Iterator[str]:
    """What to do: in words, then the commands, each whole so that it can be copied."""
    yield from _labelled("mend", remedy.text, look)
    for command in remedy.all_commands:
        yield from _command(command, look)


def evidence(finding: Finding, look: Look) -> Iterator[str]:
    for number, seen in enumerate(finding.seen):
        yield from _labelled("seen" if number == 0 else "", str(seen), look)


def titled(title: str, look: Look) -> Iterator[str]:
    yield look.paint(title, "title")
    yield "-" * len(title)


def _chapter(chapter: Chapter, look: Look) -> Iterator[str]:
    yield from titled(chapter.title, look)
    for step in chapter.steps:
        yield from _beside(step.status, f"{step.what}: {step.message}", look)
    for title, lines in chapter.excerpts:
        yield ""
        yield from look.fold(f"{title}:", "  ", "  ")
        for line in lines:
            yield from look.fold(line, "  | ", "  |   ")
    yield ""


def _causes(diagnosis: Diagnosis, look: Look) -> Iterator[str]:
    if not diagnosis.causes:
        return
    yield from titled("causes", look)
    shown: dict[str, int] = {}
    for number, cause in enumerate(diagnosis.causes, 1):
        code = cause.finding.code
        shown[code] = shown.get(code, 0) + 1
        if shown[code] <= _SHOWN:
            yield from _cause(number, cause, look)
    for code, count in shown.items():
        if count > _SHOWN:
            yield f"and {count - _SHOWN} more of {code}; -o json has all"
            yield ""


def _cause(number: int, cause: Cause, look: Look) -> Iterator[str]:
    finding = cause.finding
    symbol = SYMBOLS[finding.status]
    first, *rest = look.fold(f"{finding.code} {sentence(finding)}", f"{number}. {symbol} ", _INDENT)
    yield first.replace(symbol, look.symbol(symbol), 1)
    yield from rest
    yield from evidence(finding, look)
    if finding.remedy:
        yield from mended_by(finding.remedy, look)
    for place, other in enumerate(cause.consequences[:_SHOWN]):
        label = "so" if place == 0 else ""
        yield from _labelled(label, f"{SYMBOLS[other.status]} {other.code} {sentence(other)}", look)
    if len(cause.consequences) > _SHOWN:
        yield f"{_UNDER}and {len(cause.consequences) - _SHOWN} more"
    yield ""


def _unknown(findings: Sequence[Finding], look: Look) -> Iterator[str]:
    """One line for all that could not be judged for the same reason."""
    by_reason: dict[str, list[str]] = {}
    for finding in findings:
        by_reason.setdefault(finding.message, []).append(finding.code)
    if not by_reason:
        return
    yield from titled("could not be judged", look)
    for reason, codes in by_reason.items():
        yield from _beside(Status.unknown, f"{', '.join(dict.fromkeys(codes))}: {reason}", look)
    yield ""


def _end(diagnosis: Diagnosis, look: Look) -> Iterator[str]:
    sure = [cause for cause in diagnosis.causes if cause.is_failure]
    rest = len(diagnosis.causes) - len(sure)
    fixable = [cause for cause in diagnosis.causes if cause.finding.remedy and cause.finding.remedy.changes]
    if not diagnosis.causes:
        status = Status.unknown if diagnosis.unknown else Status.passed
        more = f"; {_count(len(diagnosis.unknown), 'check')} could not be judged" if diagnosis.unknown else ""
        yield from _beside(
            status, f"nothing is found to be wrong ({_count(len(diagnosis.findings), 'finding')}){more}", look
        )
        return
    parts = [_count(len(sure), "cause of failure", "causes of failure")] if sure else []
    parts += [_count(rest, "warning")] if rest else []
    parts += [f"{len(diagnosis.unknown)} unknown"] if diagnosis.unknown else []
    yield from _beside(Status.failed if sure else Status.warning, ", ".join(parts), look)
    if fixable:
        yield from look.fold(f"`maas doctor --fix` can mend {len(fixable)} of them, and asks before each.", "  ", "  ")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _beside(status: Status, text: str, look: Look) -> Iterator[str]:
    symbol = SYMBOLS[status]
    first, *rest = look.fold(text, f"{symbol} ", "  ")
    yield look.symbol(symbol) + first[len(symbol) :]
    yield from rest


def _labelled(label: str, text: str, look: Look) -> Iterator[str]:
    yield from look.fold(text, f"{_INDENT}{label:<{_LABEL}}", _UNDER)


def _command(command: str, look: Look) -> Iterator[str]:
    """Never folded, and one of several lines not even indented: a shell looks for its last line at the edge."""
    lines = clean(command).splitlines()
    indent = _UNDER if len(lines) == 1 else ""
    yield from (indent + look.paint(line, "command") for line in lines)
