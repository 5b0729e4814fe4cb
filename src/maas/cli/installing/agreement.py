"""Asking before a cluster is changed."""

import sys

import typer

from maas.domain.errors import InvalidInput


def require(question: str, *, yes: bool) -> None:
    """Raises InvalidInput where nobody is there to be asked, typer.Exit(1) where somebody said no."""
    if yes:
        return
    if not is_somebody_there():
        raise InvalidInput(
            "nobody is here to be asked (this is no terminal), so nothing was changed."
            " --yes carries it out without asking, --dry-run lets the server try it"
        )
    if not typer.confirm(question, err=True):
        typer.echo("Nothing was changed.", err=True)
        raise typer.Exit(1)


def is_somebody_there() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
