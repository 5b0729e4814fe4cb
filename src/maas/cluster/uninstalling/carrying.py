"""Carrying a removal out, in two turns: what is in namespaces is looked at once more before they go."""

from collections.abc import Sequence
from dataclasses import replace

from maas.cluster import applying
from maas.cluster.api import Api
from maas.cluster.applying import Clock, Told
from maas.cluster.helm import Helm
from maas.cluster.plan.model import Plan
from maas.cluster.uninstalling.finding import find
from maas.cluster.uninstalling.model import Removal, Stay
from maas.cluster.uninstalling.removal import KEPT, NAMESPACES, removal_of


async def carry_out(
    removal: Removal,
    api: Api,
    helm: Helm,
    told: Told,
    clock: Clock,
    *,
    timeout: float,  # noqa: ASYNC109  # it ends waits in words, as that of applying.carry_out
) -> Sequence[Stay]:
    """What stays in the end, and why. Raises StepFailed, after which it can be begun again, from find() on.

    Of kinds that are kept, nothing tells any more whose they were: that they stay is known from before.
    """
    end = clock.monotonic() + timeout
    first = Plan([step for step in removal.plan.steps if step.key != NAMESPACES], removal.plan.notes)
    await applying.carry_out(first, api, helm, told, clock, timeout=timeout, ask=_nobody)
    again = removal_of(
        await find(api, helm),
        keep_crds=removal.keep_crds,
        keep_operators=removal.keep_operators,
        home=removal.home,
    )
    last = [replace(step, needs=()) for step in again.plan.steps if step.key == NAMESPACES]
    left = max(1.0, end - clock.monotonic())
    await applying.carry_out(Plan(last), api, helm, told, clock, timeout=left, ask=_nobody)
    return [*again.stays, *(each for each in removal.stays if each.why == KEPT and each not in again.stays)]


async def _nobody(question: str) -> bool:
    """Whoever calls has asked before."""
    return True
