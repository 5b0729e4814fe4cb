"""maas tiers: the tiers, their limits, and what a user has left of them."""

from typing import Annotated, Any

import typer

from maas.cli import client
from maas.cli.details import show_details
from maas.cli.frame import noun
from maas.cli.output import Output, OutputOption, Shape, ShapeOption, show, show_json

app = noun("Show the tiers and their limits. They are changed in maas.yaml: see `maas apply --help`.")


@app.command("list")
def list_tiers(output: OutputOption = Output.table) -> None:
    """List the tiers.

    Example: maas tiers list
    """
    tiers = client.get("v1", "tiers")["data"]
    rows = tiers if output is Output.json else list(map(_row, tiers))
    show(rows, output, columns=("name", "limits", "models"), empty="no tiers; maas.yaml defines them")


@app.command("show")
def show_tier(
    name: Annotated[str, typer.Argument(help="The tier.")],
    user: Annotated[str | None, typer.Option(help="Show what this user has left, too.")] = None,
    output: ShapeOption = Shape.table,
) -> None:
    """Show a tier, and what a user has left in it.

    Example: maas tiers show free --user alice
    """
    tier = client.get("v1", "tiers", name)
    quota = client.get("v1", "quota", user=user, tier=name)["limits"] if user else None
    if output is Shape.json:
        show_json(tier if quota is None else {**tier, "quota": quota})
        return
    left = {f"left for {user}": list(map(left_of, quota))} if quota else {}
    show_details(
        {**_row(tier), "description": tier["description"], "limits": list(map(limit_text, tier["limits"]))} | left
    )


def limit_text(limit: dict[str, Any]) -> str:
    return f"{limit['amount']} {limit['unit']} per {limit['per']}"


def left_of(line: dict[str, Any]) -> str:
    """ "3 of 5 requests per 2m, resets in 90s"."""
    return f"{line['remaining']} of {limit_text(line['limit'])}, resets in {line['resets_in']:.0f}s"


def _row(tier: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": tier["name"],
        "limits": ", ".join(map(limit_text, tier["limits"])) or "none",
        "models": "all" if tier["models"] is None else ", ".join(tier["models"]) or "none",
    }
