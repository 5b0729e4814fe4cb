"""Who made a temporary key, and whether that run is still at it: a killed one leaves its keys to the next.

A mark is "HOST.PID.STARTED.UNTIL": on the host that made it, the process is looked for; elsewhere time decides.
"""

import os
import re
import socket
import time

from maas.embedded.supervisor.identity import identity_of, own_identity
from maas.readiness.traffic.site import KEY_LIFE

_MARK = re.compile(r"^(?P<host>[a-z0-9-]+)\.(?P<pid>\d{1,10})\.(?P<started>\d{1,20})\.(?P<until>\d{1,12})$")


def mark(now: float | None = None) -> str:
    me = own_identity()
    return f"{_host()}.{me.pid}.{me.started}.{(now or time.time()) + KEY_LIFE:.0f}"


def is_over(mark: str, now: float | None = None) -> bool:
    """What no run of this version has written is nobody's, and over."""
    found = _MARK.match(mark)
    if found is None or int(found["until"]) <= (now or time.time()):
        return True
    if found["host"] != _host():
        return False
    there = identity_of(int(found["pid"]))
    return there is None or not there.alive or there.started != int(found["started"])


def _host() -> str:
    """Of the machine and its boot: containers may share a name, and start their counting of processes anew."""
    name = re.sub(r"[^a-z0-9-]", "-", socket.gethostname().lower())[:20].strip("-") or "host"
    return f"{name}-{os.stat('/proc/self/ns/pid').st_ino:x}"  # noqa: PTH116  # follows the link to the namespace
