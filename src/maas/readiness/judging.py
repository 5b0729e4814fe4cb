"""From facts to findings: every check that applies, in order, none of which can spoil another."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from maas.cluster.facts.model import Facts, NotRead
from maas.cluster.facts.redaction import scrubbed
from maas.readiness.catalogue import Asked, Check, checks
from maas.readiness.findings import Finding, Outcome, Severity, Status, unknown
from maas.readiness.workloads import OF_PODS, keeps_down

_UNPROVEN = frozenset({Status.passed, Status.to_install, Status.skipped})  # if only a part was read


def judge(facts: Facts, asked: Asked, *, only: Collection[str] = (), skip: Collection[str] = ()) -> tuple[Finding, ...]:
    """only, skip: codes, or beginnings of codes such as MAAS-1."""
    chosen = [check for check in checks() if asked.phase in check.phases and is_chosen(check, only, skip)]
    return findings((check, outcome) for check in chosen for outcome in _outcomes(check, facts, asked))


def is_chosen(check: Check, only: Collection[str] = (), skip: Collection[str] = ()) -> bool:
    return (not only or check.code.startswith(tuple(only))) and not (skip and check.code.startswith(tuple(skip)))


def findings(outcomes: Iterable[tuple[Check, Outcome]]) -> tuple[Finding, ...]:
    """What each check said, as findings that know of each other."""
    pairs = list(outcomes)
    made = [_finding(check, outcome) for check, outcome in pairs]
    return tuple(_explained(made, {check.code: check.after for check, _ in pairs}))


def explained(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings of several judgements, as if they were of one: causes among the others are named."""
    every = list(findings)
    return tuple(_explained(every, {check.code: check.after for check in checks()}))


def _outcomes(check: Check, facts: Facts, asked: Asked) -> list[Outcome]:
    facts = facts.afresh()
    try:
        outcomes = list(check.judge(facts, asked))
    except NotRead as missing:
        return [unknown(missing.unread.reason)]
    except Exception as error:  # noqa: BLE001  # one check that stumbles over an absurd object must not hide the others
        return [unknown(f"the check itself failed, which should not happen: {type(error).__name__}: {error}")]
    if not outcomes:
        return [unknown("the check said nothing, which should not happen")]
    return _doubted(outcomes, facts.doubts)


def _doubted(outcomes: list[Outcome], doubts: Mapping[str, str]) -> list[Outcome]:
    """What a check found holds good. That it found nothing does not, where it was not shown all there is."""
    unproven = [each for each in outcomes if each.status in _UNPROVEN]
    if not doubts or not unproven:
        return outcomes
    first = unproven[0]
    others = f" (and {len(unproven) - 1} more)" if len(unproven) > 1 else ""
    reason = next(iter(doubts.values()))
    proven = [each for each in outcomes if each.status not in _UNPROVEN]
    return [*proven, unknown(f"{reason}. Of what was read: {first.message}{others}", *first.seen)]


def _finding(check: Check, outcome: Outcome) -> Finding:
    """What it quotes of a cluster (logs, events, statuses, settings) may hold credentials: here they end."""
    status = outcome.status
    if status is Status.failed and check.severity is Severity.warning:
        status = Status.warning
    remedy = outcome.remedy and replace(outcome.remedy, text=scrubbed(outcome.remedy.text))
    return Finding(
        check.code,
        check.category,
        check.title,
        check.severity,
        check.wanted,
        status,
        scrubbed(outcome.message),
        tuple(replace(s, field=scrubbed(s.field), value=scrubbed(s.value)) for s in outcome.seen),
        remedy,
        outcome.about,
        itself=outcome.itself,
    )


def _explained(findings: list[Finding], after: dict[str, tuple[str, ...]]) -> Iterator[Finding]:
    """Notes at each failure which other failures it may be a mere consequence of: a warning explains no failure."""
    failures = {finding.code for finding in findings if finding.status is Status.failed}
    explaining = {Status.failed: failures, Status.warning: failures | {f.code for f in findings if _warns(f)}}
    of_pods = [finding for finding in findings if finding.code in OF_PODS]
    for finding in findings:
        explained = explaining.get(finding.status, set())
        causes = [code for code in after[finding.code] if code in explained]
        causes += [other.code for other in of_pods if other.code in explained and keeps_down(other, finding)]
        found = tuple(dict.fromkeys(causes))
        yield replace(finding, because_of=found) if found and not finding.itself else finding


def _warns(finding: Finding) -> bool:
    return finding.status is Status.warning
