"""maas up: start the platform, or take up what has changed."""

from dataclasses import replace
from typing import Annotated

import typer

from maas.cli.frame import home, noun
from maas.cli.progress import waiting
from maas.domain.errors import Conflict
from maas.embedded import platform, settings
from maas.embedded.home import Home
from maas.store import urls

app = noun("Start the platform, or take up what has changed.")

_BUILT_IN = "sqlite"


@app.command()
def up(
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay, and stop the platform on Ctrl-C: for systemd and containers.")
    ] = False,
    database_url: Annotated[
        str | None,
        typer.Option(
            envvar="MAAS_DATABASE_URL",
            metavar="URL",
            help="Keep keys and usage there from now on; 'sqlite' means the file in $MAAS_HOME again. It is"
            " remembered, readable by you alone. Prefer the variable: others see your arguments in `ps`.",
        ),
    ] = None,
) -> None:
    """Start the platform and wait until it is ready.

    Started again, it takes up what has changed and leaves the rest alone.

    Example: maas up
    """
    here = home()
    here.prepare()
    if database_url:
        remember_database(here, database_url)
    start(here, foreground=foreground)


def start(here: Home, *, foreground: bool = False) -> None:
    with waiting("starting") as progress:
        platform.start(here, foreground=foreground, progress=progress)
    print("The platform is up:")
    for endpoint in platform.endpoints(platform.configuration(here).gateway):
        print(f"  {endpoint}")


def remember_database(here: Home, url: str) -> None:
    """Raises Conflict when the platform runs with another one, InvalidInput when it is no database's URL."""
    wanted = None if url == _BUILT_IN else url
    current = settings.load(here)
    if wanted == current.database_url:
        return
    if wanted:
        urls.parse(wanted)
    if platform.status(here):
        raise Conflict("the platform runs with another database; `maas down` first")
    settings.save(here, replace(current, database_url=wanted))
