import json
import os
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from maas.domain.errors import Conflict
from maas.embedded.home import Home
from maas.embedded.supervisor import client, paths
from maas.embedded.supervisor.identity import identity_of, own_identity
from maas.embedded.supervisor.lock import Lock, holder
from tests.supervisor.watching import Watched


def test_only_one_supervisor_runs_for_a_home(watched: Watched) -> None:
    watched.run()
    with pytest.raises(Conflict, match="already runs"):
        client.launch(watched.home)
    second = subprocess.run(client.command(watched.home), capture_output=True, text=True, check=False)
    assert second.returncode == Conflict.exit_code
    assert f"pid {watched.status.supervisor.pid}" in second.stderr


def test_looking_does_not_stand_in_the_way(home: Home) -> None:
    look = (
        "from pathlib import Path\n"
        "from maas.embedded.supervisor.lock import held\n"
        f"while True: held(Path({str(paths.lock(home))!r}))"
    )
    looking = subprocess.Popen([sys.executable, "-c", look])
    try:
        for _ in range(50):
            Lock(paths.lock(home)).close()
    finally:
        looking.kill()
        looking.wait()


def test_the_lock_goes_with_its_holder(watched: Watched) -> None:
    watched.run()
    watched.kill_supervisor()
    assert not client.running(watched.home)
    watched.run()


def test_a_number_that_is_used_again_is_somebody_else(home: Home) -> None:
    lock = Lock(paths.lock(home))
    assert holder(paths.lock(home)) == own_identity()
    earlier = replace(own_identity(), started=own_identity().started - 1)
    paths.lock(home).write_text(json.dumps(asdict(earlier)))
    assert holder(paths.lock(home)) is None
    lock.close()


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    identity = identity_of(child.pid)
    assert identity and not identity.alive
    child.wait()
