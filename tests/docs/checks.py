"""docs/checks.md and docs/prerequisites.md, made from the catalogue: `python -m tests.docs.checks` writes them anew."""

from collections.abc import Iterator
from itertools import groupby

from maas.readiness.catalogue import Check, Phase, checks
from maas.readiness.findings import Severity
from tests.docs.pages import ROOT
from tests.docs.prerequisites import OUTLINE, Line

CHECKS = ROOT / "docs" / "checks.md"
PREREQUISITES = ROOT / "docs" / "prerequisites.md"

_HEADS = ROOT / "tests" / "docs" / "heads"
_COMMANDS = {
    Phase.before: "`maas preflight`",
    Phase.after: "`maas validate`, `maas doctor`",
    Phase.traffic: "`maas validate` with live traffic",
    Phase.machine: "`maas validate` on this machine",
}


def checks_page() -> str:
    return (_HEADS / "checks.md").read_text() + "\n".join(_categories())


def _categories() -> Iterator[str]:
    for category, some in groupby(checks(), key=lambda check: check.category):
        yield f"## {category.value[0].upper()}{category.value[1:]}\n"
        yield from _category(list(some))


def _category(some: list[Check]) -> Iterator[str]:
    yield "| Code | What holds | Otherwise |\n|---|---|---|"
    for check in some:
        yield f"| [{check.code}](#{check.code.lower()}) | {_cell(check.title)} | {_otherwise(check)} |"
    yield ""
    for check in some:
        yield from _check(check)


def _otherwise(check: Check) -> str:
    return "error" if check.severity is Severity.error else "warning"


def _check(check: Check) -> Iterator[str]:
    commands = "; ".join(words for phase, words in _COMMANDS.items() if phase in check.phases)
    yield f"### {check.code}\n"
    yield f"**{_prose(check.title)}** ({commands})\n"
    yield f"Wanted: {_prose(check.wanted)}\n"
    yield f"{_prose(check.looks)}\n"
    yield f"Why: {_prose(check.why)}\n"
    yield f"Mend: {_prose(check.mend)}\n"
    if check.after:
        yield f"Often follows from {', '.join(f'[{code}](#{code.lower()})' for code in check.after)}.\n"


def prerequisites_page() -> str:
    rows = [f"| {_indented(line)} | {_answer(line)} |" for line in OUTLINE]
    return (
        (_HEADS / "prerequisites.md").read_text() + "\n".join(["| Prerequisites | Checks |", "|---|---|", *rows]) + "\n"
    )


def _indented(line: Line) -> str:
    return "&nbsp;" * 4 * line.depth + _cell(line.text)


def _answer(line: Line) -> str:
    codes = [check.code for check in checks() if line.text in check.covers]
    linked = ", ".join(f"[{code}](checks.md#{code.lower()})" for code in codes)
    return "; ".join(part for part in (linked, line.note) if part)


def _prose(text: str) -> str:
    """In which nothing is markup but what is in ticks."""
    parts = text.split("`")
    return "`".join(part if number % 2 else _escaped(part) for number, part in enumerate(parts))


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*")


def _cell(text: str) -> str:
    return _prose(text).replace("|", "\\|")


if __name__ == "__main__":
    CHECKS.write_text(checks_page())
    PREREQUISITES.write_text(prerequisites_page())
