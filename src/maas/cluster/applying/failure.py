"""A step that failed, as data, and as what is printed of it at 80 columns.

Step models failed: the models
  Wanted  InferenceService llm/qwen3 is Ready; waited 10 min for it
  Found   PredictorReady is False: MinimumReplicasUnavailable: …
  Cause   no node has a GPU left for pod llm/qwen3-predictor-7c9: …
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from maas.cluster.plan.model import Step
from maas.domain.errors import Unavailable

_WIDTH = 80
_LABEL = 8
AGAIN = "Then run the same command again: what is done is not done twice."
_ALONE = "Mend what was found, then run the same command again: what is done is not done twice."


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
    object: "Gateway llm/maas-gateway". wanted: "Gateway llm/maas-gateway is Programmed; waited 5 min for it".
    found: the words of the object's status, or of the server.
    cause: what is behind it, as far as can be told; "" if nothing but what was found can be said.
    events: newest first, one line each.
    remedies: what to do, in sentences; commands: what to type for it, or to look closer.
    others: steps that failed at the same time, a line each.
    cut_short: more time might have helped, and that of all steps was over.
    """

    step: Step = field(repr=False)  # it may hold a Secret's values
    object: str
    wanted: str
    found: str
    cause: str = ""
    events: tuple[str, ...] = ()
    logs: tuple[Lines, ...] = ()
    remedies: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    cut_short: bool = False


class StepFailed(Unavailable):
    """report: for whoever can add the known issue that it looks like."""

    def __init__(self, report: Report) -> None:
        super().__init__(written(report))
        self.report = report


def written(report: Report) -> str:
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield from _wrapped(f"Step {report.step.key} failed: {report.step.title}", "", "  ")
    for label, words in (("Wanted", report.wanted), ("Found", report.found), ("Cause", report.cause)):
        yield from _labelled(label, words)
    yield from _part("Newest events", report.events)
    for log in report.logs:
        before = ", before its last restart" if log.previous else ""
        yield ""
        yield from _wrapped(f"Last lines of pod {log.pod}, container {log.container}{before}", "", "  ")
        yield from (f"  {line}" for line in log.lines)
    closer = ("Look at it closer:",) if report.commands and not report.remedies else report.remedies
    if closer:
        yield from _part("What to do", closer)
        yield from (f"    {command}" for command in report.commands)
        yield from _wrapped(AGAIN, "  ", "    ")
    else:
        yield from _part("What to do", (_ALONE,))
    yield from _part("Failed as well", report.others)


def _labelled(label: str, words: str) -> Iterator[str]:
    """Each line of the words begins one."""
    for number, line in enumerate(line for line in words.splitlines() if line.strip()):
        first = f"  {label:<{_LABEL}}" if number == 0 else " " * (_LABEL + 2)
        yield from _wrapped(line, first, " " * (_LABEL + 2))


def _part(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
    for line in lines:
        yield from _wrapped(line, "  ", "    ")


def _wrapped(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
