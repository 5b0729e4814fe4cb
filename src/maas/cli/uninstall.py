"""maas uninstall: take away from a cluster what an installation made, and nothing else."""

from typing import Annotated

import typer

from maas.cli import cluster_options as options
from maas.cli.frame import noun
from maas.cli.installing.options import Cluster
from maas.cli.output import Shape, ShapeOption

app = noun("Take away from a cluster what an installation made, and nothing else.")


@app.command()
def uninstall(
    keep_crds: Annotated[
        bool, typer.Option("--keep-crds", help="Leave the kinds that components brought, and what is of them.")
    ] = False,
    keep_operators: Annotated[
        bool, typer.Option("--keep-operators", help="Leave all components; take the platform only.")
    ] = False,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    namespace: options.Namespace = "llm",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go and stay; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", parser=options.seconds, metavar="DURATION", show_default="20m", help="For all steps together."
        ),
    ] = 1200.0,
    output: ShapeOption = Shape.table,
) -> None:
    """Take away from a cluster what an installation made, and nothing else.

    What goes and what stays is shown, and asked for, before anything is changed. Components that somebody else has come
    to use stay. Interrupted, it is simply run again. The platform on this machine: `maas down`.

    Example: maas uninstall --keep-operators
    """
    from maas.cli.installing import removing

    cluster = Cluster(context=context, kubeconfig=kubeconfig, namespace=namespace)
    removing.remove(removing.Options(cluster, keep_crds, keep_operators, dry_run, yes, timeout, output is Shape.json))
