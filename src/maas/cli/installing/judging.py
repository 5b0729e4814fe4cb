"""The prerequisites, before anything is changed: what `maas preflight` says decides, unless somebody insists."""

import sys
from collections.abc import Sequence

import typer

from maas.cli import judged
from maas.cli.facts import asked as asked_of
from maas.cli.installing import wanting
from maas.cli.installing.options import Options
from maas.cluster.facts.model import Facts
from maas.cluster.wanted import Wanted
from maas.readiness.catalogue import Asked, Phase
from maas.readiness.findings import Finding, Severity, Status
from maas.readiness.judging import judge
from maas.readiness.reports import Format, render


def asked(options: Options, wanted: Wanted, facts: Facts, phase: Phase = Phase.before) -> Asked:
    gpu = options.check_gpu or bool(wanting.on_gpus(wanted.platform))
    models = wanting.known_to_checks(wanted.platform)
    return asked_of(facts, wanted.site.target.value, phase=phase, gpu=gpu, models=models, namespace=wanted.namespace)


def require_ready(options: Options, wanted: Wanted, facts: Facts) -> None:
    """Ends with the findings and preflight's exit code where one of them is an obstacle."""
    what = asked(options, wanted, facts)
    findings = judge(facts, what, skip=options.manner.ignore)
    obstacles = [finding for finding in findings if is_obstacle(finding)]
    if not obstacles:
        _note_warnings(findings)
        return
    sys.stderr.write(render(Format.short, findings, facts, what, judged.look_for(sys.stderr)) + "\n")
    codes = list(dict.fromkeys(finding.code for finding in obstacles))
    say(f"error: this cluster is not ready ({', '.join(codes)}), so nothing was changed.")
    say("Mend that first; `maas preflight` says it at length.")
    say(f"To insist all the same: `{' '.join(f'--ignore {code}' for code in codes)}`")
    raise typer.Exit(judged.NOT_READY)


def is_obstacle(finding: Finding) -> bool:
    """What nobody could judge, and what would be an error, is one as well."""
    unknown = finding.status is Status.unknown and finding.severity is Severity.error
    return finding.status is Status.failed or unknown


def _note_warnings(findings: Sequence[Finding]) -> None:
    codes = list(dict.fromkeys(finding.code for finding in findings if finding.status is Status.warning))
    if codes:
        say(f"The cluster is ready, with warnings: {', '.join(codes)}; `maas preflight` explains them.")


def say(text: str) -> None:
    """To stderr, folded for a terminal."""
    look = judged.look_for(sys.stderr)
    for line in look.fold(text):
        sys.stderr.write(look.finished(line) + "\n")
