"""maas restart: stop and start the platform."""

from maas.cli.frame import home, noun
from maas.cli.output import notes
from maas.cli.up import bring_up
from maas.embedded import platform

app = noun("Stop and start the platform.")


@app.command()
def restart() -> None:
    """Stop the platform, if it runs, and start it.

    To take up a changed maas.yaml, `maas apply` is enough and interrupts nobody.

    Example: maas restart
    """
    here = home()
    platform.configuration(here)  # a mistake in it is better found while the platform still runs
    with notes().status("stopping"):
        platform.stop(here)
    bring_up(here)
    print("The platform is up again.")
