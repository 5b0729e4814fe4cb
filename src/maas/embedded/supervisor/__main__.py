"""`python -m maas.embedded.supervisor --home DIR [--foreground | --detach]`: runs until SIGTERM or SIGINT."""

import os
import sys
from pathlib import Path

from maas.domain.errors import MaasError
from maas.embedded.home import Home
from maas.embedded.supervisor import leftovers, paths
from maas.embedded.supervisor.lock import Lock
from maas.embedded.supervisor.logs import EventLog
from maas.embedded.supervisor.status import read_status
from maas.embedded.supervisor.supervisor import SIGNALS, Supervisor
from maas.embedded.supervisor.wakeups import wakeups


def main(arguments: list[str]) -> int:
    match arguments:
        case ["--home", root, "--detach"]:
            return _detached(Home(Path(root).absolute()))
        case ["--home", root, *rest] if rest in ([], ["--foreground"]):
            return _run(Home(Path(root).absolute()), foreground=bool(rest))
    print("usage: python -m maas.embedded.supervisor --home DIR [--foreground | --detach]", file=sys.stderr)
    return 2


def _detached(home: Home) -> int:
    """In a session of its own, and nobody's child: who started it neither waits for it nor signals it by accident."""
    if os.fork():
        return 0
    os.setsid()
    return _run(home, foreground=False)


def _run(home: Home, *, foreground: bool) -> int:
    os.umask(0o077)
    home.prepare()
    log = EventLog(paths.own_log(home), echo=foreground)
    with wakeups(SIGNALS) as signals:  # before the lock: who sees it held may send a signal
        try:
            lock = Lock(paths.lock(home))
        except MaasError as error:
            print(f"error: {error}", file=sys.stderr)
            return error.exit_code
        for name in leftovers.end(read_status(paths.status(home))):
            log.write("warning", "ended what a killed supervisor left", process=name)
        os.chdir(home.root)
        log.write("info", "supervising", pid=os.getpid(), home=home.root)
        Supervisor(home, log).run(signals)
        log.write("info", "ended")
        lock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
