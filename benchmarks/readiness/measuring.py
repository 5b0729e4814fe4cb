"""One size of cluster, measured: live, through a front that counts, into a snapshot and from it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.readiness.phases import Phases
from benchmarks.readiness.results import Asked, Measured, Run
from benchmarks.readiness.seeding import cluster_of
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.front import front

_ROOT = Path(__file__).parents[2]
_ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}
_READY, _NOT_READY = 0, 3


class Broken(Exception):
    """A command ended in a way that no cluster explains."""


def measured(nodes: int, repeats: int, folder: Path, say: Callable[[str], None]) -> Measured:
    say(f"{nodes} nodes: filling")
    with cluster_of(nodes) as (cluster, size):
        found = Measured(size)
        kubeconfig, snapshot = cluster.kubeconfig(), folder / f"{nodes}.tar.gz"
        _floor(cluster)  # the server's first lists fill its caches
        for turn in range(repeats):
            say(f"{nodes} nodes: live, {turn + 1} of {repeats}")
            found.floor.append(_floor(cluster))
            found.live.append(maas("preflight", "--kubeconfig", kubeconfig, "--timeout", "10m"))
            found.live_phases.append(phases(kubeconfig))
        say(f"{nodes} nodes: counting calls, and a snapshot")
        found.asked = _counted(cluster)
        found.server_mb = _memory(cluster)
        found.snapshot = maas("snapshot", "--kubeconfig", kubeconfig, "--timeout", "10m", "--output", snapshot)
    found.snapshot_mb = snapshot.stat().st_size / 1e6
    for turn in range(repeats):
        say(f"{nodes} nodes: offline, {turn + 1} of {repeats}")
        found.offline.append(maas("preflight", "--from", snapshot))
        found.offline_phases.append(phases(snapshot))
    return found


def maas(*arguments: str | Path) -> Run:
    """Raises Broken."""
    command = [
        sys.executable,
        "-c",
        "import sys; from maas.cli.main import main; sys.exit(main())",
        *map(str, arguments),
    ]
    began = time.perf_counter()
    child = subprocess.Popen(command, env=_ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    complaint = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in ((_READY, _NOT_READY) if arguments[0] == "preflight" else (_READY,)):
        raise Broken(f"maas {arguments[0]} ended with {child.returncode}:\n{complaint.decode()[-2000:]}")
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def phases(source: Path) -> Phases:
    """Raises Broken."""
    command = [sys.executable, "-m", "benchmarks.readiness.phases", str(source)]
    done = subprocess.run(command, env=_ENVIRONMENT, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Broken(done.stderr[-2000:])
    return Phases(**json.loads(done.stdout))


def _floor(cluster: Cluster) -> float:
    began, where = time.perf_counter(), ""
    with cluster.client() as client:
        while True:
            answer = client.get("/api/v1/pods", params={"limit": 500, "continue": where}).raise_for_status()
            where = answer.json()["metadata"].get("continue", "")
            if not where:
                return time.perf_counter() - began


def _counted(cluster: Cluster) -> Asked:
    with front(cluster) as before:
        phases(cluster.kubeconfig(url=before.url))
        pages = sum("continue=" in call.target for call in before.calls)
        return Asked(len(before.calls) - pages, pages, before.most_together)


def _memory(cluster: Cluster) -> float:
    """Of the API server, MB."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if b"kube-apiserver" in command and str(cluster.folder).encode() in command:
                pages = int((process / "statm").read_text().split()[1])
                return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
        except (FileNotFoundError, ProcessLookupError):
            continue
    return 0.0
