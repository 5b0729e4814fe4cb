"""maas doctor: what is wrong, why, and what mends it; with --fix it does."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from maas.cli import cluster_options as options
from maas.cli import judged
from maas.cli.facts import asked as asked_of
from maas.cli.facts import gather
from maas.cli.fixing import Terminal, has_somebody
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
    if (dry_run or yes) and not fix:
        raise InvalidInput("--dry-run and --yes say how --fix works: name it, too")
    if fix and output not in (Format.table, Format.short):
        raise InvalidInput(f"--fix tells in words what it does: leave -o {output} away, or --fix")
    if not (source or context or kubeconfig or configured_cluster()):
        from maas.cli.doctor_here import examine

        examine(home(), topic, fix=fix, strict=strict, output=output)
        return
    case = _Case(source, target, namespace, context, kubeconfig, timeout, chosen, topic)
    facts = case.read()
    findings = case.findings(facts)
    diagnosis = diagnose(facts, findings, topic, name)
    if not fix or not (dry_run or yes or has_somebody()) or source:
        _show(diagnosis, facts, case.asked(facts), output)
        _why_nothing_is_mended(fix, source)
        judged.end(diagnosis.findings, strict=strict)
        return
    _show(diagnosis, facts, case.asked(facts), Format.short)
    from maas.cli.fixing import fixed

    left = fixed(
        case, lambda facts, found: diagnose(facts, found, topic, name), diagnosis, Terminal(), dry_run, yes, wait
    )
    judged.end(left.findings, strict=strict)


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
