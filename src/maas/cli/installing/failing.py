"""What is said where a step fails: what the cluster says of it, the known problem it looks like, and what to do."""

import sys
from collections.abc import Iterator, Sequence

from maas.cli import judged
from maas.cli.facts import gather
from maas.cli.installing import judging
from maas.cli.installing.options import Options
from maas.cli.output import notes
from maas.cluster.applying import StepFailed
from maas.cluster.wanted import Wanted
from maas.domain.durations import compact
from maas.domain.errors import MaasError
from maas.readiness.catalogue import Phase
from maas.readiness.diagnosis_text import evidence, mended_by, sentence
from maas.readiness.doctor import Cause, diagnose
from maas.readiness.findings import Category, Finding
from maas.readiness.judging import judge
from maas.readiness.reports import Look

_READING = 60.0  # seconds
_SHOWN = 3  # causes


def tell(options: Options, wanted: Wanted, failed: StepFailed) -> None:
    look = judged.look_for(sys.stderr)
    _say(["", f"error: {failed}"], look)
    try:
        found = causes(options, wanted)
    except MaasError as error:
        notes().print(f"What it may come from could not be looked at: {error}")
        found = []
    _say(_explained(found, failed, look), look)
    _say(more_time(failed, options.manner.timeout, look), look)
    _say(["", *look.fold(_what_to_do(found))], look)


def more_time(failed: StepFailed, timeout: float, look: Look) -> list[str]:
    """Where it was not the step's own patience that ended."""
    if not failed.report.cut_short:
        return []
    given, more = compact(timeout), compact(2 * timeout)
    return [
        "",
        *look.fold(f"The time for all steps together was over (--timeout {given}). `--timeout {more}` gives more."),
    ]


def causes(options: Options, wanted: Wanted) -> list[Cause]:
    """As `maas doctor` finds them, in a new reading with logs."""
    cluster = options.cluster
    facts = gather(context=cluster.context, kubeconfig=cluster.kubeconfig, deadline=_READING, logs=True)
    findings = judge(facts, judging.asked(options, wanted, facts, Phase.after))
    return [cause for cause in diagnose(facts, findings).causes if cause.is_failure]


def relevant(found: Sequence[Cause], failed: StepFailed) -> list[Cause]:
    """Known problems, and what is said of the very objects; not what merely is not there yet."""
    return [cause for cause in found if cause.finding.category is Category.known_issues or _same(cause.finding, failed)]


def _same(finding: Finding, failed: StepFailed) -> bool:
    return bool(finding.about) and finding.about == failed.report.object


def _explained(found: Sequence[Cause], failed: StepFailed, look: Look) -> Iterator[str]:
    for cause in relevant(found, failed)[:_SHOWN]:
        finding = cause.finding
        yield ""
        yield from look.fold(f"it looks like {finding.code}: {sentence(finding)}", "", "  ")
        yield from evidence(finding, look)
        if finding.remedy:
            yield from mended_by(finding.remedy, look)


def _what_to_do(found: Sequence[Cause]) -> str:
    doctor = "`maas doctor --fix` carries remedies out one by one. " if found else ""
    return f"{doctor}`maas uninstall` takes everything away that was installed."


def _say(lines: Iterator[str] | list[str], look: Look) -> None:
    for line in lines:
        sys.stderr.write(look.finished(line) + "\n")
