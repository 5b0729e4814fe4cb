"""How a known issue is declared: the few words it needs beyond a check's.

A known issue has a sign, a cause and a remedy. Where there is no sign, that is said; where nothing of the kind is
installed, the issue does not apply, and that is said as well.
"""

from collections.abc import Callable, Iterator
from functools import partial

from maas.cluster.facts.model import Facts
from maas.cluster.kinds import Kind
from maas.readiness.catalogue import AFTER, Asked, Judge, Phase, check
from maas.readiness.findings import Category, Outcome, Severity, passed, skipped

EXPLAINS: dict[str, frozenset[str]] = {}
"""By code of a known issue: the checks that see the same fault, or a part of it, and need not be mended besides."""


def known_issue(
    code: str,
    title: str,
    *,
    sign: str,
    cause: str,
    mend: str,
    needs: tuple[Kind, ...] = (),
    severity: Severity = Severity.error,
    phases: frozenset[Phase] = AFTER,
    covers: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    explains: tuple[str, ...] = (),
) -> Callable[[Judge], Judge]:
    """needs: kinds without which the issue cannot be there. explains: codes, see EXPLAINS."""

    def declared(judge: Judge) -> Judge:
        EXPLAINS[code] = frozenset(explains)

        def judged(facts: Facts, asked: Asked) -> Iterator[Outcome]:
            missing = next((kind for kind in needs if not facts.serves(kind)), None)
            if missing:
                yield skipped(f"does not apply: this cluster has no {missing.plural} ({missing.group})")
                return
            yield from list(judge(facts, asked)) or [passed("no sign of it")]

        declare = partial(check, code, title, Category.known_issues, severity=severity, phases=phases, after=after)
        declare(wanted="no sign of it", looks=sign, why=cause, mend=mend, covers=covers)(judged)
        return judge

    return declared
