"""maas usage: who used how many tokens, and what they cost."""

import sys
from typing import Annotated, Any

import typer

from maas.cli import chosen, client, temporary
from maas.cli.frame import noun
from maas.cli.output import Output, OutputOption, notes, show, show_json
from maas.domain.reports import By

app = noun("Show who used how many tokens, and what they cost.")

_CSV = ("name", "requests", "failed", "estimated", "prompt_tokens", "completion_tokens", "total_tokens", "cost")


@app.command()
def usage(
    by: Annotated[By | None, typer.Option(help="What to sum up by.", show_default="user; on a cluster: model")] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="24h (so long ago), or 2026-01-31.")] = "24h",
    until: Annotated[str, typer.Option(metavar="TIME", help="Up to, not including.", show_default="now")] = "0s",
    user: Annotated[str | None, typer.Option(help="Of this user only.")] = None,
    model: Annotated[str | None, typer.Option(help="Of this model only.")] = None,
    tier: Annotated[str | None, typer.Option(help="Of this tier only.")] = None,
    key: Annotated[str | None, typer.Option(help="Of the key with this id only.")] = None,
    records: Annotated[bool, typer.Option("--records", help="Every single request instead, as CSV.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Show who used how many tokens, and what they cost at the prices in maas.yaml.

    Example: maas usage --by model --since 30d -o csv
    """
    by = by or (By.USER if chosen.cluster() is None else By.MODEL)
    which = {"since": since, "until": until, "user": user, "model": model, "tier": tier, "key": key}
    if records:
        sys.stdout.writelines(client.lines("v1", "usage", "records", **which))
        return
    found = client.get("v1", "usage", by=by, **which)
    if by is By.USER and user is None and output is not Output.json:
        found["data"] = temporary.together(found["data"])
    match output:
        case Output.json:
            show_json(found)
        case Output.csv:
            show(found["data"], output, columns=_CSV)
        case Output.table:
            _print(found)


def _print(found: dict[str, Any]) -> None:
    if chosen.cluster() is not None:
        notes().print("Counted by the models' servers since their pods started, whatever --since says.")
    by, total = found["by"], found["total"]
    lines = [*found["data"], total] if len(found["data"]) > 1 else found["data"]
    columns = (by, "requests", "failed", "prompt", "completion", "total", "cost")
    show([_row(by, line) for line in lines], Output.table, columns=columns, empty=f"no usage since {found['since']}")
    if total["estimated"]:
        which = f"{total['estimated']} of {total['requests']} requests"
        notes().print(f"\nThe tokens of {which} are estimates: the model did not report them.")


def _row(by: str, line: dict[str, Any]) -> dict[str, Any]:
    tokens = {name: line[f"{name}_tokens"] for name in ("prompt", "completion", "total")}
    return {by: line["name"], **tokens} | {name: line[name] for name in ("requests", "failed", "cost")}
