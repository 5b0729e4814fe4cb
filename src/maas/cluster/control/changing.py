"""maas.yaml is changed on a cluster: a plan is made of the new one, and carried out.

Only our own objects are touched. What the platform stands on (Istio, Kuadrant, KServe) is `maas install`'s to change,
which asks before.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from maas.cluster import applying, certificate_files, gpus, sites
from maas.cluster.api import Api
from maas.cluster.applying import Told
from maas.cluster.document import Document
from maas.cluster.facts import live
from maas.cluster.facts.model import NotRead
from maas.cluster.helm import Helm
from maas.cluster.nodes import GPU
from maas.cluster.objects import Object, items, mapping, name, namespace
from maas.cluster.plan import planning
from maas.cluster.plan.model import Action, Apply, Plan, Step, Wait
from maas.cluster.resources import own_certificate
from maas.cluster.resources import steps as resources
from maas.cluster.wanted import Site, Target, Wanted
from maas.domain import platform_file
from maas.domain.errors import InvalidInput, InvalidPlatform, MaasError, Unavailable

_MODELS = "models"  # the step
_READING = 60.0  # seconds
PATIENCE = 1800.0
Watch = Callable[[Plan], AbstractContextManager[Told]]


class Silent:
    """Of applying.Told."""

    def begun(self, step: Step) -> None: ...
    def acted(self, step: Step, action: Action, note: str) -> None: ...
    def noted(self, step: Step, text: str) -> None: ...
    def waiting(self, step: Step, wait: Wait, why: str, seconds: float) -> None: ...
    def done(self, step: Step, seconds: float) -> None: ...
    def failed(self, step: Step, message: str) -> None: ...
    def stopped(self, done: Sequence[Step], under_way: Sequence[Step]) -> None: ...


class Clock:
    """Of applying: the machine's own."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def silently(_: Plan) -> AbstractContextManager[Told]:
    return nullcontext(Silent())


def checked(document: Document, target: Target, namespace: str) -> Wanted:
    """As far as it can be judged without the cluster. Raises InvalidPlatform with all that a cluster cannot give."""
    wanted = _wanted(document, Site(target), namespace)
    _steps(wanted)
    return wanted


async def change(
    api: Api, document: Document, within: str, watch: Watch = silently, given: Collection[str] | None = None
) -> None:
    """Returns when it is in force. Raises MaasError.

    within: the platform's namespace. given: the models whose entries whoever asks has given; None for all.
    """
    facts = await live.read(api, deadline=_READING, tools=False, ours=True)
    try:
        wanted = _with_credentials(_wanted(document, sites.of(facts, within), within), given)
        plan = _without_others(planning.reduced(_steps(wanted), facts, within))
        has_gpus = bool(gpus.with_gpus(facts))
    except NotRead as missing:
        raise Unavailable(f"what has to be known first was not read: {missing}") from None
    await certificate_files.require_there(api, wanted)
    if plan.is_empty:
        return
    with watch(plan) as told:
        if not has_gpus:
            _tell_of_gpus(told, plan)
        await applying.carry_out(plan, api, Helm(api), told, Clock(), timeout=PATIENCE, ask=_never)


def _without_others(plan: Plan) -> Plan:
    """A change is in force when the models that it touches are ready: nobody who removes one waits for another.

    Without any change, as after one that was cut short, all are waited for.
    """
    touched = {
        (name(each.object), namespace(each.object))
        for step in plan.steps
        for each in step.actions
        if isinstance(each, Apply)
    }
    if not any(step.actions for step in plan.steps):
        return plan
    steps = [
        replace(step, waits=tuple(each for each in step.waits if (each.name, each.namespace) in touched))
        if step.key == _MODELS
        else step
        for step in plan.steps
    ]
    return replace(plan, steps=[step for step in steps if step.actions or step.waits])


def _tell_of_gpus(told: Told, plan: Plan) -> None:
    """Nodes with GPUs may come when they are asked for: so it is said, not refused."""
    for step in plan.steps:
        asking = [name(each.object) for each in step.actions if isinstance(each, Apply) and _asks_for_gpus(each.object)]
        if asking:
            told.noted(step, f"no node has a GPU now: {', '.join(asking)} will wait until one has")


def _asks_for_gpus(model: Object) -> bool:
    containers = items(model, "spec", "predictor", "containers")
    return any(GPU in mapping(each, "resources", "requests") for each in containers)


def _wanted(document: Document, site: Site, namespace: str) -> Wanted:
    return Wanted(
        platform_file.load(document.text),
        replace(site, domain=document.domain or site.domain),
        namespace,
        document.tokens_only,
        document.metrics,
        document.gpu_operator,
        document.text,
    )


def _with_credentials(wanted: Wanted, given: Collection[str] | None = None) -> Wanted:
    """What can be read here of the files that maas.yaml names; for the rest, the Secret that is there stays.

    Only of models that were given: what stands on the cluster may have been written by somebody who may change a
    ConfigMap there, and wants a file of this machine. Raises InvalidInput where the file of one of them is away.
    """
    models = [model for model in wanted.platform.models.values() if given is None or model.name in given]
    servers = [server for model in models for server in model.endpoints]
    found: dict[str, str] = {}
    for file in sorted({server.api_key_file for server in servers if server.api_key_file}):
        try:
            found[file] = Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            if given is not None:  # it is new: there is no Secret of it yet, and its gateway would wait for one
                reason = error.strerror if isinstance(error, OSError) else "it is no text"
                raise InvalidInput(f"the key of the endpoint is to be read from {file}: {reason}") from None
    if given is None:
        found |= _certificate(wanted)
    read = replace(wanted, credentials=found)
    certificate_files.require_usable(read, time.time())
    return read


def _certificate(wanted: Wanted) -> dict[str, str]:
    """The gateway's own, with its key, where both are here."""
    try:
        return {file: Path(file).read_text("utf-8") for file in own_certificate.files(wanted)}
    except (OSError, UnicodeDecodeError):
        return {}


def _steps(wanted: Wanted) -> list[Step]:
    try:
        return resources.steps(wanted)
    except InvalidPlatform:
        raise
    except MaasError as error:
        raise InvalidPlatform(str(error).splitlines()) from None


async def _never(question: str) -> bool:
    return False
