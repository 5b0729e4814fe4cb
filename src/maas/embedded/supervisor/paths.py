"""Where the supervisor and those who talk to it meet."""

from pathlib import Path

from maas.embedded.home import Home


def desired(home: Home) -> Path:
    return home.run / "desired.json"


def status(home: Home) -> Path:
    return home.run / "status.json"


def lock(home: Home) -> Path:
    return home.run / "supervisor.lock"


def own_log(home: Home) -> Path:
    return home.logs / "supervisor.log"
