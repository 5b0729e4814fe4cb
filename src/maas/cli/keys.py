"""maas keys: create, list, revoke, rotate and import API keys.

A key's value is printed alone on stdout, everything else about it on stderr: KEY=$(maas keys create) works. No value
is ever read from the arguments, which other users of the machine see in `ps`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from maas.cli import client, files, temporary
from maas.cli.frame import noun
from maas.cli.output import Output, OutputOption, Shape, ShapeOption, notes, show, show_json
from maas.domain.errors import InvalidInput

app = noun("Create, list, revoke, rotate and import API keys.")

_COLUMNS = ("id", "user", "tier", "name", "status", "expires")
_PAGE = 100

User = Annotated[str | None, typer.Option(help="Who owns it.", show_default="you")]
Tier = Annotated[str, typer.Option(help="Whose limits and models it has.")]
Name = Annotated[str, typer.Option(help="What you will know it by.")]
Description = Annotated[str, typer.Option(help="What it is for.", show_default=False)]
Expires = Annotated[str | None, typer.Option(metavar="DURATION", help="When it ends: 30d, 12h.", show_default="never")]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="A model that it may call; repeatable.", show_default="all of its tier"),
]


@app.command()
def create(
    user: User = None,
    tier: Tier = "free",
    name: Name = "default",
    description: Description = "",
    expires: Expires = None,
    model: Models = None,
    output: ShapeOption = Shape.table,
) -> None:
    """Create a key, and show its value this one time.

    Example: KEY=$(maas keys create --user alice --tier premium --expires 30d)
    """
    created = client.post("v1", "api-keys", body=_body(user, tier, name, description, expires, model))
    _show_new(created, output, f"Created {created['id']} for {created['username']} in the tier {created['tier']}.")


@app.command("import")
def import_key(
    file: Annotated[
        Path | None, typer.Option("--from-file", help="Where its value stands.", show_default="stdin")
    ] = None,
    user: User = None,
    tier: Tier = "free",
    name: Name = "imported",
    description: Description = "",
    expires: Expires = None,
    model: Models = None,
    output: ShapeOption = Shape.table,
) -> None:
    """Take up a key that clients have already. Its value is read from a file, a pipe or a prompt.

    Example: maas keys import --user alice --from-file old-key.txt
    """
    body = _body(user, tier, name, description, expires, model) | {"key": _value(file)}
    imported = client.post("v1", "api-keys", "import", body=body)
    for warning in imported["warnings"]:
        notes().print(f"warning: {warning}")
    if output is Shape.json:
        show_json(imported)
    else:
        print(f"Imported {imported['id']} for {imported['username']} in the tier {imported['tier']}.")


@app.command("list")
def list_keys(
    user: Annotated[str | None, typer.Option(help="Of this owner only.")] = None,
    tier: Annotated[str | None, typer.Option(help="Of this tier only.")] = None,
    all_keys: Annotated[bool, typer.Option("--all", help="Revoked and expired ones too.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """List keys, the newest first. JSON and CSV tell more: prefix, models, when last used.

    Example: maas keys list --user alice --all
    """
    filters = _chosen(username=user, subscription=tier) | ({} if all_keys else {"status": ["active"]})
    rows = list(_search(filters))
    if output is Output.table:
        kept, spent = (rows, 0) if user else temporary.without_spent(rows)
        show([_row(key) for key in kept], output, columns=_COLUMNS, empty="no keys; `maas keys create` makes one")
        if spent:
            notes().print(f"and {spent} of `maas validate`, which no longer work; -o json has them")
    else:
        show(rows, output, columns=list(rows[0]) if rows else ("id",))


@app.command()
def revoke(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As `maas keys list` shows them.")] = None,
    user: Annotated[str | None, typer.Option(help="All active keys of this owner.")] = None,
    tier: Annotated[str | None, typer.Option(help="All active keys of this tier.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before revoking many.")] = False,
) -> None:
    """Revoke keys, by id or all of a user or a tier. They fail from the next request on.

    Example: maas keys revoke key_1c2a44f0b96d3e57
    """
    if bool(ids) == bool(user or tier):
        raise InvalidInput("name the ids of keys, or a --user or --tier whose keys are meant")
    for id in ids or ():
        client.delete("v1", "api-keys", id)
        print(f"Revoked {id}.")
    if user or tier:
        _revoke_all(_chosen(username=user, subscription=tier), yes)


@app.command()
def rotate(
    id: Annotated[str, typer.Argument(help="As `maas keys list` shows it.")],
    grace: Annotated[str, typer.Option(metavar="DURATION", help="How long the old value goes on working.")] = "0s",
    output: ShapeOption = Shape.table,
) -> None:
    """Replace a key by a new one with the same owner, tier, models and expiry.

    Example: maas keys rotate key_1c2a44f0b96d3e57 --grace 24h
    """
    created = client.post("v1", "api-keys", id, "rotate", body={"grace": grace})
    old = client.get("v1", "api-keys", id)
    _show_new(created, output, f"Created {created['id']} in place of {id}, which ends at {old['expiresAt']}.")


def _body(
    user: str | None, tier: str, name: str, description: str, expires: str | None, models: list[str] | None
) -> dict[str, Any]:
    return {"tier": tier, "name": name, "description": description} | _chosen(
        username=user, expiresIn=expires, models=models or None
    )


def _chosen(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _value(file: Path | None) -> str:
    if file is not None:
        return files.text(file).strip()
    if sys.stdin.isatty():
        return str(typer.prompt("Key", hide_input=True))
    return sys.stdin.readline().strip()


def _search(filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    offset, more = 0, True
    while more:
        body = {"filters": filters, "pagination": {"limit": _PAGE, "offset": offset}}
        page = client.post("v1", "api-keys", "search", body=body)
        yield from page["data"]
        offset, more = offset + _PAGE, page["has_more"]


def _row(key: dict[str, Any]) -> dict[str, Any]:
    expires = (key["expiresAt"] or "never").partition("T")[0]
    return {"user": key["username"], "expires": expires} | {
        name: key[name] for name in ("id", "tier", "name", "status")
    }


def _revoke_all(which: dict[str, str], yes: bool) -> None:
    if not yes:
        count = client.post("v1", "api-keys", "bulk-revoke", body={**which, "dryRun": True})["revokedCount"]
        typer.confirm(f"Revoke {count} active keys?", abort=True)
    print(client.post("v1", "api-keys", "bulk-revoke", body=which)["message"])


def _show_new(created: dict[str, Any], output: Shape, said: str) -> None:
    if output is Shape.json:
        show_json(created)
        return
    notes().print(f"{said} Keep its value now: it is not shown again.")
    print(created["key"])
