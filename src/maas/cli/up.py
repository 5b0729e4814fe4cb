"""maas up: start the platform, or take up what has changed."""

from dataclasses import replace
from importlib.util import find_spec
from typing import Annotated

import typer

from maas.cli import client
from maas.cli.apply import show_changes
from maas.cli.frame import home, noun
from maas.cli.progress import waiting
from maas.domain.errors import Conflict, InvalidInput
from maas.embedded import platform, settings
from maas.embedded.home import Home
from maas.store import urls

app = noun("Start the platform, or take up what has changed.")

_BUILT_IN = "sqlite"


DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar="MAAS_DATABASE_URL",
        show_envvar=True,
        metavar="URL",
        help="Keep keys and usage there from now on; 'sqlite' means the file in $MAAS_HOME again. It is remembered,"
        " readable by you alone. Prefer the variable: others see your arguments in `ps`.",
    ),
]


@app.command()
def up(
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay, and stop the platform on Ctrl-C: for systemd and containers.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Start the platform and wait until it is ready.

    If it runs already, it takes up what has changed in maas.yaml, as `maas apply` does, and leaves the rest alone.

    Example: maas up
    """
    here = home()
    here.prepare()
    if database_url:
        remember_database(here, database_url)
    if foreground:
        _say_where(here, "Starting; the platform will listen at")
        platform.start(here, foreground=True)
    if platform.runs(here):
        take_up(here)
    else:
        bring_up(here)
    _say_where(here, "The platform listens at")


def bring_up(here: Home) -> None:
    with waiting("starting") as progress:
        platform.start(here, progress=progress)


def take_up(here: Home) -> None:
    """Make the running platform what maas.yaml says, through its control plane, and tell what that changes."""
    platform.configuration(here)  # its mistakes, before anything is waited for
    with waiting("waiting for the control plane") as progress:
        platform.wait_changeable(here, progress)
        applied = client.post("v1", "platform", "apply", body={"text": here.config.read_text()})
        platform.wait_ready(here, progress)
    show_changes(applied["changes"])


def _say_where(here: Home, saying: str) -> None:
    print(saying, *platform.endpoints(platform.configuration(here).gateway), flush=True)


def remember_database(here: Home, url: str) -> None:
    """Raises Conflict when the platform runs with another one, InvalidInput when it is no database's URL."""
    wanted = None if url == _BUILT_IN else url
    current = settings.load(here)
    if wanted == current.database_url:
        return
    if wanted:
        _require_driver(urls.parse(wanted).drivername)
    if platform.runs(here):
        raise Conflict("the platform runs with another database; `maas down` first")
    settings.save(here, replace(current, database_url=wanted))


def _require_driver(name: str) -> None:
    if name.startswith("postgresql") and find_spec("psycopg") is None:
        raise InvalidInput(
            "PostgreSQL's driver is not installed; ./install.sh --database-url URL installs it, and so does"
            " pip install --require-hashes -r requirements/postgresql.txt"
        )
