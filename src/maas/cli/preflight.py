"""maas preflight: whether a cluster will carry the platform, before anything is installed."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from maas.cli import cluster_options as options
from maas.cli import judged
from maas.cli.facts import asked, gather, refuse_unknown
from maas.cli.frame import noun
from maas.cli.output import notes
from maas.cluster.facts.model import Facts
from maas.cluster.failures import Denied, LoginFailed, Untrusted
from maas.domain import durations
from maas.domain.errors import InvalidInput, Unavailable
from maas.readiness.catalogue import Asked, Phase
from maas.readiness.findings import Finding
from maas.readiness.judging import judge
from maas.readiness.reports import Format
from maas.readiness.reports.report import Report
from maas.readiness.reports.words import listed

app = noun("Say whether a cluster will carry the platform, and what to do first.")

_PAUSE = 5  # seconds between two readings
Wait = Annotated[
    float | None,
    typer.Option(
        "--wait", parser=options.seconds, metavar="DURATION", help="Read again until it is ready, for so long at most."
    ),
]


@dataclass(frozen=True)
class _Judged:
    facts: Facts
    asked: Asked
    findings: Sequence[Finding]


@app.command()
def preflight(
    source: options.From = None,
    target: options.TargetOption = options.TargetChoice.auto,
    gpu: options.Gpu = False,
    models: options.For = ["simulator"],  # noqa: B006  # Typer copies it
    namespace: options.Namespace = "llm",
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    wait: Wait = None,
    timeout: options.Timeout = 60.0,
    only: options.Only = [],  # noqa: B006
    skip: options.Skip = [],  # noqa: B006
    strict: options.Strict = False,
    output: options.FormatOption = Format.table,
) -> None:
    """Say whether a cluster will carry the platform, what is missing, why, and the command that mends it.

    Nothing is changed in the cluster.

    Exit code: 0 ready (warnings are no obstacle), 3 not ready or nothing judged, 4 warnings with --strict.

    Example: maas preflight --gpu --for qwen3
    """
    chosen = judged.codes(only, "--only", [Phase.before]), judged.codes(skip, "--skip", [Phase.before])
    refuse_unknown(models)
    if source and wait:
        raise InvalidInput("--from reads a snapshot, which will not change: --wait makes no sense with it")

    def once(most: float) -> _Judged:
        facts = gather(source, context=context, kubeconfig=kubeconfig, deadline=min(timeout, most))
        what = asked(facts, target, gpu=gpu, models=models, namespace=namespace)
        findings = judge(facts, what, only=chosen[0], skip=chosen[1])
        if not findings:
            raise InvalidInput("--only and --skip leave no check")  # and nothing checked is not ready
        return _Judged(facts, what, findings)

    def done(it: _Judged) -> bool:
        return judged.exit_code(it.findings, strict=strict) == 0

    found = _repeated(once, wait, done) if wait else once(timeout)
    judged.show(output, found.findings, found.facts, found.asked)
    judged.end(found.findings, strict=strict)


def _repeated(once: Callable[[float], _Judged], seconds: float, done: Callable[[_Judged], bool]) -> _Judged:
    """The first that is done, or the last within the time; a cluster out of reach is waited for as well."""
    end, most = time.monotonic() + seconds, math.inf  # the first reading is not cut short
    while True:
        begun = time.monotonic()
        outcome = _tried(once, most)
        if isinstance(outcome, _Judged) and done(outcome):
            return outcome
        next_end = time.monotonic() + _PAUSE + (time.monotonic() - begun)
        if next_end > end:
            return _found(outcome)
        _pause(outcome, end)
        most = end - time.monotonic()


def _tried(once: Callable[[float], _Judged], most: float) -> _Judged | Unavailable:
    """Raises what waiting does not mend: logins that are refused again and again may lock an account."""
    try:
        return once(most)
    except (LoginFailed, Denied, Untrusted):
        raise
    except Unavailable as error:
        return error


def _found(outcome: _Judged | Unavailable) -> _Judged:
    if isinstance(outcome, Unavailable):
        raise outcome
    return outcome


def _pause(outcome: _Judged | Unavailable, end: float) -> None:
    if not sys.stderr.isatty():
        time.sleep(_PAUSE)
        return
    with notes().status("") as line:
        for _ in range(_PAUSE):
            line.update(f"waiting for {_awaited(outcome)}; {durations.compact(end - time.monotonic())} left")
            time.sleep(1)


def _awaited(outcome: _Judged | Unavailable) -> str:
    if isinstance(outcome, Unavailable):
        return f"the cluster ({outcome})"
    report = Report(outcome.findings, outcome.facts, outcome.asked)
    return listed([*report.first_to_mend, *report.unjudged]) or "warnings to go"
