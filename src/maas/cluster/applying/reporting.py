"""From an error to a report: which object, which condition, what is behind it, and what to do."""

from dataclasses import dataclass

from maas.cluster.api import Api
from maas.cluster.applying.acting import NotDone
from maas.cluster.applying.failure import Report
from maas.cluster.applying.told import Clock
from maas.cluster.applying.waiting import GaveUp
from maas.cluster.plan.model import Step
from maas.domain.errors import MaasError


@dataclass
class Reporting:
    api: Api
    clock: Clock

    async def report(self, step: Step, error: NotDone | GaveUp | MaasError, others: tuple[str, ...]) -> Report:
        match error:
            case NotDone():
                return Report(step, error.about, f"applying {error.about}", str(error.cause), others=others)
            case GaveUp():
                where = f"{error.wait.namespace}/" if error.wait.namespace else ""
                about = f"{error.wait.kind.name} {where}{error.wait.name}"
                return Report(step, about, f"{error.wait.what}: not so", error.seen.why, others=others)
        return Report(step, step.title, step.title, str(error), others=others)
