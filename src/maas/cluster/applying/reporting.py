"""From an error to a report: which object, what was found of it, what is behind that, and what to do."""

from dataclasses import dataclass, replace

from maas.cluster import kinds
from maas.cluster.api import Api
from maas.cluster.applying import explaining, refusals, surroundings
from maas.cluster.applying.acting import NotDone, described
from maas.cluster.applying.failure import Report
from maas.cluster.applying.surroundings import Surroundings, ago
from maas.cluster.applying.told import Clock
from maas.cluster.applying.waiting import GaveUp
from maas.cluster.facts.redaction import REDACTED, scrubbed
from maas.cluster.kinds import Kind
from maas.cluster.objects import mapping, name, namespace, text
from maas.cluster.plan.model import Action, Apply, Approve, Chart, Delete, Mark, Restart, Step
from maas.domain.errors import MaasError

_OVER = "; then the time for all steps was over"


@dataclass
class Reporting:
    api: Api
    clock: Clock

    async def report(self, step: Step, error: NotDone | GaveUp | MaasError, others: tuple[str, ...]) -> Report:
        match error:
            case NotDone():
                return replace(await self._of_action(step, error), others=others)
            case GaveUp():
                return replace(await self._of_wait(step, error), others=others)
        explained = refusals.explained(error, None, "", "")
        remedies, commands = explained.remedies, explained.commands
        found = scrubbed(str(error))
        return Report(step, step.title, step.title, found, explained.cause, (), (), remedies, commands, others)

    async def _of_action(self, step: Step, error: NotDone) -> Report:
        about = _object(error.action)
        seen = Surroundings()
        explained = explaining.of_refusal(error.action, error.cause)
        return Report(
            step,
            described(error.action),
            _doing(error.action) + (_OVER if error.cut_short else ""),
            _without_values(error.action, scrubbed(error.said)),
            explained.cause,
            self._events(seen),
            remedies=(error.advice, *explained.remedies) if error.advice else explained.remedies,
            commands=explained.commands or (_describe(*about) if about else ()),
            cut_short=error.cut_short,
        )

    async def _of_wait(self, step: Step, error: GaveUp) -> Report:
        wait = error.wait
        seen = await surroundings.around(self.api, wait.kind, wait.name, wait.namespace)
        explained = explaining.of_wait(wait, error.seen, seen)
        where = f"{wait.namespace}/" if wait.namespace else ""
        how_long = "no waiting will help" if error.hopeless else f"waited {ago(error.seconds)} for it"
        how_long += _OVER if error.cut_short else ""
        return Report(
            step,
            f"{wait.kind.name} {where}{wait.name}",
            f"{wait.what}; {how_long}",
            scrubbed(error.seen.why),
            explained.cause,
            self._events(seen),
            tuple(seen.logs),
            explained.remedies,
            explained.commands or _describe(wait.kind, wait.name, wait.namespace),
            cut_short=error.cut_short,
        )

    def _events(self, seen: Surroundings) -> tuple[str, ...]:
        return tuple(surroundings.told(each, self.clock.time()) for each in seen.events)


def _without_values(action: Action, said: str) -> str:
    """Servers repeat what they do not take."""
    if isinstance(action, Apply) and text(action.object, "kind") == "Secret":
        for part in ("data", "stringData"):
            for value in mapping(action.object, part).values():
                said = said.replace(str(value), REDACTED) if value else said
    return said


def _object(action: Action) -> tuple[Kind, str, str] | None:
    match action:
        case Apply():
            return kinds.of(action.object), name(action.object), namespace(action.object)
        case Restart() | Delete() | Mark():
            return action.kind, action.name, action.namespace
        case Approve():
            return kinds.SUBSCRIPTION, action.subscription, action.namespace
    return None


def _doing(action: Action) -> str:
    match action:
        case Chart():
            return f"{described(action)} with chart {action.chart} {action.version}"
        case Restart():
            return f"restart {described(action)}: {action.why}"
        case Delete():
            return f"delete {described(action)}"
        case Approve():
            return f"the InstallPlan of {described(action)} is approved"
    return f"apply {described(action)}"


def _describe(kind: Kind, named: str, where: str) -> tuple[str, ...]:
    return (f"kubectl describe {kind.key} {named}" + (f" -n {where}" if where else ""),)
