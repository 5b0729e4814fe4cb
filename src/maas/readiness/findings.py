"""What checks find, as data: the same for a terminal, a pipeline and the doctor."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from maas.cluster.changes import Change
from maas.cluster.facts.redaction import scrubbed

_HIDDEN = "not to be copied, for values are hidden here; `maas doctor --fix` has them where it is offered:"


class Status(StrEnum):
    passed = "passed"
    to_install = "to install"  # absent, and `maas install` brings it: no reason to wait
    warning = "warning"
    failed = "failed"
    unknown = "unknown"  # could not be judged, and says why; never a pass
    skipped = "skipped"  # does not apply here, and says why


class Severity(StrEnum):
    """What it means when a check does not hold."""

    error = "error"  # it will not work
    warning = "warning"  # it works, but somebody should know


class Category(StrEnum):
    """In the order in which they are shown."""

    platform = "platform"
    access = "access"
    nodes = "nodes"
    gpu = "gpu"
    storage = "storage"
    network = "network"
    olm = "operators"
    gateway_api = "gateway api"
    cert_manager = "cert-manager"
    mesh = "service mesh"
    serverless = "serverless"
    rhoai = "openshift ai"
    gpu_operator = "gpu operator"
    kuadrant = "kuadrant"
    kserve = "kserve"
    gateway = "gateway"
    certificates = "certificates"
    policies = "policies"
    keys = "keys"
    models = "models"
    security = "security"
    known_issues = "known issues"
    machine = "this machine"
    traffic = "live traffic"
    facts = "facts"


@dataclass(frozen=True)
class Seen:
    """One piece of evidence: whose field had which value."""

    object: str  # "Node gpu-1", "Gateway llm/maas-gateway"
    field: str = ""  # "status.allocatable.cpu"
    value: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.object, self.field) if part) + (f" = {self.value}" if self.value else "")


@dataclass(frozen=True)
class Remedy:
    """How to mend it. `changes` are what `maas doctor --fix` does; their commands are shown before `commands`.

    step: the step of `maas install` that does it.
    """

    text: str
    commands: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    step: str = ""

    @property
    def all_commands(self) -> tuple[str, ...]:
        """To be shown: of a change to an object that holds credentials, without these."""
        return (*(shown(change.command) for change in self.changes), *self.commands)


def shown(command: str) -> str:
    """Where something had to be hidden it would not run, or would write the wrong value: then it is a remark."""
    hidden = scrubbed(command)
    if hidden == command:
        return command
    return "\n".join(f"# {line}" for line in [_HIDDEN, *hidden.splitlines()])


@dataclass(frozen=True)
class Outcome:
    """What a check says; several if it looks at several things that are mended apart from each other.

    Evidence is bounded by the check: a few examples and "and 997 more", not a thousand nodes.
    """

    status: Status
    message: str
    seen: tuple[Seen, ...] = ()
    remedy: Remedy | None = None
    about: str = ""  # the object it speaks of, where a check speaks of several: "Gateway llm/maas-gateway"
    itself: bool = False  # a fault of its own: nothing else that is wrong explains it


def passed(message: str, *seen: Seen, about: str = "") -> Outcome:
    return Outcome(Status.passed, message, seen, about=about)


def failed(message: str, *seen: Seen, remedy: Remedy | None, about: str = "") -> Outcome:
    """A warning, if that is all its check's severity allows."""
    return Outcome(Status.failed, message, seen, remedy, about)


def warning(message: str, *seen: Seen, remedy: Remedy | None = None, about: str = "") -> Outcome:
    """Less than the check's severity: the case that only deserves a warning."""
    return Outcome(Status.warning, message, seen, remedy, about)


def to_install(message: str, *seen: Seen, step: str) -> Outcome:
    return Outcome(Status.to_install, message, seen, Remedy(f"`maas install` does it: {step}", step=step))


def unknown(reason: str, *seen: Seen, remedy: Remedy | None = None) -> Outcome:
    return Outcome(Status.unknown, reason, seen, remedy)


def skipped(reason: str) -> Outcome:
    return Outcome(Status.skipped, reason)


@dataclass(frozen=True)
class Finding:
    """An outcome, with what its check is about."""

    code: str
    category: Category
    title: str
    severity: Severity
    wanted: str
    status: Status
    message: str
    seen: tuple[Seen, ...]
    remedy: Remedy | None
    about: str
    because_of: tuple[str, ...] = ()  # codes of failed findings that explain this one: mend those first
    itself: bool = False

    @property
    def anchor(self) -> str:
        return f"docs/checks.md#{self.code.lower()}"


class Verdict(StrEnum):
    ready = "ready"
    ready_with_warnings = "ready, with warnings"
    not_ready = "not ready"
    nothing_judged = "nothing was judged"  # all checks were left out, or do not apply


def verdict(findings: Sequence[Finding]) -> Verdict:
    """What nobody could judge, and what would be an error, is not ready either: unknown is never passed."""
    blocking = {Status.failed, Status.unknown}
    if any(f.status is Status.failed or (f.status in blocking and f.severity is Severity.error) for f in findings):
        return Verdict.not_ready
    if any(f.status in (Status.warning, Status.unknown) for f in findings):
        return Verdict.ready_with_warnings
    judged = any(f.status in (Status.passed, Status.to_install) for f in findings)
    return Verdict.ready if judged else Verdict.nothing_judged
