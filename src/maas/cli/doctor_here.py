"""maas doctor where no cluster is configured: the platform on this machine."""

import sys
import time

from maas.cli import judged
from maas.cli.output import notes
from maas.cluster.facts.model import Facts, Source
from maas.domain.errors import InvalidInput
from maas.embedded.home import Home
from maas.embedded.supervisor import client
from maas.embedded.supervisor.status import READY, ProcessStatus
from maas.readiness import diagnosis_document, diagnosis_text
from maas.readiness.catalogue import Asked, Phase, Target
from maas.readiness.chapters import Chapter, Step
from maas.readiness.doctor import Cause, Diagnosis, Topic, causes
from maas.readiness.findings import Finding, Status
from maas.readiness.reports import Format, render

_LINES = 10
_BYTES = 64 * 1024


def examine(home: Home, topic: Topic, *, fix: bool, strict: bool, output: Format) -> None:
    if topic not in (Topic.all, Topic.model):
        raise InvalidInput(
            f"`maas doctor {topic}` looks at a cluster, and none is configured: name one with --context, --kubeconfig "
            "or $KUBECONFIG, or a snapshot with --from"
        )
    from maas.readiness.traffic.checks import machine

    findings = machine.examine(home)
    unknown = tuple(finding for finding in findings if finding.status is Status.unknown)
    diagnosis = Diagnosis(Topic.all.value, _chapters(home), findings, _causes(findings), unknown)
    _show(diagnosis, home, output)
    if fix:
        notes().print("--fix mends clusters; here the commands above are to be run by hand. Nothing was changed.")
    judged.end(findings, strict=strict, proof=False)


def _causes(findings: tuple[Finding, ...]) -> tuple[Cause, ...]:
    return tuple(causes([each for each in findings if each.status in (Status.failed, Status.warning)]))


def _chapters(home: Home) -> tuple[Chapter, ...]:
    """Each process, and the last words of those that are not ready."""
    current = client.status(home)
    if current is None:
        return ()
    excerpts = [(f"end of {process.log}", _tail(process)) for process in current.processes if process.state != READY]
    steps = tuple(_step(process) for process in current.processes)
    return (Chapter("processes", steps, tuple((title, lines) for title, lines in excerpts if lines)),)


def _step(process: ProcessStatus) -> Step:
    ended = f", last ended with: {process.last_exit}" if process.last_exit else ""
    again = f", {process.restarts} restarts" if process.restarts else ""
    status = Status.passed if process.state == READY else Status.failed
    return Step(process.name, status, f"{process.state}{again}{ended}")


def _tail(process: ProcessStatus) -> tuple[str, ...]:
    from maas.cluster.facts.redaction import scrubbed

    try:
        with open(process.log, "rb") as file:  # noqa: PTH123
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ()
    return tuple(map(scrubbed, lines[-_LINES:]))


def _show(diagnosis: Diagnosis, home: Home, output: Format) -> None:
    described, look = f"the platform on this machine ({home.root})", judged.look_for(sys.stdout)
    match output:
        case Format.table:
            judged.write(diagnosis_text.told(diagnosis, described, look))
        case Format.short:
            judged.write(diagnosis_text.short(diagnosis, described, look))
        case Format.json:
            judged.write(diagnosis_document.document(diagnosis, described))
        case Format.markdown:
            judged.write(diagnosis_document.markdown(diagnosis, described))
        case _:
            facts = Facts(Source(True, described), time.time(), {}, {}, {})
            judged.write(render(output, diagnosis.findings, facts, Asked(Target.local, Phase.after), look))
