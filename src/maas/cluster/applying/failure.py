"""A step that failed, as data, and as what is printed of it at 80 columns."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from maas.cluster.plan.model import Step
from maas.domain.errors import Unavailable

_WIDTH = 80
AGAIN = "Then run the same command again: what is done is not done twice."


@dataclass(frozen=True)
class Lines:
    """The end of a container's log."""

    pod: str  # "llm/qwen3-predictor-7c9"
    container: str
    lines: tuple[str, ...]
    previous: bool = False


@dataclass(frozen=True)
class Report:
    """
    what: "applying Gateway llm/maas-gateway", "Gateway llm/maas-gateway is Programmed".
    condition: the words of the object's status, or of the server.
    cause: what is behind it, as far as can be told.
    events: newest first, one line each.
    remedies: what to do, in sentences; commands: what to type for it or to look closer.
    """

    step: Step
    object: str
    what: str
    condition: str
    cause: str = ""
    events: tuple[str, ...] = ()
    logs: tuple[Lines, ...] = ()
    remedies: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    others: tuple[str, ...] = field(default=())  # further steps that failed at the same time, a line each


class StepFailed(Unavailable):
    """report: for whoever can add the known issue that it looks like."""

    def __init__(self, report: Report) -> None:
        super().__init__(written(report))
        self.report = report


def written(report: Report) -> str:
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield from _wrapped(f"Step {report.step.key} failed: {report.what}", "")
    yield from _wrapped(report.condition, "  ")
    if report.cause:
        yield from _part("Cause", [report.cause])
    if report.events:
        yield from _part("Newest events", report.events)
    for log in report.logs:
        before = ", before its last restart" if log.previous else ""
        yield ""
        yield from _wrapped(f"Last lines of pod {log.pod}, container {log.container}{before}", "")
        yield from (f"  {line}" for line in log.lines)
    if report.remedies or report.commands:
        yield from _part("What to do", (*report.remedies, AGAIN))
        yield from (f"    {command}" for command in report.commands)
    if report.others:
        yield from _part("Failed as well", report.others)


def _part(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield ""
    yield title
    for line in lines:
        yield from _wrapped(line, "  ")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
