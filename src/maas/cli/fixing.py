"""maas doctor --fix on a terminal: what is shown, and how somebody is asked."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from maas.cli import judged
from maas.cluster.changes import Change
from maas.cluster.facts.model import Facts
from maas.readiness.catalogue import Asked
from maas.readiness.diagnosis_text import evidence, mended_by, sentence, titled
from maas.readiness.doctor import Diagnosis
from maas.readiness.findings import Finding
from maas.readiness.mending import Answer, Mending, Plan

_ANSWERS = {
    "y": Answer.yes,
    "yes": Answer.yes,
    "n": Answer.no,
    "no": Answer.no,
    "": Answer.no,
    "a": Answer.all,
    "all": Answer.all,
    "q": Answer.quit,
    "quit": Answer.quit,
}


class Case(Protocol):
    context: str | None
    kubeconfig: Any
    timeout: float

    def findings(self, facts: Facts) -> tuple[Finding, ...]: ...
    def asked(self, facts: Facts) -> Asked: ...


def has_somebody() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def fixed(
    case: Case,
    diagnose: Callable[[Facts, Sequence[Finding]], Diagnosis],
    first: Diagnosis,
    told: "Terminal",
    plan: Plan,
) -> Diagnosis:
    """The diagnosis afterwards."""
    from maas.cluster.connection import connect
    from maas.cluster.facts import live

    last = first
    with asyncio.Runner() as runner:
        api = runner.run(_opened(connect(case.context, case.kubeconfig)))

        async def look() -> Sequence[Finding]:
            nonlocal last
            facts = await live.read(api, deadline=case.timeout, logs=True, tools=False)
            last = diagnose(facts, case.findings(facts))
            return last.findings

        mending = Mending(api, look, told, plan, _Clock(), runner.run)
        try:
            mending.mend(first.findings)
        except KeyboardInterrupt:
            told.interrupted()
            raise
        finally:
            runner.run(api.session.close())
    told.end(mending, last)
    return last


async def _opened(api: Any) -> Any:
    return await api.__aenter__()


class _Clock:
    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Terminal:
    """Also for a pipe: then the line of what is awaited is said once."""

    def __init__(self) -> None:
        self._look = judged.look_for(sys.stdout)
        self._awaited = ""

    def remedy(self, finding: Finding, number: int) -> None:
        self._say("")
        self._lines(titled(f"remedy {number}: {finding.code}", self._look))
        self._lines(self._look.fold(sentence(finding)))
        self._lines(evidence(finding, self._look))
        if finding.remedy:
            self._lines(mended_by(finding.remedy, self._look))

    def refused(self, change: Change, reason: str) -> None:
        self._marked("×", f"the dry run of {_named(change)} was refused, so nothing is done: {reason}")

    def accepted(self, changes: Sequence[Change]) -> None:
        self._marked("√", f"the server accepts {_count(len(changes))} (dry run)")

    def ask(self) -> Answer:
        while True:
            try:
                said = input("    carry it out? [y]es, [n]o, [a]ll of them, [q]uit: ").strip().lower()
            except EOFError:
                return Answer.quit
            if said in _ANSWERS:
                return _ANSWERS[said]

    def done(self, change: Change) -> None:
        self._marked("√", f"done: {_named(change)}{f' ({change.why})' if change.why else ''}")

    def failed(self, change: Change, reason: str, left: Sequence[Change]) -> None:
        rest = f"; not begun: {', '.join(map(_named, left))}" if left else ""
        self._marked("×", f"{_named(change)} failed: {reason}{rest}")

    def waiting(self, finding: Finding, seconds: float) -> None:
        what = f"waiting for {finding.code} to go: {finding.message}"
        if sys.stdout.isatty():
            sys.stdout.write(f"\r\x1b[K    {what[: self._look.width - 24]} … {seconds:.0f} s left")
            sys.stdout.flush()
        elif self._awaited != what:
            self._lines(self._look.fold(f"{what} (at most {seconds:.0f} s)", "    ", "    "))
        self._awaited = what

    def gone(self, finding: Finding, others: Sequence[Finding]) -> None:
        self._cleared()
        codes = dict.fromkeys(other.code for other in others)
        self._marked("√", f"{finding.code} is gone" + (f", and with it {', '.join(codes)}" if others else ""))

    def still(self, finding: Finding) -> None:
        self._cleared()
        self._marked("×", f"{finding.code} is still there: {finding.message}")

    def interrupted(self) -> None:
        self._say("")
        self._marked(
            "×", "interrupted: what is marked as done is done, at most one change was under way, no other begun"
        )

    def end(self, mending: Mending, last: Diagnosis) -> None:
        self._say("")
        self._lines(titled("afterwards", self._look))
        if mending.plan.dry_run:
            self._marked("-", "nothing was changed (--dry-run)")
        else:
            findings = "finding" if mending.mended == 1 else "findings"
            self._marked("√" if mending.mended else "-", f"gone: {mending.mended} {findings}")
        for cause in last.causes:
            self._marked("×" if cause.is_failure else "‼", f"left: {cause.finding.code} {sentence(cause.finding)}")
        if not last.causes:
            self._marked("√", "nothing is left")

    def _marked(self, symbol: str, text: str) -> None:
        first, *rest = self._look.fold(text, f"{symbol} ", "  ")
        self._lines([self._look.symbol(symbol) + first[1:], *rest])

    def _cleared(self) -> None:
        if sys.stdout.isatty() and self._awaited:
            sys.stdout.write("\r\x1b[K")
        self._awaited = ""

    def _lines(self, lines: Any) -> None:
        for line in lines:
            self._say(line)

    def _say(self, line: str) -> None:
        judged.write(self._look.finished(line) + "\n")


def _named(change: Change) -> str:
    where = f" in {change.namespace}" if change.namespace else ""
    return f"{change.verb.value} {change.kind.name} {change.name}{where}"


def _count(number: int) -> str:
    return "the change" if number == 1 else f"the {number} changes"
