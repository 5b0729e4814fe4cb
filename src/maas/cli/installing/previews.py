"""What a plan would do, without doing it: each object's differences, and a dry run by the server itself."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence

from maas.cli import judged
from maas.cli.installing.carrying import connected, helm_of
from maas.cli.installing.options import Options
from maas.cluster import applying
from maas.cluster.api import Api
from maas.cluster.applying import Changed, Outcome, Rehearsed
from maas.cluster.plan.model import Plan
from maas.readiness.reports import Look
from maas.readiness.reports.look import clean

_COLOURS = {"+": "√", "-": "×", "@": "?"}  # green, red and magenta, as diffs are
_SYMBOLS = {Outcome.accepted: "√", Outcome.refused: "×", Outcome.later: "-"}


def differences(options: Options, plan: Plan) -> None:
    """To stdout, coloured on a terminal."""
    manner = options.manner

    async def work(api: Api) -> Sequence[Changed]:
        helm = helm_of(options.cluster, api, manner.mirror)
        return await applying.differences(plan, api, helm, now=time.time(), mirror=manner.mirror)

    look = judged.look_for(sys.stdout)
    _say(_diffs(connected(options.cluster, work), look), look)


def _diffs(changed: Iterable[Changed], look: Look) -> Iterator[str]:
    for each in changed:
        yield from look.fold(f"{each.about}: {_what(each)}" + (f" ({each.note})" if each.note else ""), "", "  ")
        for line in each.lines:
            yield look.paint(clean(line), _COLOURS[line[0]]) if line[:1] in _COLOURS else clean(line)
        yield ""


def _what(changed: Changed) -> str:
    if changed.before is None:
        return "new" if changed.after is not None else "not to be tried yet"
    return "changes" if changed.after is not None else "goes"


def rehearsed(options: Options, plan: Plan) -> list[Rehearsed]:
    manner = options.manner

    async def work(api: Api) -> list[Rehearsed]:
        helm = helm_of(options.cluster, api, manner.mirror)
        return await applying.rehearse(plan, api, helm, now=time.time(), mirror=manner.mirror)

    return connected(options.cluster, work)


def told(found: Sequence[Rehearsed]) -> None:
    """To stdout: refusals and what could not be tried, each; what the server accepts is counted."""
    look = judged.look_for(sys.stdout)
    _say(_rehearsal(found, look), look)


def _rehearsal(found: Sequence[Rehearsed], look: Look) -> Iterator[str]:
    for each in found:
        if each.outcome is not Outcome.accepted:
            first, *rest = look.fold(f"{each.about}: {each.why}", "  ", "    ")
            yield f"{look.symbol(_SYMBOLS[each.outcome])}{first[1:]}"
            yield from rest
    counts = {outcome: sum(each.outcome is outcome for each in found) for outcome in Outcome}
    yield from look.fold(
        f"dry run: {counts[Outcome.accepted]} accepted by the server, {counts[Outcome.refused]} refused,"
        f" {counts[Outcome.later]} to be tried only when what they need is there"
    )


def document(found: Sequence[Rehearsed]) -> list[dict[str, str]]:
    return [{"step": e.step.key, "about": e.about, "outcome": e.outcome.value, "why": e.why} for e in found]


def _say(lines: Iterable[str], look: Look) -> None:
    for line in lines:
        judged.write(look.finished(line) + "\n")
