"""maas status of a platform on a cluster: its parts, its models, and what is wrong with them."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from maas.cli import client
from maas.cli.installing.remembered import Remembered
from maas.cli.output import Output, Shape, show, show_json
from maas.domain.errors import Unavailable

_OK, _READY = "ok", "ready"


def status(of: Remembered, output: Shape) -> None:
    """Exit code: 0 everything is ready, 6 no platform is there (raised as NotRunning), 7 something does not work."""
    parts: Mapping[str, str] = client.health()["parts"]
    models: Sequence[Mapping[str, Any]] = client.get("v1", "models")["data"]
    ready = all(said == _OK for said in parts.values()) and all(model["status"] == _READY for model in models)
    if output is Shape.json:
        show_json(_document(of, parts, models, ready))
    else:
        _print(of, parts, models)
    if not ready:
        raise typer.Exit(Unavailable.exit_code)


def _document(
    of: Remembered, parts: Mapping[str, str], models: Sequence[Mapping[str, Any]], ready: bool
) -> dict[str, Any]:
    cluster = {"context": of.context or None, "namespace": of.namespace, "target": of.target}
    states = [{"name": each["id"], "state": each["status"], "trouble": each["trouble"]} for each in models]
    return {"running": True, "ready": ready, "cluster": cluster, "parts": parts, "models": states}


def _print(of: Remembered, parts: Mapping[str, str], models: Sequence[Mapping[str, Any]]) -> None:
    where = f"context {of.context}" if of.context else "the cluster that kubectl would take"
    print(f"Namespace {of.namespace} of {where}\n")
    rows = [{"name": name, "state": _READY if said == _OK else "failing"} for name, said in parts.items()]
    rows += [{"name": f"model {model['id']}", "state": model["status"]} for model in models]
    show(rows, Output.table, columns=("name", "state"))
    for name, said in parts.items():
        if said != _OK:
            print(f"\n{name}: {said}")
    for model in models:
        if model["trouble"]:
            print(f"\nmodel {model['id']}: {model['trouble']}")
    if any(said != _OK for said in parts.values()):
        print("\n`maas doctor` says more, and mends what it can.")
