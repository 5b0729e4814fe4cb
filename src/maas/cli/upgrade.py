"""maas upgrade: bring what is installed on a cluster to the versions that this MaaS pins."""

from maas.cli import cluster_options
from maas.cli.frame import noun
from maas.cli.install import Diff, DryRun, Ignore, Mirror, Output, Timeout, Yes
from maas.cli.output import Shape

app = noun("Bring what is installed on a cluster to the versions of this MaaS.")


@app.command()
def upgrade(
    context: cluster_options.Context = None,
    kubeconfig: cluster_options.Kubeconfig = None,
    namespace: cluster_options.Namespace = "llm",
    dry_run: DryRun = False,
    diff: Diff = False,
    mirror: Mirror = None,
    ignore: Ignore = [],  # noqa: B006  # Typer copies it
    yes: Yes = False,
    timeout: Timeout = 1200.0,
    output: Output = Shape.table,
) -> None:
    """Bring what `maas install` installed on a cluster to the versions that this MaaS pins.

    Each step says what it means for users. Components that others installed are theirs to upgrade. The platform on this
    machine is upgraded by `./install.sh`.

    Exit code: 0 done, 3 the cluster is not ready or the platform does not work, 7 a step failed.

    Example: maas upgrade --dry-run
    """
    from maas.cli import judged
    from maas.cli.installing import on_cluster, options
    from maas.readiness.catalogue import Phase

    codes = judged.codes(ignore, "--ignore", [Phase.before])
    on_cluster.upgrade(
        options.Options(
            options.Cluster(context=context, kubeconfig=kubeconfig, namespace=namespace),
            manner=options.Manner(dry_run, diff, yes, timeout, codes, mirror, output),
        )
    )
