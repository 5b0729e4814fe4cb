"""`python -m benchmarks.installation.phases KUBECONFIG new|again`: one plan in a process of its own, phase by phase.

new: of a platform that is not there. again: of the one that is. Prints JSON.
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
    """Seconds. load: Python's imports. judge: the preflight checks. carry: the plan carried out, if it is empty.

    calls: requests, further pages of lists included. steps, actions: of the plan. memory: the peak, MB.
    """

    load: float
    read: float
    judge: float
    plan: float
    carry: float
    calls: int
    steps: int
    actions: int
    memory: float

    @property
    def ours(self) -> float:
        return self.judge + self.plan

    @property
    def whole(self) -> float:
        return self.load + self.read + self.judge + self.plan + self.carry


def main() -> None:
    source, again = Path(sys.argv[1]), sys.argv[2] == "again"
    began = time.perf_counter()
    from benchmarks.installation.installed import NAMESPACE, wanted
    from maas.cli.facts import asked
    from maas.cluster.applying import carry_out
    from maas.cluster.connection import connect
    from maas.cluster.facts import live
    from maas.cluster.plan.planning import plan
    from maas.readiness.catalogue import checks
    from maas.readiness.judging import judge
    from tests.kubernetes.applying.stage import Heard, NoHelm, Patient, yes

    list(checks())
    loaded = time.perf_counter()

    async def run() -> Phases:
        async with connect(kubeconfig=source) as api:
            facts = await live.read(api, deadline=600, ours=True)
            read = time.perf_counter()
            judge(facts, asked(facts, models=["simulator"]))
            judged = time.perf_counter()
            made = plan(wanted(facts, NAMESPACE if again else "maas-other"), facts)
            planned = time.perf_counter()
            if again:
                await carry_out(made, api, NoHelm(), Heard(), Patient(), timeout=60, ask=yes)
            done = time.perf_counter()
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            seconds = (loaded - began, read - loaded, judged - read, planned - judged, done - planned)
            actions = sum(len(step.actions) for step in made.steps)
            return Phases(*seconds, api.traffic.calls, len(made.steps), actions, memory)

    print(json.dumps(asdict(asyncio.run(run()))))


if __name__ == "__main__":
    main()
