"""Remedies one by one: what is shown is done, what the server refuses is not begun, and nobody is overruled."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from maas.cluster.api import Api
from maas.cluster.changes import Change, Verb, set_labels
from maas.cluster.facts.redaction import REDACTED
from maas.cluster.failures import Denied, Missing
from maas.cluster.kinds import NAMESPACE, SECRET
from maas.readiness.findings import Category, Finding, Remedy, Severity, Status
from maas.readiness.mending import Answer, Mending, Plan

Call = tuple[str, bool]  # the object's name, whether it was a dry run


def finding(code: str, *changes: Change, because_of: tuple[str, ...] = (), status: Status = Status.failed) -> Finding:
    remedy = Remedy("mend it", changes=changes) if changes else None
    category = Category.known_issues
    return Finding(code, category, code, Severity.error, "", status, f"{code} is there", (), remedy, "", because_of)


def labelled(name: str) -> Change:
    return set_labels(NAMESPACE, name, {"a": "b"})


@dataclass
class Server:
    """Takes changes, and refuses those of the objects named so."""

    refuses_tries: frozenset[str] = frozenset()
    fails: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    calls: list[Call] = field(default_factory=list)

    async def carry_out(self, change: Change, *, dry_run: bool, now: float) -> dict[str, Any]:
        self.calls.append((change.name, dry_run))
        if dry_run and change.name in self.refuses_tries:
            raise Denied("admission webhook denied the request")
        if not dry_run and change.name in self.fails:
            raise Denied("forbidden")
        if not dry_run and change.name in self.gone:
            raise Missing("no such object", object_named=True)
        return {}

    @property
    def done(self) -> list[str]:
        return [name for name, dry_run in self.calls if not dry_run]


@dataclass
class Reader:
    """What is wrong, look after look; the last answer is given for ever."""

    answers: list[Sequence[Finding]]

    async def __call__(self) -> Sequence[Finding]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass
class Listener:
    answers: list[Answer] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def remedy(self, finding: Finding, number: int) -> None:
        self.heard.append(f"remedy {finding.code}")

    def refused(self, change: Change, reason: str) -> None:
        self.heard.append(f"refused {change.name}: {reason}")

    def accepted(self, changes: Sequence[Change]) -> None:
        self.heard.append("accepted")

    def ask(self) -> Answer:
        self.heard.append("asked")
        return self.answers.pop(0)

    def done(self, change: Change) -> None:
        self.heard.append(f"done {change.name}")

    def failed(self, change: Change, reason: str, left: Sequence[Change]) -> None:
        self.heard.append(f"failed {change.name}, not begun: {[each.name for each in left]}")

    def waiting(self, finding: Finding, seconds: float) -> None:
        self.heard.append(f"waiting {seconds:.0f}")

    def gone(self, finding: Finding, others: Sequence[Finding]) -> None:
        self.heard.append(" ".join(["gone", finding.code, *(each.code for each in others)]))

    def still(self, finding: Finding) -> None:
        self.heard.append(f"still {finding.code}")


class Clock:
    """Goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def mend(
    findings: Sequence[Finding],
    *later: Sequence[Finding],
    server: Server | None = None,
    told: Listener | None = None,
    **plan: Any,
) -> tuple[Server, Listener, Sequence[Finding]]:
    server, told = server or Server(), told or Listener()
    with asyncio.Runner() as runner:
        mending = Mending(cast(Api, server), Reader([*later] or [[]]), told, Plan(**plan), Clock(), runner.run)
        left = mending.mend(findings)
    return server, told, left


def test_all_changes_are_tried_then_done_in_their_order() -> None:
    server, told, left = mend([finding("MAAS-401", labelled("a"), labelled("b"))], ask=False)
    assert server.calls == [("a", True), ("b", True), ("a", False), ("b", False)]
    assert told.heard == ["remedy MAAS-401", "accepted", "done a", "done b", "gone MAAS-401"]
    assert left == []


def test_a_dry_run_is_all_that_a_dry_run_does() -> None:
    server, told, _ = mend([finding("MAAS-401", labelled("a")), finding("MAAS-404", labelled("b"))], dry_run=True)
    assert server.calls == [("a", True), ("b", True)]
    assert "asked" not in told.heard


def test_what_the_server_refuses_is_shown_and_nothing_of_it_is_done() -> None:
    server, told, _ = mend(
        [finding("MAAS-401", labelled("a"), labelled("b")), finding("MAAS-404", labelled("c"))],
        server=Server(refuses_tries=frozenset({"b"})),
        ask=False,
    )
    assert server.done == ["c"]
    assert "refused b: admission webhook denied the request" in told.heard


def test_a_change_that_fails_ends_its_remedy_and_says_what_was_not_begun() -> None:
    findings = [finding("MAAS-401", labelled("a"), labelled("b"), labelled("c")), finding("MAAS-404", labelled("d"))]
    server, told, _ = mend(findings, server=Server(fails=frozenset({"b"})), ask=False)
    assert server.done == ["a", "b", "d"]
    assert "failed b, not begun: ['c']" in told.heard


