"""`python -m maas.embedded.envoy.stop HOME SECONDS PID`: let the answers under way finish, then end Envoy.

Envoy itself ends at once on SIGTERM and cuts every stream, so the supervisor runs this instead of sending one.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from maas.embedded.envoy import admin
from maas.embedded.home import Home


def main(home: str, seconds: str, pid: str) -> None:
    try:
        asyncio.run(admin.stop(Home(Path(home)), within=float(seconds)))
    except OSError:  # it does not answer, so it can't be asked
        os.kill(int(pid), signal.SIGTERM)


if __name__ == "__main__":
    main(*sys.argv[1:])
