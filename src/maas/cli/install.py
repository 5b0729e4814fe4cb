"""maas install: set the platform up on this machine or on a cluster, and prove that it works."""

from pathlib import Path
from typing import Annotated, Any

import typer

from maas.cli import cluster_options, up
from maas.cli.frame import noun
from maas.cli.output import Shape
from maas.cli.target import Target, configured_cluster, is_local, of_flags
from maas.domain.errors import InvalidInput

app = noun("Set the platform up, start it, and prove that it works.")

_HERE_ONLY = {"cpu": "--cpu", "database_url": "--database-url"}
_CLUSTERS_ONLY = {
    "models": "--model",
    "token_rate_limit": "--token-rate-limit",
    "metrics": "--skip-metrics",
    "gpu_operator": "--gpu-operator",
    "domain": "--domain",
    "file": "-f",
    "namespace": "-n",
    "dry_run": "--dry-run",
    "diff": "--diff",
    "render": "--render",
    "gpu": "--gpu",
    "mirror": "--mirror",
    "ignore": "--ignore",
    "timeout": "--timeout",
    "output": "-o",
}

_NOT_RENDERED = {
    "check_gpu": "--check-gpu",
    "dry_run": "--dry-run",
    "diff": "--diff",
    "mirror": "--mirror",
    "ignore": "--ignore",
    "yes": "--yes",
    "timeout": "--timeout",
}

_SERVE, _WHERE, _WITH, _HOW, _LOOK = "What to serve", "Where", "What comes with it", "How", "Look first"

