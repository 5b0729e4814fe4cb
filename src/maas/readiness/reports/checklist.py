"""The pre-installation checklist that people know, filled in from what the checks found.

A line's checks are those that say so themselves: `covers` holds the line as it stands here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from maas.readiness.catalogue import checks
from maas.readiness.findings import Finding, Status
from maas.readiness.reports.words import said

LINES = (
    "OpenShift cluster 4.14+ or Kubernetes 1.28+",
    "Cluster admin access",
    "Service Mesh operator installed (OpenShift)",
    "Serverless operator installed (OpenShift)",
    "RHOAI operator installed",
    "GPU operator installed (if using GPUs)",
    "Default storage class configured",
    "DNS wildcard domain available",
    "Sufficient node resources (CPU/Memory)",
    "GPU nodes available (optional)",
)


class Mark(StrEnum):
    done = "x"
    warning = "!"
    open = " "
    to_install = "+"
    unknown = "?"
    left_out = "-"


# Of several checks that come out alike, the one whose words answer the line.
_TELLS = {"Sufficient node resources (CPU/Memory)": "MAAS-123"}

_MEANING = {
    Mark.done: "fine",
    Mark.warning: "see the warning",
    Mark.open: "to do first",
    Mark.to_install: "maas install does it",
    Mark.unknown: "unknown",
    Mark.left_out: "not needed, or not checked",
}


@dataclass(frozen=True)
class Line:
    """reason: the one finding that decides."""

    text: str
    mark: Mark
    reason: str
    codes: tuple[str, ...]


_DECIDING = (
    (Status.failed, Mark.open),
    (Status.unknown, Mark.unknown),
    (Status.to_install, Mark.to_install),
    (Status.warning, Mark.warning),
    (Status.passed, Mark.done),
    (Status.skipped, Mark.left_out),
)


def legend(lines: Iterable[Line]) -> str:
    """Of the marks that are there."""
    marks = {line.mark for line in lines}
    return ", ".join(
        f"[{mark}] {meaning}".replace(" ", "\u00a0") for mark, meaning in _MEANING.items() if mark in marks
    )


def checklist(found: Mapping[str, Sequence[Finding]]) -> list[Line]:
    """found: findings by the code of their check."""
    return [_line(text, found) for text in LINES]


def _line(text: str, found: Mapping[str, Sequence[Finding]]) -> Line:
    codes = tuple(check.code for check in checks() if text in check.covers)
    told = sorted(codes, key=lambda code: code != _TELLS.get(text))
    findings = [finding for code in told for finding in found.get(code, ())]
    for status, mark in _DECIDING:
        if deciding := [finding for finding in findings if finding.status is status]:
            return Line(text, mark, _reason(deciding), codes)
    return Line(text, Mark.left_out, "not checked: left out by --only or --skip", codes)


def _reason(findings: Sequence[Finding]) -> str:
    first, *others = findings
    if first.status in (Status.passed, Status.skipped):
        return first.message
    return f"{said(first)} (and {len(others)} more)" if others else said(first)
