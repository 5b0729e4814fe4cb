"""Doing the actions of a step, one after another. Every write may be done twice, and is finished once begun.

Whose an object is, is looked at right before it is written, for steps before this one may have made it: what is not
there becomes ours, what is others' is adopted field by field or left alone. A server or a webhook that does not answer
is waited for; an object that is just being deleted is let go first.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from maas.cluster import kinds, manifests
from maas.cluster.api import Api
from maas.cluster.applying import objects, retrying
from maas.cluster.applying.told import Ask, Clock, Told
from maas.cluster.changes import Change, Verb
from maas.cluster.components import approval
from maas.cluster.failures import Missing
from maas.cluster.helm import Helm
from maas.cluster.helm_failures import HelmFailed
from maas.cluster.kinds import INSTALL_PLAN, SUBSCRIPTION
from maas.cluster.objects import Object, flag, mapping, name, namespace, place, text
from maas.cluster.plan.comparing import is_as_wanted, is_ours, marked
from maas.cluster.plan.conditions import gone, installed
from maas.cluster.plan.lookup import is_going
from maas.cluster.plan.model import (
    Action,
    Apply,
    Approve,
    Chart,
    Delete,
    Manifest,
    Mark,
    Release,
    Restart,
    Stage,
    Step,
    Uninstall,
)
from maas.cluster.wanted import PART_OF
from maas.domain.errors import MaasError, Unavailable

T = TypeVar("T")
_PATIENCE = 300.0  # seconds for what is being deleted to be gone
_FIRST, _GROWTH, _LONGEST = 0.5, 1.6, 5.0  # seconds between attempts
WHOLE, HURRIED = 60.0, 10.0  # seconds that a write which was begun gets to end when another fails, and at Ctrl-C


class NotDone(Exception):
    """An action that failed. about: the object or the chart; cause: what the server said, and said its words.

    advice: what to do, where it comes with them.
    cut_short: it would have been tried again, and the time of all steps was over.
    """

    def __init__(self, action: Action, about: str, cause: MaasError, *, cut_short: bool = False) -> None:
        self.said, self.advice = (cause.said, cause.advice) if isinstance(cause, HelmFailed) else (str(cause), "")
        super().__init__(f"{about}: {self.said}")
        self.action, self.about, self.cause, self.cut_short = action, about, cause, cut_short


class _CutShort(Exception):
    def __init__(self, cause: MaasError) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass
class Acting:
    """end: of the clock's monotonic time. mirror: a folder to take manifests from, instead of the network.

    leave: seconds that a write which was begun gets to end when we are stopped.
    """

    api: Api
    helm: Helm
    told: Told
    clock: Clock
    ask: Ask
    end: float
    mirror: Path | None = None
    leave: float = WHOLE
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)  # one question at a time

    async def do(self, step: Step, action: Action) -> None:
        """Raises NotDone."""
        try:
            note = await self._do(step, action)
        except MaasError as error:
            raise NotDone(action, described(action), error) from None
        except _CutShort as late:
            raise NotDone(action, described(action), late.cause, cut_short=True) from None
        self.told.acted(step, action, note)

    async def _do(self, step: Step, action: Action) -> str:
        match action:
            case Apply():
                return await self._apply(step, action)
            case Chart():
                noted = partial(self.told.noted, step)
                await self._again(step, lambda: self.helm.upgrade_install(action, noted=noted))
            case Manifest():
                await self._manifest(step, action)
            case Restart():
                await self._write(step, Change(Verb.restart, action.kind, action.name, action.namespace))
            case Approve():
                return await self._approve(step, action)
            case Delete():
                return await self._delete(step, action)
            case Uninstall():
                await self._again(step, lambda: self._uninstall(action))
            case Mark():
                change = Change(Verb.patch, action.kind, action.name, action.namespace, action.patch)
                return await self._unless_gone(step, change)
            case Release():
                return await self._unless_gone(step, _applying(action.object))
        return ""

    async def _apply(self, step: Step, apply: Apply) -> str:
        wanted = apply.object
        found = await self._there(step, wanted)
        if found is not None and not is_ours(found):
            if not apply.adopt:
                return "it is there already and not ours: left alone"
            if is_as_wanted(wanted, found):
                return "it is there already"
        ours = found is None or is_ours(found)
        await self._write(step, _applying(marked(wanted, ours=ours)))
        return "made" if found is None else "" if ours else "it was there already: only what we need was set"

    async def _manifest(self, step: Step, manifest: Manifest) -> None:
        """In the order given: what tells a later plan that all are there comes last."""
        for each in await manifests.objects(manifest, self.mirror):
            found = await self._there(step, each)
            ours = found is None or is_ours(found)
            await self._write(step, _applying(marked(of_platform(each), ours=ours)))

    async def _approve(self, step: Step, approve: Approve) -> str:
        plan = await self._install_plan(step, approve)
        if plan is None or flag(plan, "spec", "approved") or text(plan, "spec", "approval") != "Manual":
            return "nothing waits for approval"
        called, held = name(plan), ", ".join(approval.holds(plan))
        if refused := approval.refusal(plan):
            raise Unavailable(refused)
        async with self.asking:
            agreed = await self.ask(approval.question(plan, approve.subscription, approve.why))
        if not agreed:
            raise Unavailable(f"InstallPlan {approve.namespace}/{called} was not approved: {held} is not installed")
        body = {"spec": {"approved": True}}
        await self._write(step, Change(Verb.patch, INSTALL_PLAN, called, approve.namespace, body))
        return f"InstallPlan {called} approved"

    async def _install_plan(self, step: Step, approve: Approve) -> Object | None:
        """OLM takes up to a minute to make one. None: none is needed, or none will come, as the step's waits tell."""
        end, pause = min(self.clock.monotonic() + _PATIENCE, self.end), _FIRST
        while self.clock.monotonic() < end:
            subscription = await self._look(step, SUBSCRIPTION, approve.subscription, approve.namespace)
            called = text(subscription, "status", "installPlanRef", "name")
            plan = await self._look(step, INSTALL_PLAN, called, approve.namespace) if called else None
            if plan is not None or installed(subscription).stage is not Stage.waiting:
                return plan
            await self.clock.sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST)
        return None

    async def _delete(self, step: Step, delete: Delete) -> str:
        if delete.if_ours:
            found = await self._look(step, delete.kind, delete.name, delete.namespace)
            if found is not None and not is_ours(found):
                return "it is not ours any more: left alone"
        return await self._unless_gone(step, Change(Verb.delete, delete.kind, delete.name, delete.namespace))

    async def _unless_gone(self, step: Step, change: Change) -> str:
        """The object, or its whole kind."""

        async def work() -> str:
            try:
                await self.api.carry_out(change, dry_run=False, now=self.clock.time())
            except Missing:
                return "it has gone already"
            return ""

        return await self._again(step, work)

    async def _uninstall(self, release: Uninstall) -> None:
        await self.helm.uninstall(release.release, release.namespace, keep_crds=release.keep_crds)

    async def _there(self, step: Step, wanted: Object) -> Object | None:
        """What is being deleted is let go. What is written into it until then would go with it."""
        kind, called, where = kinds.of(wanted), name(wanted), namespace(wanted)
        end, pause, told = min(self.clock.monotonic() + _PATIENCE, self.end), _FIRST, False
        found = await self._look(step, kind, called, where)
        while found is not None and is_going(found):
            if not told:
                self.told.noted(step, f"{kind.name} {called} is being deleted: waiting until it has gone")
                told = True
            if self.clock.monotonic() >= end:
                stays = Unavailable(f"{kind.name} {called} does not go: {gone(found).why}")
                raise _CutShort(stays) if end == self.end else stays
            await self.clock.sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST)
            found = await self._look(step, kind, called, where)
        return found

    async def _look(self, step: Step, kind: kinds.Kind, called: str, where: str) -> Object | None:
        return await self._again(step, lambda: objects.one(self.api, kind, called, where))

    async def _write(self, step: Step, change: Change) -> None:
        await self._again(step, lambda: self.api.carry_out(change, dry_run=False, now=self.clock.time()))

    async def _again(self, step: Step, work: Callable[[], Awaitable[T]]) -> T:
        """Until it is done, or fails for good, or has failed for too long. Raises MaasError."""
        began, pause, told = self.clock.monotonic(), _FIRST, ""
        while True:
            try:
                return await self._whole(work())
            except MaasError as error:
                now = self.clock.monotonic()
                if now >= began + retrying.patience(error):
                    raise
                if now >= self.end:
                    raise _CutShort(error) from None
                if (why := retrying.told(error)) != told:
                    self.told.noted(step, why)
                    told = why
            await self.clock.sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST)

    async def _whole(self, work: Awaitable[T]) -> T:
        """Stopped meanwhile, what was begun is still let end: nobody has to wonder whether it was done."""
        task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=self.leave)
            task.cancel()
            raise


def _applying(wanted: Object) -> Change:
    return Change(Verb.apply, kinds.of(wanted), name(wanted), namespace(wanted), wanted)


def of_platform(object: Object) -> Object:
    metadata = mapping(object, "metadata")
    return {**object, "metadata": {**metadata, "labels": {**mapping(metadata, "labels"), PART_OF: "maas"}}}


def described(action: Action) -> str:
    """ "Gateway llm/maas-gateway", "Helm release cert-manager/cert-manager"."""
    match action:
        case Apply():
            return f"{text(action.object, 'kind')} {place(action.object)}"
        case Release():
            return f"{text(action.object, 'kind')} {place(action.object)}"
        case Chart() | Uninstall():
            return f"Helm release {action.namespace}/{action.release}"
        case Manifest():
            return f"manifest {action.name}"
        case Approve():
            return f"Subscription {action.namespace}/{action.subscription}"
        case Restart() | Delete() | Mark():
            where = f"{action.namespace}/" if action.namespace else ""
            return f"{action.kind.name} {where}{action.name}"
