"""maas init: a maas.yaml to start from."""

from typing import Annotated

import typer

from maas.cli.frame import home, noun
from maas.domain import platform_file
from maas.domain.errors import Conflict
from maas.embedded.supervisor.files import replace_file

app = noun("Write a commented maas.yaml to start from.")


@app.command()
def init(
    force: Annotated[bool, typer.Option("--force", help="Replace the one that is there.")] = False,
) -> None:
    """Write a commented maas.yaml to start from.

    It goes to $MAAS_HOME, where `maas up` looks for it.

    Example: maas init && maas up
    """
    here = home()
    if here.config.exists() and not force:
        raise Conflict(f"{here.config} exists already; --force replaces it")
    here.prepare()
    replace_file(here.config, platform_file.default_text())
    print(f"Wrote {here.config}")