def test_only_what_was_agreed_to_is_done() -> None:
    findings = [finding(code, labelled(code)) for code in ("MAAS-401", "MAAS-404", "MAAS-406", "MAAS-407")]
    told = Listener([Answer.no, Answer.yes, Answer.quit])
    server, _, _ = mend(findings, findings, told=told, patience=0)
    assert server.done == ["MAAS-404"]
    assert told.heard.count("asked") == 3


def test_agreeing_to_all_is_asked_no_more() -> None:
    findings = [finding(code, labelled(code)) for code in ("MAAS-401", "MAAS-404", "MAAS-406")]
    told = Listener([Answer.all])
    server, _, _ = mend(findings, findings, told=told, patience=0)
    assert server.done == ["MAAS-401", "MAAS-404", "MAAS-406"]


def test_causes_are_mended_first_and_what_goes_with_them_is_left_alone() -> None:
    cause = finding("MAAS-406", labelled("cause"))
    consequence = finding("MAAS-272", labelled("consequence"), because_of=("MAAS-406",))
    server, told, _ = mend([consequence, cause], [], ask=False)
    assert server.done == ["cause"]
    assert told.heard[-1] == "gone MAAS-406 MAAS-272"


def test_what_follows_from_a_cause_that_is_to_stay_is_left_alone() -> None:
    cause = finding("MAAS-406", labelled("cause"))
    consequence = finding("MAAS-272", labelled("consequence"), because_of=("MAAS-406",))
    told = Listener([Answer.no])
    server, _, _ = mend([consequence, cause], told=told)
    assert server.done == [] and told.heard.count("asked") == 1


def test_two_findings_of_one_object_are_told_apart_by_what_mends_them() -> None:
    mended, other = finding("MAAS-305", labelled("a")), finding("MAAS-305")
    _, told, left = mend([mended, other], [other], ask=False, patience=0)
    assert told.heard[-1] == "gone MAAS-305"
    assert left == [other]


def test_an_effect_is_waited_for_as_long_as_there_is_patience() -> None:
    there = [finding("MAAS-401", labelled("a"))]
    _, told, left = mend(there, there, there, [], ask=False, patience=10, pause=4)
    assert told.heard[-3:] == ["waiting 10", "waiting 6", "gone MAAS-401"]
    _, told, left = mend(there, there, ask=False, patience=10, pause=4)
    assert told.heard[-4:] == ["waiting 10", "waiting 6", "waiting 2", "still MAAS-401"]
    assert left == there


def test_a_remedy_is_tried_once() -> None:
    there = [finding("MAAS-401", labelled("a"))]
    server, _, _ = mend(there, there, ask=False, patience=0)
    assert server.done == ["a"]


def test_what_was_redacted_is_never_written() -> None:
    body = {"spec": {"env": [{"name": "TOKEN", "value": REDACTED}]}}
    server, told, _ = mend([finding("MAAS-420", Change(Verb.patch, NAMESPACE, "a", body=body))], ask=False)
    assert server.calls == []
    assert "redacted" in told.heard[-1]


def test_deleting_what_has_gone_is_done() -> None:
    change = Change(Verb.delete, SECRET, "a", "n")
    _, told, _ = mend([finding("MAAS-413", change)], server=Server(gone=frozenset({"a"})), ask=False)
    assert told.heard[-2:] == ["done a", "gone MAAS-413"]
    _, told, _ = mend([finding("MAAS-401", labelled("a"))], server=Server(gone=frozenset({"a"})), ask=False)
    assert "failed a, not begun: []" in told.heard


def test_ctrl_c_at_the_question_ends_it_with_nothing_done() -> None:
    class Leaving(Listener):
        def ask(self) -> Answer:
            raise KeyboardInterrupt

    server = Server()
    with pytest.raises(KeyboardInterrupt):
        mend([finding("MAAS-401", labelled("a"))], server=server, told=Leaving())
    assert server.done == []


def test_ctrl_c_between_changes_begins_no_other() -> None:
    class Slow(Server):
        async def carry_out(self, change: Change, *, dry_run: bool, now: float) -> dict[str, Any]:
            if not dry_run and change.name == "b":
                raise KeyboardInterrupt
            return await super().carry_out(change, dry_run=dry_run, now=now)

    server = Slow()
    with pytest.raises(KeyboardInterrupt):
        mend([finding("MAAS-401", labelled("a"), labelled("b"), labelled("c"))], server=server, ask=False)
    assert server.done == ["a"]


def test_what_has_no_remedy_of_ours_is_left_alone() -> None:
    findings = [finding("MAAS-409"), finding("MAAS-401", labelled("a"), status=Status.passed)]
    server, told, left = mend(findings, ask=False)
    assert (server.calls, told.heard, left) == ([], [], findings)
