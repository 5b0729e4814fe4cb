"""maas models: list, add and remove models."""

from typing import Annotated, Any

import typer

from maas.cli import client
from maas.cli.frame import noun
from maas.cli.output import Output, OutputOption, Shape, ShapeOption, show, show_json
from maas.domain.errors import InvalidInput

app = noun("List, add and remove models.")

_COLUMNS = ("name", "status", "runtime", "url", "context", "price_in", "price_out")


@app.command("list")
def list_models(output: OutputOption = Output.table) -> None:
    """List the models. Prices are per million tokens.

    Example: maas models list -o json
    """
    models = client.get("v1", "models")["data"]
    rows = models if output is Output.json else list(map(_row, models))
    show(rows, output, columns=_COLUMNS, empty="no models; `maas models add` adds one")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What clients call it.")],
    runtime: Annotated[str, typer.Option(help="external (a server at --url) or simulator.")] = "external",
    url: Annotated[str | None, typer.Option(help="Where an external model speaks OpenAI's API.")] = None,
    context_length: Annotated[int | None, typer.Option(help="Tokens of prompt and answer together.")] = None,
    price_input: Annotated[str, typer.Option(help="Of a million prompt tokens.")] = "0",
    price_output: Annotated[str, typer.Option(help="Of a million tokens of answers.")] = "0",
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="An option of the runtime; repeatable.")
    ] = None,
    description: Annotated[str, typer.Option(help="What it is good for.", show_default=False)] = "",
    output: ShapeOption = Shape.table,
) -> None:
    """Add a model, to maas.yaml too, which keeps its comments.

    Example: maas models add llama --url http://127.0.0.1:8000 --price-input 0.15 --price-output 0.6
    """
    body = {
        "name": name,
        "runtime": runtime,
        "url": url,
        "context_length": context_length,
        "price": {"input": price_input, "output": price_output},
        "options": dict(map(_pair, option or ())),
        "description": description,
    }
    added = client.post("v1", "models", body=body)
    if output is Shape.json:
        show_json(added)
    else:
        print(f"Added {name}; it is {added['status']}.")


@app.command()
def remove(name: Annotated[str, typer.Argument(help="The model.")]) -> None:
    """Remove a model, from maas.yaml too, which keeps its other comments.

    Example: maas models remove llama
    """
    client.delete("v1", "models", name)
    print(f"Removed {name}.")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"--option: {text!r} has no value; write {text}=VALUE")
    return name, value


def _row(model: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": model["id"],
        "context": model["context_length"],
        "price_in": model["price"]["input"],
        "price_out": model["price"]["output"],
    } | {name: model[name] for name in ("status", "runtime", "url")}
