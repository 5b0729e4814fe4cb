"""Trying a plan out: the server is given each object as a dry run, so schemas, webhooks, quotas and rights all speak.

What cannot be tried yet is said to be so: objects of kinds that an earlier step brings, and what webhooks refuse to
judge in a dry run. An object whose namespace is yet to be made is tried in the namespace `default`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from maas.cluster import kinds, manifests
from maas.cluster.api import Api
from maas.cluster.applying import objects
from maas.cluster.applying.acting import described, of_platform
from maas.cluster.changes import Change, Verb
from maas.cluster.failures import Missing
from maas.cluster.helm import Helm
from maas.cluster.helm_failures import HelmFailed
from maas.cluster.objects import Object, mapping, name, namespace, place, text
from maas.cluster.plan.comparing import is_ours, marked
from maas.cluster.plan.model import Action, Apply, Chart, Delete, Manifest, Mark, Plan, Release, Restart, Step
from maas.domain.errors import MaasError

_ELSEWHERE = "default"


class Outcome(StrEnum):
    accepted = "accepted"
    refused = "refused"
    later = "later"  # it cannot be tried before other steps are done


@dataclass(frozen=True)
class Rehearsed:
    """about: "Gateway llm/maas-gateway". why: the refusal, or what keeps it from being tried, or where it was tried.

    before, after: the object as it is, and as the server would have it, where it was tried.
    """

    step: Step = field(repr=False)  # what objects hold may be secret
    action: Action = field(repr=False)
    about: str
    outcome: Outcome
    why: str = ""
    before: Object | None = field(default=None, repr=False)
    after: Object | None = field(default=None, repr=False)


async def rehearse(
    plan: Plan, api: Api, helm: Helm | None = None, *, now: float, mirror: Path | None = None
) -> list[Rehearsed]:
    """In the plan's order. helm: None leaves charts untried. Raises nothing: what fails is an outcome."""
    rehearsal = _Rehearsal(api, helm, now, mirror, frozenset(_namespaces(plan)))
    found = await asyncio.gather(*(rehearsal.of(step, action) for step in plan.steps for action in step.actions))
    return [each for some in found for each in some]


def _namespaces(plan: Plan) -> list[str]:
    actions = [action for step in plan.steps for action in step.actions]
    return [name(a.object) for a in actions if isinstance(a, Apply) and text(a.object, "kind") == "Namespace"]


@dataclass(frozen=True)
class _Rehearsal:
    api: Api
    helm: Helm | None
    now: float
    mirror: Path | None
    coming: frozenset[str]  # namespaces that the plan makes

    async def of(self, step: Step, action: Action) -> Sequence[Rehearsed]:
        match action:
            case Apply():
                return [await self._apply(step, action, action.object)]
            case Release():
                return [await self._tried(step, action, applying(action.object))]
            case Chart():
                return [await self._chart(step, action)]
            case Manifest():
                return await self._manifest(step, action)
            case Restart():
                return [
                    await self._tried(step, action, Change(Verb.restart, action.kind, action.name, action.namespace))
                ]
            case Delete():
                return [
                    await self._tried(step, action, Change(Verb.delete, action.kind, action.name, action.namespace))
                ]
            case Mark():
                patch = Change(Verb.patch, action.kind, action.name, action.namespace, action.patch)
                return [await self._tried(step, action, patch)]
        return [Rehearsed(step, action, described(action), Outcome.later, "there is nothing to try it with")]

    async def _apply(self, step: Step, action: Action, wanted: Object) -> Rehearsed:
        about, where = shown(wanted), namespace(wanted)
        try:
            before = await objects.one(self.api, kinds.of(wanted), name(wanted), where)
        except MaasError as error:
            return Rehearsed(step, action, about, Outcome.refused, str(error))
        if before is not None and not is_ours(before) and isinstance(action, Apply) and not action.adopt:
            why = "it is there already and not ours: left alone"
            return Rehearsed(step, action, about, Outcome.accepted, why, before, before)
        if before is None and isinstance(action, Apply) and action.brought:
            return Rehearsed(step, action, about, Outcome.later, "the chart before it makes it")
        ours = before is None or is_ours(before)
        found = replace(await self._tried(step, action, applying(marked(wanted, ours=ours)), about), before=before)
        if found.outcome is not Outcome.later or where not in self.coming or where not in found.why:
            return found
        return await self._elsewhere(step, action, wanted)

    async def _elsewhere(self, step: Step, action: Action, wanted: Object) -> Rehearsed:
        moved = {**wanted, "metadata": {**mapping(wanted, "metadata"), "namespace": _ELSEWHERE}}
        found = await self._tried(step, action, applying(marked(moved, ours=True)), shown(wanted))
        if found.outcome is not Outcome.accepted:
            return found
        why = f"tried in namespace {_ELSEWHERE}: {namespace(wanted)} is yet to be made"
        return replace(found, why=why, after=marked(wanted, ours=True))

    async def _tried(self, step: Step, action: Action, change: Change, about: str = "") -> Rehearsed:
        about = about or described(action)
        try:
            after = await self.api.carry_out(change, dry_run=True, now=self.now)
        except Missing as missing:
            return Rehearsed(step, action, about, Outcome.later, _missing(missing, change))
        except MaasError as error:
            if "does not support dry run" in str(error):
                return Rehearsed(step, action, about, Outcome.later, f"a webhook judges no dry runs: {error}")
            return Rehearsed(step, action, about, Outcome.refused, str(error))
        return Rehearsed(step, action, about, Outcome.accepted, after=after)

    async def _manifest(self, step: Step, manifest: Manifest) -> Sequence[Rehearsed]:
        try:
            found = await manifests.objects(manifest, self.mirror)
        except MaasError as error:
            return [Rehearsed(step, manifest, described(manifest), Outcome.refused, str(error))]
        return await asyncio.gather(*(self._apply(step, manifest, of_platform(each)) for each in found))

    async def _chart(self, step: Step, chart: Chart) -> Rehearsed:
        about = described(chart)
        if self.helm is None:
            return Rehearsed(step, chart, about, Outcome.later, "there is no helm to try it with")
        try:
            await self.helm.upgrade_install(chart, dry_run=True)
        except HelmFailed as failed:
            untold = "no matches for kind" in failed.words or "ensure CRDs are installed first" in failed.words
            why = "it needs kinds that come with an earlier step" if untold else str(failed)
            return Rehearsed(step, chart, about, Outcome.later if untold else Outcome.refused, why)
        except MaasError as error:
            return Rehearsed(step, chart, about, Outcome.refused, str(error))
        return Rehearsed(step, chart, about, Outcome.accepted)


def applying(wanted: Object) -> Change:
    return Change(Verb.apply, kinds.of(wanted), name(wanted), namespace(wanted), wanted)


def shown(wanted: Object) -> str:
    return f"{text(wanted, 'kind')} {place(wanted)}"


def _missing(missing: Missing, change: Change) -> str:
    if not missing.object_named:
        return f"the cluster does not serve {change.kind.key} yet: it comes with an earlier step"
    if change.verb is Verb.apply:
        return f"namespace {change.namespace} is not there yet: an earlier step makes it"
    return "it is not there yet"
