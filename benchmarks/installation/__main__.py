"""`python -m benchmarks.installation`: how long a plan takes, and a run that has nothing to do."""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from benchmarks.gateway import machine
from benchmarks.installation import report
from benchmarks.installation.installed import install
from benchmarks.installation.phases import Phases
from benchmarks.installation.results import Measured, Results
from benchmarks.readiness.seeding import cluster_of
from maas.cluster.connection import connect
from maas.cluster.facts import live
from maas.cluster.facts.model import Facts
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.front import Call, front

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}
_REVIEWS = "authorization.k8s.io"  # asking what one may do is a POST, and writes nothing


def main() -> int:
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    results = Results(machine.basics(), given.repeats)
    try:
        results.sizes = [_measured(nodes, given.repeats) for nodes in given.nodes]
    except pytest.skip.Exception as error:  # the test cluster says so where its programs are missing
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(report.text(results))
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "results.json").write_text(json.dumps(asdict(results), indent=1) + "\n")
    (given.output / "results.md").write_text(report.markdown(results))
    _say(f"written to {given.output}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.installation", description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=[1000], help="sizes (default: 1000)")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each (default: 3)")
    parser.add_argument("--output", type=Path, default=_HERE, help="folder for results.json and results.md")
    return parser.parse_args()


def _measured(nodes: int, repeats: int) -> Measured:
    _say(f"{nodes} nodes: filling")
    with cluster_of(nodes) as (cluster, size):
        found = Measured(size)
        install(cluster, asyncio.run(_facts(cluster)))
        for turn in range(repeats):
            _say(f"{nodes} nodes: {turn + 1} of {repeats}")
            found.new.append(_phases(cluster.kubeconfig(), "new"))
            found.again.append(_phases(cluster.kubeconfig(), "again"))
        with front(cluster) as before:
            _phases(cluster.kubeconfig(url=before.url), "again")
            found.reads, found.writes = _reads(before.calls), _writes(before.calls)
        return found


async def _facts(cluster: Cluster) -> Facts:
    async with connect(kubeconfig=cluster.kubeconfig()) as api:
        return await live.read(api, deadline=600, ours=True)


def _phases(kubeconfig: Path, which: str) -> Phases:
    command = [sys.executable, "-m", "benchmarks.installation.phases", str(kubeconfig), which]
    done = subprocess.run(command, env=_ENVIRONMENT, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    return Phases(**json.loads(done.stdout))


def _reads(calls: Sequence[Call]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for call in calls:
        where = urlsplit(call.target)
        asked = parse_qs(where.query)
        if call.method == "GET" and "limit" in asked and "continue" not in asked:
            chosen = [*asked.get("labelSelector", []), *asked.get("fieldSelector", [])]
            found[where.path].append(" ".join(chosen))
    return dict(found)


def _writes(calls: Sequence[Call]) -> int:
    """What is no dry run."""
    asking = ("GET",)
    return sum(
        call.method not in asking and _REVIEWS not in call.target and "dryRun" not in call.target for call in calls
    )


def _say(what: str) -> None:
    """Progress, for people."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
