"""maas models: list, add and remove models."""

import re
from contextlib import nullcontext
from typing import Annotated, Any

import typer

from maas.cli import chosen, client, pulling, starting
from maas.cli.frame import noun
from maas.cli.output import Output, OutputOption, Shape, ShapeOption, show, show_json
from maas.domain.errors import Conflict, InvalidInput

app = noun("List, add and remove models.")

_PATIENCE = 1860.0  # seconds; a cluster shows what it waits for
_COLUMNS = ("name", "status", "runtime", "served_from", "context", "price_in", "price_out")


@app.command("list")
def list_models(output: OutputOption = Output.table) -> None:
    """List the models. Prices are per million tokens.

    Example: maas models list -o json
    """
    models = client.get("v1", "models")["data"]
    rows = models if output is Output.json else list(map(_row, models))
    show(rows, output, columns=_COLUMNS, empty="no models; `maas models add` adds one")
    if output is Output.table:
        for model in models:
            if model["trouble"]:
                print(f"\n{model['id']}: {model['trouble']}")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What clients call it.")],
    runtime: Annotated[
        str, typer.Option(help="external (a server at --url), llama-cpp (CPU), vllm (GPU) or simulator.")
    ] = "external",
    url: Annotated[
        list[str] | None,
        typer.Option(help="Where an external model speaks OpenAI's API; repeatable, URL=WEIGHT shares the requests."),
    ] = None,
    api_key_file: Annotated[
        str | None, typer.Option(help="Absolute path of a file with the key that the servers want to see.")
    ] = None,
    served_name: Annotated[str | None, typer.Option(help="What the servers call the model.")] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Of llama-cpp and vllm: a path, smollm2, or a name on the hub, which is downloaded first."),
    ] = None,
    alias: Annotated[list[str] | None, typer.Option(help="A further name for clients; repeatable.")] = None,
    wait: Annotated[str | None, typer.Option(help="How long requests may wait while it loads, such as 30s.")] = None,
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

    Example: maas models add small --runtime llama-cpp --weights smollm2
    """
    on_cluster = chosen.cluster() is not None
    if not on_cluster:
        _require_free(name)
    if runtime == "llama-cpp" and weights and not on_cluster:
        pulling.pull(weights)
    body = {
        "name": name,
        "runtime": runtime,
        **_endpoints(url or [], api_key_file),
        "served_name": served_name,
        "weights": weights,
        "aliases": alias or [],
        "wait": wait,
        "context_length": context_length,
        "price": {"input": price_input, "output": price_output},
        "options": dict(map(_pair, option or ())),
        "description": description,
    }
    with nullcontext(_PATIENCE) if on_cluster else starting.waiting(name, runtime) as patience:
        added = client.post("v1", "models", body=body, patience=patience)
    if output is Shape.json:
        show_json(added)
    else:
        print(f"Added {name}; it is {added['status']}.")


@app.command()
def pull(
    weights: Annotated[str, typer.Argument(help="smollm2, or a name on the hub such as Qwen/Qwen3-0.6B-GGUF:Q8_0.")],
) -> None:
    """Bring weights to this machine: resumed after a break, and checked.

    Example: maas models pull smollm2
    """
    print(pulling.pull(weights))


@app.command()
def remove(name: Annotated[str, typer.Argument(help="The model.")]) -> None:
    """Remove a model, from maas.yaml too, which keeps its other comments.

    Example: maas models remove llama
    """
    client.delete("v1", "models", name)
    print(f"Removed {name}.")


def _require_free(name: str) -> None:
    """Before anything is fetched for it, or said to load. Raises NotRunning too."""
    if name in (model["id"] for model in client.get("v1", "models")["data"]):
        raise Conflict(f"the model {name!r} exists already; remove it first, or edit maas.yaml")


def _endpoints(urls: list[str], api_key_file: str | None) -> dict[str, Any]:
    parts = [url.rpartition("=") if re.search(r"=\d+$", url) else (url, "", "1") for url in urls]
    if len(parts) <= 1:
        return {"url": parts[0][0] if parts else None, "api_key_file": api_key_file}
    return {
        "endpoints": [{"url": url, "weight": int(weight), "api_key_file": api_key_file} for url, _, weight in parts]
    }


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
        "served_from": model["weights"] or ", ".join(endpoint["url"] for endpoint in model["endpoints"]),
    } | {name: model[name] for name in ("status", "runtime")}
