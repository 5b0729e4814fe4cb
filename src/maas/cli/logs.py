"""maas logs: the last lines of the logs, and those to come."""

from typing import Annotated

import typer

from maas.cli.frame import home, noun
from maas.domain.errors import NotFound
from maas.embedded import logfiles

app = noun("Show the logs.")


@app.command()
def logs(
    name: Annotated[str | None, typer.Argument(help="Of this process or model alone.")] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is being written.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of the last lines to begin with.")] = 100,
) -> None:
    """Show the last lines of the logs.

    Example: maas logs gateway -f
    """
    found = logfiles.find(home())
    if name is not None:
        if name not in found:
            raise NotFound(f"there is no log of {name!r}; there are: {', '.join(found) or 'none yet'}")
        found = {name: found[name]}
    width = max(map(len, found), default=0) if len(found) > 1 else 0
    for source, line in logfiles.read(found, last=lines, follow=follow):
        print(f"{source:<{width}} | {line}" if width else line, flush=follow)
