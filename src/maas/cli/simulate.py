"""maas simulate: a simulated model server by itself. Its flags are its own: they are handed on unread."""

import typer

from maas.cli.frame import noun
from maas.models.simulator.main import main

app = noun("Run a simulated model server by itself.")


@app.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
def simulate(context: typer.Context) -> None:
    raise typer.Exit(main(context.args))