File = Annotated[
    Path | None,
    typer.Option(
        "-f",
        "--file",
        metavar="FILE",
        help="What this maas.yaml says, and nothing else; - for stdin.",
        allow_dash=True,
        rich_help_panel=_SERVE,
    ),
]
Models = Annotated[
    list[str],
    typer.Option(
        "--model", metavar="NAME", help="Also this one: qwen3-8b, ORG/NAME, pvc://…, s3://…", rich_help_panel=_SERVE
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Let the server try everything, and change nothing.", rich_help_panel=_LOOK)
]
Diff = Annotated[bool, typer.Option("--diff", help="Show what would change in each object.", rich_help_panel=_LOOK)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.", rich_help_panel=_HOW)]
Ignore = Annotated[
    list[str],
    typer.Option(
        "--ignore",
        metavar="CODE",
        help="Go on in spite of this finding: MAAS-101. Can be repeated.",
        rich_help_panel=_HOW,
    ),
]
Mirror = Annotated[
    Path | None,
    typer.Option(
        "--mirror",
        metavar="DIR",
        help="Take charts and manifests from there: see `maas mirror`.",
        rich_help_panel=_HOW,
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        parser=cluster_options.seconds,
        metavar="DURATION",
        show_default="20m",
        help="For all steps together.",
        rich_help_panel=_HOW,
    ),
]
Output = Annotated[Shape, typer.Option("-o", "--output", help="How to print it.", rich_help_panel=_HOW)]


@app.command()
def install(
    context: typer.Context,
    simulator: Annotated[
        bool, typer.Option("--simulator", help="A simulated model: no GPU, no download.", rich_help_panel=_SERVE)
    ] = False,
    qwen3: Annotated[
        bool, typer.Option("--qwen3", help="Qwen3 0.6B: on a GPU, or with --cpu without.", rich_help_panel=_SERVE)
    ] = False,
    install_all_models: Annotated[
        bool, typer.Option("--install-all-models", help="Both of these.", rich_help_panel=_SERVE)
    ] = False,
    models: Models = [],  # noqa: B006  # Typer copies it
    file: File = None,
    cpu: Annotated[
        bool,
        typer.Option("--cpu", help="A real model on this machine's CPU; not on clusters.", rich_help_panel=_SERVE),
    ] = False,
    target: Annotated[
        Target,
        typer.Option(
            help="auto takes the cluster that is configured, or this machine where none is.", rich_help_panel=_WHERE
        ),
    ] = Target.auto,
    ocp: Annotated[bool, typer.Option("--ocp", help="As --target openshift.", rich_help_panel=_WHERE)] = False,
    no_ocp: Annotated[bool, typer.Option("--no-ocp", help="As --target kubernetes.", rich_help_panel=_WHERE)] = False,
    kube_context: Annotated[
        str | None,
        typer.Option("--context", help="The kubeconfig's context; default: its current one.", rich_help_panel=_WHERE),
    ] = None,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(
            "--kubeconfig",
            metavar="FILE",
            help="Default: $KUBECONFIG, or ~/.kube/config.",
            rich_help_panel=_WHERE,
        ),
    ] = None,
    namespace: Annotated[
        str,
        typer.Option("-n", "--namespace", help="Where models and the gateway are to live.", rich_help_panel=_WHERE),
    ] = "llm",
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain", help="Models are at MODEL.DOMAIN; default: what the cluster says.", rich_help_panel=_WHERE
        ),
    ] = None,
    database_url: up.DatabaseUrl = None,
    token_rate_limit: Annotated[
        bool | None,
        typer.Option(
            "--token-rate-limit/--all-limits", help="Limit tokens, not requests; default: both.", rich_help_panel=_WITH
        ),
    ] = None,
    metrics: Annotated[
        bool | None, typer.Option("--metrics/--skip-metrics", help="Monitors and dashboards.", rich_help_panel=_WITH)
    ] = None,
    gpu_operator: Annotated[
        bool | None,
        typer.Option("--gpu-operator/--no-gpu-operator", help="NVIDIA's GPU Operator.", rich_help_panel=_WITH),
    ] = None,
    check_gpu: Annotated[
        bool,
        typer.Option("--check-gpu", help="Whether a GPU there can carry the model.", rich_help_panel=_LOOK),
    ] = False,
    dry_run: DryRun = False,
    diff: Diff = False,
    render: Annotated[
        Path | None,
        typer.Option(
            "--render", metavar="DIR", help="Write everything as files for GitOps; no cluster.", rich_help_panel=_LOOK
        ),
    ] = None,
    gpu: Annotated[
        str | None,
        typer.Option(
            "--gpu", metavar="NAME", help="With --render: what to size models for: t4, l4, …", rich_help_panel=_LOOK
        ),
    ] = None,
    mirror: Mirror = None,
    ignore: Ignore = [],  # noqa: B006
    yes: Yes = False,
    timeout: Timeout = 1200.0,
    output: Annotated[
        Shape, typer.Option("-o", "--output", help="How to print it.", rich_help_panel=_HOW)
    ] = Shape.table,
) -> None:
    """Set the platform up on a cluster or on this machine, and send requests through it.

    On a cluster the prerequisites are judged first, and the steps are shown before anything is changed. Run again, it
    goes on where it was interrupted, upgrades, or says that nothing is left to do; keys and usage stay.

    Exit code: 0 done, 3 the cluster is not ready or the platform does not work, 7 a step failed.

    Example: maas install --simulator
    """
    target = of_flags(target, ocp=ocp, no_ocp=no_ocp)
    simulator, qwen3 = simulator or install_all_models, qwen3 or (install_all_models and not cpu)
    if is_local(target, named=bool(kube_context or kubeconfig or render)):
        _refuse(context, _CLUSTERS_ONLY, "for clusters, and this is to be on this machine", _INSTEAD_HERE)
        from maas.cli.installing import here

        here.install(simulator=simulator, cpu=cpu, qwen3=qwen3, check_gpu=check_gpu, database_url=database_url)
        return
    _refuse(context, _HERE_ONLY, "for this machine, and this is to be on a cluster", _instead_there())
    if render is None:
        _refuse(context, {"gpu": "--gpu"}, "for --render, where no cluster tells its GPUs", _INSTEAD_OF_GPU)
    else:
        _refuse(context, _NOT_RENDERED, "for changing a cluster, and --render changes none", _INSTEAD_OF_RENDERING)
    from maas.cli import judged
    from maas.cli.installing import options
    from maas.readiness.catalogue import Phase

    wanted = options.Options(
        options.Cluster(target, kube_context, kubeconfig, namespace),
        options.Models(simulator, qwen3, tuple(models), file),
        options.Choices(token_rate_limit, metrics, gpu_operator, domain),
        options.Manner(dry_run, diff, yes, timeout, judged.codes(ignore, "--ignore", [Phase.before]), mirror, output),
        check_gpu,
        render,
        gpu,
    )
    if render is not None:
        from maas.cli.installing import rendered

        rendered.render(wanted)
        return
    from maas.cli.installing import on_cluster

    on_cluster.install(wanted)


def _refuse(context: typer.Context, options: dict[str, str], why: str, instead: str) -> None:
    """Those that were written in the command; what a variable says may be meant for another day."""
    given = [flag for name, flag in options.items() if _was_written(context, name)]
    if given:
        raise InvalidInput(f"{', '.join(given)}: only {why}.\n{instead}")


def _was_written(context: Any, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


_INSTEAD_HERE = """\
What this machine serves is said in $MAAS_HOME/maas.yaml (`maas init`, `maas apply -f`);
--target kubernetes, --target openshift or --context name a cluster."""

_INSTEAD_OF_GPU = """\
Leave it out: models are sized for the GPUs that the cluster has. --check-gpu says whether
they can carry them; --render DIR --target kubernetes --gpu t4 writes files for others."""
_INSTEAD_OF_RENDERING = """\
Leave it out to write files, or leave out --render to install on the cluster itself."""


def _instead_there() -> str:
    sign = configured_cluster()
    return (
        f"{f'A cluster is configured ({sign}): ' if sign else ''}--target local sets the platform up on this machine."
    )
