"""maas apply: make the platform what a maas.yaml says."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from maas.cli import client, files
from maas.cli.frame import noun
from maas.cli.output import Shape, ShapeOption, show_json

_PATIENCE = 1860.0  # seconds; it returns when new models are loaded

app = noun("Take up a maas.yaml, or show what it would change.")


@app.command()
def apply(
    file: Annotated[Path, typer.Option("-f", "--file", help="The maas.yaml, or - for stdin.", allow_dash=True)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check it, and change nothing.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show each change.")] = False,
    output: ShapeOption = Shape.table,
) -> None:
    """Make the platform what a maas.yaml says. No request fails meanwhile; a wrong file changes nothing.

    Example: maas apply -f maas.yaml --dry-run --diff
    """
    applied = client.post(
        "v1", "platform", "apply", body={"text": files.text(file), "dryRun": dry_run}, patience=_PATIENCE
    )
    if output is Shape.json:
        show_json(applied)
        return
    show_changes(applied["changes"], each=diff, dry_run=dry_run)


def show_changes(changes: Sequence[Mapping[str, Any]], *, each: bool = True, dry_run: bool = False) -> None:
    for change in changes if each else ():
        print(change["text"])
    print(_summary(len(changes), dry_run))


def _summary(count: int, dry_run: bool) -> str:
    if not count:
        return "No changes."
    changes = "1 change" if count == 1 else f"{count} changes"
    return f"{changes} would be applied." if dry_run else f"{changes} applied."
