"""What every format shows: findings in groups, the verdict, and what could not be read."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby

from maas.cluster.facts.model import Facts, Unread
from maas.readiness.catalogue import Asked, Phase, checks
from maas.readiness.findings import Category, Finding, Remedy, Severity, Status, Verdict, verdict
from maas.readiness.reports.checklist import Line, checklist
from maas.readiness.reports.quick import Answer, quick
from maas.readiness.reports.words import listed

PROBLEMS = (Status.failed, Status.unknown, Status.warning)
_WORST_FIRST = (*PROBLEMS, Status.to_install, Status.passed, Status.skipped)


@dataclass(frozen=True)
class Told:
    """A problem as people are told it: what is the same for the next one of the same check is left to that."""

    finding: Finding
    wanted: str
    remedy: Remedy | None


@dataclass(frozen=True)
class Group:
    """What one check found."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        return self.findings[0]

    @property
    def status(self) -> Status:
        return min((finding.status for finding in self.findings), key=_WORST_FIRST.index)

    @property
    def problems(self) -> list[Finding]:
        """The worst first."""
        return sorted((f for f in self.findings if f.status in PROBLEMS), key=lambda f: PROBLEMS.index(f.status))

    def told(self, limit: int | None = None) -> Iterator[Told]:
        shown = self.problems[:limit]
        for finding, following in zip(shown, [*shown[1:], None], strict=True):
            wanted = "" if following or finding.status is Status.unknown else finding.wanted
            same = following is not None and following.remedy == finding.remedy
            yield Told(finding, wanted, None if same else finding.remedy)

    @property
    def only_reason(self) -> str:
        """What leaves this check out, if that is all that there is to say of it."""
        first, *others = self.findings
        bare = first.status in (Status.skipped, Status.unknown) and not (others or first.seen or first.remedy)
        return "" if first.about or not bare else first.message

    @property
    def because_of(self) -> list[str]:
        return sorted({code for finding in self.problems for code in finding.because_of})


@dataclass(frozen=True)
class Report:
    findings: Sequence[Finding]
    facts: Facts
    asked: Asked

    @cached_property
    def verdict(self) -> Verdict:
        return verdict(self.findings)

    @cached_property
    def groups(self) -> list[Group]:
        order = list(Category)
        ordered = sorted(self.findings, key=lambda finding: (order.index(finding.category), finding.code))
        return [Group(tuple(same)) for _, same in groupby(ordered, key=lambda finding: finding.code)]

    @cached_property
    def categories(self) -> list[tuple[Category, list[Group]]]:
        return [(key, list(groups)) for key, groups in groupby(self.groups, key=lambda group: group.first.category)]

    @cached_property
    def counts(self) -> Mapping[Status, int]:
        """Of checks, not of findings: a thousand pods that fail one check are one."""
        counted = Counter(group.status for group in self.groups)
        return {status: counted[status] for status in Status}

    @cached_property
    def left_out(self) -> int:
        """How many checks of preflight --only and --skip left out."""
        wanted = {check.code for check in checks() if Phase.before in check.phases} if self.has_first_screen else set()
        return len(wanted - self.groups_by_code.keys())

    @property
    def unread(self) -> list[tuple[str, Unread]]:
        parts = {"version": self.facts.version, "apis": self.facts.apis, **self.facts.lists, **self.facts.probes}
        return [(name, part) for name, part in parts.items() if isinstance(part, Unread)]

    @property
    def has_first_screen(self) -> bool:
        """What precedes an installation is asked before one."""
        return self.asked.phase is Phase.before

    @cached_property
    def checklist(self) -> list[Line]:
        return checklist(self.groups_by_code) if self.has_first_screen else []

    @cached_property
    def quick(self) -> list[Answer]:
        return quick(self.facts, self.asked) if self.has_first_screen else []

    @property
    def groups_by_code(self) -> dict[str, Sequence[Finding]]:
        return {group.first.code: group.findings for group in self.groups}

    @property
    def name(self) -> str:
        return "maas preflight" if self.asked.phase is Phase.before else "maas checks"

    @property
    def moment(self) -> str:
        return datetime.fromtimestamp(self.facts.taken_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def described(self) -> str:
        moment = datetime.fromtimestamp(self.facts.taken_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"{self.facts.source.described}, {moment}"

    @property
    def first_to_mend(self) -> list[str]:
        """Codes of what failed and is nobody's consequence."""
        return [
            group.first.code
            for group in self.groups
            if any(f.status is Status.failed and not f.because_of for f in group.findings)
        ]

    @property
    def unjudged(self) -> list[str]:
        """Codes of what would be an error, if only somebody could tell."""
        return [
            group.first.code
            for group in self.groups
            if any(f.status is Status.unknown and f.severity is Severity.error for f in group.findings)
        ]

    @property
    def obstacles(self) -> Iterator[str]:
        """Sentences on what makes it not ready."""
        if self.first_to_mend:
            yield f"Mend first: {listed(self.first_to_mend)}."
        if self.verdict is Verdict.nothing_judged:
            yield "Every check was left out, for the reasons above: that is no proof of anything."
        if self.unjudged:
            yield f"Could not be judged, and must be: {listed(self.unjudged)}."


def alike(groups: Sequence[Group]) -> list[list[Group]]:
    """In their order, with those together that one and the same reason leaves out."""
    together: dict[tuple[Status, str], list[Group]] = {}
    for group in groups:
        together.setdefault((group.status, group.only_reason or group.first.code), []).append(group)
    return list(together.values())


def counted(report: Report) -> str:
    """ "3 failed, 1 unknown, 2 warnings, 31 passed"."""
    counts = [(report.counts[status], status) for status in _WORST_FIRST]
    words = [f"{number} {_plural(status, number)}" for number, status in counts if number]
    return ", ".join([*words, f"{report.left_out} left out"] if report.left_out else words)


def _plural(status: Status, number: int) -> str:
    return "warnings" if status is Status.warning and number != 1 else status.value
