"""Carrying remedies out, one by one: shown, tried by the server, agreed, done, and looked at again.

What was shown is what is done: both are of the same Change. Nothing is changed before the server has accepted all of a
remedy's changes as a dry run; after each remedy the cluster is read again, for a remedy may mend more than its own
finding, and the next one is chosen from what is left.
"""

import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from maas.cluster.api import Api
from maas.cluster.changes import Change, Verb
from maas.cluster.facts.redaction import REDACTED
from maas.cluster.failures import Missing
from maas.domain.errors import MaasError
from maas.readiness.doctor import PROBLEMS, causes
from maas.readiness.findings import Finding

T = TypeVar("T")
Key = tuple[str, str, tuple[str, ...]]
Run = Callable[[Coroutine[Any, Any, T]], T]
Look = Callable[[], Awaitable[Sequence[Finding]]]


class Answer(StrEnum):
    yes = "y"
    no = "n"
    all = "all"
    quit = "quit"


class Told(Protocol):
    """Who is shown what happens, and is asked."""

    def remedy(self, finding: Finding, number: int) -> None: ...
    def refused(self, change: Change, reason: str) -> None: ...
    def accepted(self, changes: Sequence[Change]) -> None: ...
    def ask(self) -> Answer: ...
    def done(self, change: Change) -> None: ...
    def failed(self, change: Change, reason: str, left: Sequence[Change]) -> None: ...
    def waiting(self, finding: Finding, seconds: float) -> None: ...
    def gone(self, finding: Finding, others: Sequence[Finding]) -> None: ...
    def still(self, finding: Finding) -> None: ...


class Clock(Protocol):
    def time(self) -> float: ...
    def monotonic(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True)
class Plan:
    """patience: seconds to wait for a remedy to show its effect, and how often to look."""

    dry_run: bool = False
    ask: bool = True
    patience: float = 120.0
    pause: float = 2.0


@dataclass
class Mending:
    """api, look: the cluster, and what is wrong with it now. run: awaits, so that questions are asked between calls:
    whoever is asked can then end it with Ctrl-C."""

    api: Api
    look: Look
    told: Told
    plan: Plan
    clock: Clock
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    tried: set[Key] = field(default_factory=set)
    declined: set[Key] = field(default_factory=set)
    agreed_to_all: bool = False
    mended: int = 0

    def mend(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """What is wrong afterwards."""
        while finding := self._next(findings):
            self.tried.add(_key(finding))
            self.told.remedy(finding, len(self.tried))
            changes = _changes(finding)
            if not self.run(self._rehearsed(changes)) or self.plan.dry_run:
                continue
            answer = self._answer()
            if answer is Answer.quit:
                break
            if answer is Answer.no:
                self.declined.add(_key(finding))
            elif self._carried_out(changes):
                findings = self.run(self._looked_at_again(finding, findings))
        return findings

    def _next(self, findings: Sequence[Finding]) -> Finding | None:
        """Causes before what follows from them, which is left alone where its cause is to stay."""
        problems = [finding for finding in findings if finding.status in PROBLEMS]
        found = causes(problems)
        order = [cause.finding for cause in found]
        order += [each for cause in found if _key(cause.finding) not in self.declined for each in cause.consequences]
        return next((each for each in order if _changes(each) and _key(each) not in self.tried), None)

    def _answer(self) -> Answer:
        if self.agreed_to_all or not self.plan.ask:
            return Answer.yes
        answer = self.told.ask()
        self.agreed_to_all = answer is Answer.all
        return answer

    async def _rehearsed(self, changes: Sequence[Change]) -> bool:
        for change in changes:
            if REDACTED in json.dumps(change.body, default=str):
                self.told.refused(change, "it would write a value that was redacted when it was read")
                return False
            try:
                await self.api.carry_out(change, dry_run=True, now=self.clock.time())
            except MaasError as error:
                self.told.refused(change, str(error))
                return False
        self.told.accepted(changes)
        return True

    def _carried_out(self, changes: Sequence[Change]) -> bool:
        """Whether all were. Ended in between, those before are whole, and those after not begun."""
        for number, change in enumerate(changes):
            try:
                self.run(self._done(change))
            except MaasError as error:
                self.told.failed(change, str(error), changes[number + 1 :])
                return False
            self.told.done(change)
        return True

    async def _done(self, change: Change) -> None:
        try:
            await self.api.carry_out(change, dry_run=False, now=self.clock.time())
        except Missing:
            if change.verb is not Verb.delete:
                raise  # what was to go has gone: somebody else, or the API server, was quicker

    async def _looked_at_again(self, finding: Finding, before: Sequence[Finding]) -> Sequence[Finding]:
        """As often as it takes for the finding to go, and no longer than there is patience."""
        end = self.clock.monotonic() + self.plan.patience
        while True:
            findings = await self.look()
            left = _problems(findings)
            if _key(finding) not in left:
                gone = [each for key, each in _problems(before).items() if key not in left]
                self.mended += len(gone)
                self.told.gone(finding, [each for each in gone if _key(each) != _key(finding)])
                return findings
            seconds = end - self.clock.monotonic()
            if seconds <= 0:
                self.told.still(left[_key(finding)])
                return findings
            self.told.waiting(left[_key(finding)], seconds)
            await self.clock.sleep(min(self.plan.pause, seconds))


def _problems(findings: Sequence[Finding]) -> dict[Key, Finding]:
    return {_key(finding): finding for finding in findings if finding.status in PROBLEMS}


def _changes(finding: Finding) -> tuple[Change, ...]:
    return finding.remedy.changes if finding.remedy else ()


def _key(finding: Finding) -> Key:
    """Two of one check and object are told apart by what mends them; in other words it is still the same."""
    targets = (f"{each.verb} {each.kind.key} {each.namespace}/{each.name}" for each in _changes(finding))
    return finding.code, finding.about, tuple(targets)
