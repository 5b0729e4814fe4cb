"""`python -m benchmarks.readiness.phases KUBECONFIG|SNAPSHOT`: one preflight in a process of its own, phase by phase.

Prints JSON: seconds by phase, calls and bytes if live, how many findings, and the peak of memory in MB.
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Phases:
    """load: Python's imports. received, unpacked: bytes of bodies, as sent and as read. memory: MB."""

    load: float
    read: float
    judge: float
    report: float
    calls: int
    received: int
    unpacked: int
    findings: int
    memory: float


def main() -> None:
    source = Path(sys.argv[1])
    began = time.perf_counter()
    from maas.cli.facts import asked
    from maas.cluster.connection import connect
    from maas.cluster.facts import live, snapshot
    from maas.cluster.facts.model import Facts
    from maas.readiness.catalogue import checks
    from maas.readiness.judging import judge
    from maas.readiness.reports import Format, render

    list(checks())
    loaded = time.perf_counter()
    calls = received = unpacked = 0

    async def read_live() -> Facts:
        nonlocal calls, received, unpacked
        async with connect(kubeconfig=source) as api:
            facts = await live.read(api, deadline=600)
            calls, received, unpacked = api.traffic.calls, api.traffic.received, api.traffic.unpacked
            return facts

    facts = snapshot.read(source) if source.suffix == ".gz" else asyncio.run(read_live())
    read = time.perf_counter()
    question = asked(facts, gpu=True, models=["simulator", "qwen3"])
    findings = judge(facts, question)
    judged = time.perf_counter()
    render(Format.table, findings, facts, question)
    done = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = (loaded - began, read - loaded, judged - read, done - judged)
    print(json.dumps(asdict(Phases(*seconds, calls, received, unpacked, len(findings), memory))))


if __name__ == "__main__":
    main()
