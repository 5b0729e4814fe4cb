"""maas down: stop the platform."""

from maas.cli.frame import home, noun
from maas.cli.output import notes
from maas.embedded import platform

app = noun("Stop the platform.")


@app.command()
def down() -> None:
    """Stop the platform, after the requests that are under way have been answered.

    Keys, usage and counters stay. Stopping what is not running is no error.

    Example: maas down
    """
    with notes().status("stopping"):
        stopped = platform.stop(home())
    print("The platform is down." if stopped else "The platform was not running.")
