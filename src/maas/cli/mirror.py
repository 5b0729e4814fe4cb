"""maas mirror: everything that an installation takes from the network, in a folder that can be carried."""

from pathlib import Path
from typing import Annotated

import typer

from maas.cli.frame import noun

app = noun("Collect what a cluster without a network needs.")


@app.command()
def mirror(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; one that is there is completed.")],
    kubernetes: Annotated[
        list[str],
        typer.Option("--kubernetes", metavar="MINOR", help="For this version alone: 1.34. Can be repeated."),
    ] = [],  # noqa: B006  # Typer copies it
    models: Annotated[
        list[str], typer.Option("--model", metavar="NAME", help="Also the images that serve this model.")
    ] = [],  # noqa: B006
    file: Annotated[
        Path | None, typer.Option("-f", "--file", metavar="FILE", help="Also what this maas.yaml serves.")
    ] = None,
) -> None:
    """Collect the charts and manifests of an installation on Kubernetes, and the list of images that nodes pull.

    `maas install --mirror DIR` then asks the network for nothing. Images are listed in DIR/images.txt, for a registry
    of the site's own. Cut short, it is simply run again. Needs helm and a network; no cluster.

    Example: maas mirror mirror --kubernetes 1.34
    """
    from maas.cli.installing import collecting, options

    serving = options.Models(simulator=not (models or file), names=tuple(models), file=file)
    collecting.collect(folder, kubernetes, options.Options(models=serving))
