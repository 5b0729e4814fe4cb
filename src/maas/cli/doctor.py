"""maas doctor: what is wrong, why, and what mends it; with --fix it does."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from maas.cli import cluster_options as options
from maas.cli import judged
from maas.cli.facts import asked as asked_of
from maas.cli.facts import gather
from maas.cli.fixing import Terminal, fixed, has_somebody
from maas.cli.frame import home, noun
from maas.cli.output import notes
from maas.cli.target import configured_cluster
from maas.cluster.facts.model import Facts
from maas.domain.errors import InvalidInput
from maas.readiness import diagnosis_document, diagnosis_text
from maas.readiness.catalogue import Asked, Phase
from maas.readiness.doctor import Diagnosis, Topic, diagnose
from maas.readiness.findings import Finding
from maas.readiness.judging import judge
from maas.readiness.mending import Plan
from maas.readiness.reports import Format, render

app = noun("Say what is wrong, why, and what mends it.")

TopicArgument = Annotated[Topic, typer.Argument(help="What to look at.", metavar="[gpu|model|auth|all]")]
NameArgument = Annotated[str, typer.Argument(help="Of a model: NAME, or NAMESPACE/NAME.", metavar="[NAME]")]
Fix = Annotated[bool, typer.Option("--fix", help="Carry remedies out, one by one, after asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="With --fix: let the server try each remedy, change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="With --fix: do not ask.")]
Wait = Annotated[
    float,
    typer.Option(
        "--wait",
        parser=options.seconds,
        metavar="DURATION",
        show_default="2m",
        help="With --fix: how long to wait for a remedy's effect.",
    ),
]


@dataclass(frozen=True)
class _Mending:
    fix: bool
    dry_run: bool
    yes: bool
    wait: float

    def refuse_nonsense(self, output: Format) -> None:
        if (self.dry_run or self.yes) and not self.fix:
            raise InvalidInput("--dry-run and --yes say how --fix works: name it, too")
        if self.fix and output not in (Format.table, Format.short):
            raise InvalidInput(f"--fix tells in words what it does: leave -o {output} away, or --fix")

    @property
    def possible(self) -> bool:
        """Somebody has agreed, is there to be asked, or need not be."""
        return self.fix and (self.dry_run or self.yes or has_somebody())


class _Case:
    """What is asked, and the readings of it."""

    def __init__(
        self,
        source: Path | None,
        target: options.TargetChoice,
        namespace: str,
        context: str | None,
        kubeconfig: Path | None,
        timeout: float,
        chosen: tuple[Sequence[str], Sequence[str]],
        topic: Topic,
    ) -> None:
        self.source, self.target, self.namespace = source, target, namespace
        self.context, self.kubeconfig, self.timeout = context, kubeconfig, timeout
        self.only, self.skip = chosen
        self.gpu = topic is Topic.gpu  # who asks for GPUs wants some

    def read(self) -> Facts:
        return gather(self.source, context=self.context, kubeconfig=self.kubeconfig, deadline=self.timeout, logs=True)

    def asked(self, facts: Facts) -> Asked:
        return asked_of(facts, self.target, phase=Phase.after, gpu=self.gpu, namespace=self.namespace)

    def findings(self, facts: Facts) -> tuple[Finding, ...]:
        return judge(facts, self.asked(facts), only=self.only, skip=self.skip)


@app.command()
def doctor(
    topic: TopicArgument = Topic.all,
    name: NameArgument = "",
    source: options.From = None,
    target: options.TargetOption = options.TargetChoice.auto,
    namespace: options.Namespace = "llm",
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    fix: Fix = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    wait: Wait = 120.0,
    timeout: options.Timeout = 60.0,
    only: options.Only = [],  # noqa: B006  # Typer copies it
    skip: options.Skip = [],  # noqa: B006
    strict: options.Strict = False,
    output: options.FormatOption = Format.table,
) -> None:
    """Say what is wrong, why, and what mends it: causes first, what follows from them beneath.

    --fix carries remedies out, one by one: each is shown, tried by the server as a dry run, agreed, done, and looked
    at again. Without it nothing is changed.

    Exit code: 0 nothing is wrong, 3 something is, 4 warnings with --strict, or no such model.

    Example: maas doctor model qwen3 --fix
    """
    chosen = judged.codes(only, "--only", [Phase.after]), judged.codes(skip, "--skip", [Phase.after])
    wanted = _Mending(fix, dry_run, yes, wait)
    wanted.refuse_nonsense(output)
    if not (source or context or kubeconfig or configured_cluster()):
        from maas.cli.doctor_here import examine

        examine(home(), topic, fix=fix, strict=strict, output=output)
        return
    case = _Case(source, target, namespace, context, kubeconfig, timeout, chosen, topic)
    judged.end(_treated(case, topic, name, wanted, output).findings, strict=strict, proof=False)


def _treated(case: _Case, topic: Topic, name: str, wanted: _Mending, output: Format) -> Diagnosis:
    """The diagnosis after whatever was done."""

    def diagnosed(facts: Facts, findings: Sequence[Finding]) -> Diagnosis:
        return diagnose(facts, findings, topic, name)

    facts = case.read()
    diagnosis = diagnosed(facts, case.findings(facts))
    if not wanted.possible or case.source:
        _show(diagnosis, facts, case.asked(facts), output)
        _why_nothing_is_mended(wanted.fix, case.source)
        return diagnosis
    _show(diagnosis, facts, case.asked(facts), Format.short)
    plan = Plan(wanted.dry_run, not wanted.yes, wanted.wait)
    return fixed(case, diagnosed, diagnosis, Terminal(), plan)


def _why_nothing_is_mended(fix: bool, source: Path | None) -> None:
    if fix and source:
        notes().print(
            f"--fix changes clusters, and {source} is a snapshot of one: nothing was changed. "
            "The commands above do the same on the cluster itself."
        )
    elif fix:
        notes().print(
            "Nobody is here to be asked (this is no terminal): nothing was changed. "
            "--yes carries remedies out without asking, --dry-run tries them."
        )


def _show(diagnosis: Diagnosis, facts: Facts, asked: Asked, output: Format) -> None:
    described = f"{facts.source.described}, {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(facts.taken_at))}"
    look = judged.look_for(sys.stdout)
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
            judged.write(render(output, diagnosis.findings, facts, asked, look))
