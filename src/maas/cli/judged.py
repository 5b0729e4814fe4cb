"""What preflight, validate and doctor do with findings: print them for who reads, and end with the right exit code."""

import os
import shutil
import sys
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import TextIO

import typer

from maas.cluster.facts.model import Facts
from maas.domain.errors import InvalidInput
from maas.readiness.catalogue import Asked, Phase, checks
from maas.readiness.findings import Finding, Verdict, verdict
from maas.readiness.reports import Format, Look, render

NOT_READY = 3
WARNINGS = 4
_LOOKALIKES = str.maketrans("OIL", "011")
_WIDEST = 100  # columns; longer lines are hard to read
_NARROWEST = 40


def show(format: Format, findings: Sequence[Finding], facts: Facts, asked: Asked) -> None:
    write(render(format, findings, facts, asked, look_for(sys.stdout)))


def write(text: str) -> None:
    """To stdout, whose reader may have gone: `maas preflight | head` is nobody's error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end


def look_for(stream: TextIO) -> Look:
    """Folded and coloured on a terminal; whole lines for a pipe, unless COLUMNS says how wide it is."""
    terminal = stream.isatty()
    columns = shutil.get_terminal_size().columns if terminal or os.environ.get("COLUMNS", "").isdigit() else 0
    width = min(max(columns, _NARROWEST), _WIDEST) if columns else 0
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Look(width, colour, _needs_ascii(stream))


def _needs_ascii(stream: TextIO) -> bool:
    """Python speaks UTF-8 in the C locale, too; who asked for that locale may not."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return locale in ("C", "POSIX") or (stream.encoding or "").lower().replace("-", "") != "utf8"


def exit_code(findings: Sequence[Finding], *, strict: bool, proof: bool = True) -> int:
    """proof: something must have been judged, and be well; without it, nothing must be wrong."""
    match verdict(findings):
        case Verdict.not_ready:
            return NOT_READY
        case Verdict.nothing_judged if proof:
            return NOT_READY
        case Verdict.ready_with_warnings if strict:
            return WARNINGS
    return 0


def end(findings: Sequence[Finding], *, strict: bool, proof: bool = True) -> None:
    """Raises typer.Exit unless the exit code is 0."""
    if code := exit_code(findings, strict=strict, proof=proof):
        raise typer.Exit(code)


def codes(given: Sequence[str], option: str, phases: Collection[Phase]) -> tuple[str, ...]:
    """Codes and beginnings of codes as judge() takes them. Raises InvalidInput for what matches no check.

    --skip may name checks of other commands, so that one list serves all.
    """
    known = [check.code for check in checks() if option == "--skip" or check.phases & set(phases)]
    names = [name.strip().upper() for each in given for name in each.split(",") if name.strip()]
    for name in names:
        if not name.startswith("MAAS-") or not any(code.startswith(name) for code in known):
            raise InvalidInput(
                f"{option} {name}: no check of this command has this code{meant(name, known)}\n"
                "`maas explain --list` lists them."
            )
    return tuple(names)


def meant(code: str, known: Sequence[str]) -> str:
    """ "; did you mean MAAS-101 or MAAS-102?", or nothing."""
    number = code.removeprefix("MAAS-").translate(_LOOKALIKES)
    close = next((some for length in (3, 2, 1) if (some := _beginning(known, number[:length]))), ())
    close = close if number[:1].isdigit() else get_close_matches(code, known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(close[:3])}?" if close else ""


def _beginning(known: Sequence[str], digits: str) -> Sequence[str]:
    return [code for code in known if code.startswith(f"MAAS-{digits}")]
