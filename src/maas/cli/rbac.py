"""maas rbac: what an installer has to be allowed to do, for who gives no cluster-admin away."""

from enum import StrEnum
from typing import Annotated

import typer

from maas.cli.frame import noun

app = noun("Print the role that an installation needs.")


class Platform(StrEnum):
    kubernetes = "kubernetes"
    openshift = "openshift"


@app.command()
def rbac(
    render: Annotated[
        bool, typer.Option("--render", help="Print the objects as YAML, for kubectl apply -f -.")
    ] = False,
    target: Annotated[Platform, typer.Option(help="What the cluster is.")] = Platform.kubernetes,
) -> None:
    """Print the ClusterRole that an installation needs, with a service account that has it.

    Without --render: a table of what is allowed, and why.

    Example: maas rbac --render --target openshift
    """
    import sys

    from maas.cli.installing import permissions

    sys.stdout.write(permissions.rendered(target) if render else permissions.table(target))
