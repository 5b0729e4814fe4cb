"""What is left to do: the steps that are wanted, without what the facts show to be done.

Pure: facts in, plan out. Of the same facts that the preflight checks judged, so nothing is read twice. What was not
read counts as not done: an action too many changes nothing, one too few leaves a platform that does not work.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from maas.cluster import helm, kinds, manifests
from maas.cluster.components import steps as components
from maas.cluster.facts.model import Facts, NotRead, Unread
from maas.cluster.kinds import RELEASE, SUBSCRIPTION
from maas.cluster.objects import name, namespace, place, text
from maas.cluster.plan import pruning, upgrading
from maas.cluster.plan.comparing import is_as_wanted, is_ours
from maas.cluster.plan.lookup import Lookup, Unknown, is_going
from maas.cluster.plan.model import (
    Action,
    Apply,
    Approve,
    Chart,
    Delete,
    Manifest,
    Plan,
    Restart,
    Stage,
    Step,
    Wait,
)
from maas.cluster.plan.ordering import bridged, ordered
from maas.cluster.resources import steps as resources
from maas.cluster.resources import whereabouts
from maas.cluster.wanted import Wanted


def plan(wanted: Wanted, facts: Facts, *, prune: bool = True) -> Plan:
    """prune: what we made and is no longer wanted is deleted. Raises InvalidInput for what no cluster can give."""
    return reduced(every_step(wanted), facts, wanted.namespace if prune else "")


def upgrade(wanted: Wanted, facts: Facts) -> Plan:
    """As plan, and what we installed of the components is brought to the pinned versions."""
    return reduced(every_step(wanted), facts, wanted.namespace, upgrade=True)


def every_step(wanted: Wanted) -> list[Step]:
    """As for an empty cluster. Raises InvalidInput."""
    found = [*components.steps(wanted), *resources.steps(wanted)]
    whereabouts.require(wanted, found)
    return found


def reduced(steps: Sequence[Step], facts: Facts, pruned: str = "", *, upgrade: bool = False) -> Plan:
    """pruned: the namespace in which what is no longer wanted is deleted; "" for none."""
    steps = ordered(steps)
    judged = _Judged(Lookup.of(facts), facts, upgrade)
    left = {step.key: judged.left(step) for step in steps}
    judged.busy = {key for key, actions in left.items() if actions}
    kept = [
        judged.named(replace(step, actions=found))
        for step in steps
        if (found := judged.with_restarts(step)) or judged.waits(step)
    ]
    result = bridged(steps, kept)
    if pruned:
        result = pruning.with_deletions(result, steps, judged.lookup, pruned)
    return Plan(ordered(result), tuple(dict.fromkeys(judged.notes)))


@dataclass
class _Judged:
    lookup: Lookup
    facts: Facts
    upgrade: bool
    busy: set[str] = field(default_factory=set)  # keys of steps that change something
    notes: list[str] = field(default_factory=list)

    def left(self, step: Step) -> list[Action]:
        """Restarts apart: whether they are needed depends on the other steps."""
        return [each for each in step.actions if not isinstance(each, Restart) and not self._is_done(each, step)]

    def with_restarts(self, step: Step) -> tuple[Action, ...]:
        left = self.left(step)
        return tuple(
            each for each in step.actions if (self._is_due(each) if isinstance(each, Restart) else each in left)
        )

    def named(self, step: Step) -> Step:
        """With the version that a chart of it would take the place of."""
        records = self.facts.lists.get(RELEASE.key)
        known = () if records is None or isinstance(records, Unread) else records
        olds = {upgrading.installed(each, known) for each in step.actions if isinstance(each, Chart)}
        news = {each.version for each in step.actions if isinstance(each, Chart)}
        old = ", ".join(sorted(each.removeprefix("v") for each in olds - news if each))
        return replace(step, title=f"{step.title} (in place of {old})") if old else step

    def waits(self, step: Step) -> bool:
        """Whether something that was read is not as far as it should be."""
        return any(self._stage(wait) is Stage.waiting for wait in step.waits)

    def _stage(self, wait: Wait) -> Stage | None:
        """None: nobody knows."""
        if wait.tried is not None:
            return None
        found = self.lookup.find(wait.kind, wait.name, wait.namespace)
        if isinstance(found, Unknown):
            return None
        seen = wait.until(found)
        return Stage.done if seen.stage is Stage.done or seen.enough else Stage.waiting

    def _is_done(self, action: Action, step: Step) -> bool:
        match action:
            case Apply():
                return self._is_applied(action)
            case Chart():
                return self._is_released(action)
            case Manifest():
                return self._told(lambda facts: manifests.is_current(action, facts)) or self._stays(action, step)
            case Approve():
                return self._is_installed(action)
            case Delete():
                return self.lookup.find(action.kind, action.name, action.namespace) is None
        return False

    def _is_applied(self, apply: Apply) -> bool:
        wanted = apply.object
        found = self.lookup.find(kinds.of(wanted), name(wanted), namespace(wanted))
        if found is None or isinstance(found, Unknown) or is_going(found):
            return False
        if not apply.adopt and not is_ours(found):
            self.notes.append(f"{text(wanted, 'kind')} {place(wanted)} is there and not ours: it is left alone")
            return True
        return is_as_wanted(wanted, found)

    def _is_released(self, chart: Chart) -> bool:
        records = self.facts.lists.get(RELEASE.key)
        if records is None or isinstance(records, Unread):
            return False
        if helm.is_current(chart, records):
            return True
        found = upgrading.installed(chart, records)
        if not found or found == chart.version or (self.upgrade and not upgrading.is_newer(found, chart.version)):
            return False
        self.notes.append(upgrading.kept(chart, found))
        return True

    def _stays(self, manifest: Manifest, step: Step) -> bool:
        """All of it is there, in another version: only an upgrade changes it."""
        if self.upgrade or not step.waits or any(self._stage(wait) is not Stage.done for wait in step.waits):
            return False
        self.notes.append(f"{manifest.name}: the version that is installed stays; `maas upgrade` changes it")
        return True

    def _is_installed(self, approve: Approve) -> bool:
        found = self.lookup.find(SUBSCRIPTION, approve.subscription, approve.namespace)
        if found is None or isinstance(found, Unknown) or not text(found, "status", "installedCSV"):
            return False
        return not (self.upgrade and text(found, "status", "state") == "UpgradePending")

    def _is_due(self, restart: Restart) -> bool:
        if not self.busy.isdisjoint(restart.spared):
            return False
        return not self.busy.isdisjoint(restart.after) or bool(restart.stale and self._told(restart.stale))

    def _told(self, asked: Callable[[Facts], bool]) -> bool:
        """What nobody has read says no."""
        try:
            return asked(self.facts)
        except NotRead:
            return False
