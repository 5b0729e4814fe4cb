"""What a check is for, from the catalogue."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from maas.cli.judged import look_for, meant, write
from maas.cli.output import Output, Shape, show, show_json
from maas.domain.errors import NotFound
from maas.readiness.catalogue import RETIRED, Check, Phase, checks, find
from maas.readiness.findings import Severity

_COMMANDS = {
    Phase.before: "maas preflight",
    Phase.after: "maas validate, maas doctor",
    Phase.traffic: "maas validate, with live traffic",
    Phase.machine: "maas validate, on this machine",
}


def explain(code: str | None, output: Shape) -> None:
    """None, MAAS and MAAS- mean all; MAAS-1 means those that begin so."""
    if code is not None and (check := find(code)):
        _show_one(check, output)
        return
    beginning = code if code and code != "MAAS" else "MAAS-"
    some = [check for check in checks() if check.code.startswith(beginning)]
    if not some or len(beginning) >= len("MAAS-101"):
        raise NotFound(_unknown(beginning))
    _show_list(some, output)


def _unknown(code: str) -> str:
    if code in RETIRED:
        return f"{code} was a check of an earlier version, and is none any more"
    known = [check.code for check in checks()]
    return f"there is no check {code}{meant(code, known)}\n`maas explain --list` lists them."


def _show_list(some: Sequence[Check], output: Shape) -> None:
    if output is Shape.json:
        show_json([_document(check) for check in some])
        return
    rows = [
        {"code": c.code, "category": c.category.value, "severity": c.severity.value, "title": c.title} for c in some
    ]
    show(rows, Output.table, columns=("code", "category", "severity", "title"))


def _show_one(check: Check, output: Shape) -> None:
    if output is Shape.json:
        show_json(_document(check))
        return
    look = look_for(sys.stdout)
    lines = [f"{check.code} {check.title}", ""]
    for label, words in _said(check):
        lines += look.fold(words, f"{label:<14}", " " * 14)
    write(look.finished("\n".join(lines)) + "\n")


def _said(check: Check) -> Iterator[tuple[str, str]]:
    yield "wanted", check.wanted
    yield "looks at", check.looks
    yield "why", check.why
    yield "mend", check.mend
    yield "otherwise", "an error: not ready" if check.severity is Severity.error else "a warning"
    yield "category", check.category.value
    yield "part of", "; ".join(words for phase, words in _COMMANDS.items() if phase in check.phases)
    if check.after:
        yield "follows from", ", ".join(check.after)
    for number, line in enumerate(check.covers):
        yield "" if number else "prerequisite", line
    yield "see", _anchor(check)


def _anchor(check: Check) -> str:
    return f"docs/checks.md#{check.code.lower()}"


def _document(check: Check) -> dict[str, Any]:
    return {
        "code": check.code,
        "title": check.title,
        "category": check.category.name,
        "severity": check.severity.value,
        "phases": sorted(phase.value for phase in check.phases),
        "wanted": check.wanted,
        "looks": check.looks,
        "why": check.why,
        "mend": check.mend,
        "covers": check.covers,
        "after": check.after,
        "see": _anchor(check),
    }
