"""What there is of a platform on a cluster, and how each part of it is."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maas.cluster import kinds
from maas.cluster.api import Api, path_of
from maas.cluster.failures import Missing
from maas.cluster.kinds import Kind
from maas.cluster.objects import Object
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Seen, Stage, Until
from maas.cluster.resources import auth_policy, external, names, rate_limits
from maas.cluster.wanted import GATEWAY, KUADRANT
from maas.domain.errors import MaasError
from maas.domain.platform import Model, Platform
from maas.domain.reports import ModelState

OK = "ok"
_WORDS = {Stage.done: "ready", Stage.waiting: "starting", Stage.hopeless: "failed"}


@dataclass(frozen=True)
class Part:
    """What `maas status` shows a line of."""

    name: str
    kind: Kind
    object: str
    namespace: str
    until: Until


def parts(namespace: str, tokens_only: bool) -> list[Part]:
    limits = [] if tokens_only else [("limits of requests", kinds.RATE_LIMIT_POLICY, rate_limits.REQUESTS)]
    limits += [("limits of tokens", kinds.TOKEN_RATE_LIMIT_POLICY, rate_limits.TOKENS)]
    enforced = [("keys", kinds.AUTH_POLICY, auth_policy.NAME), *limits]
    return [
        Part("gateway", kinds.GATEWAY, GATEWAY, namespace, conditions.programmed()),
        *(Part(name, kind, object, namespace, conditions.enforced) for name, kind, object in enforced),
        Part("authorino", kinds.DEPLOYMENT, "authorino", KUADRANT, conditions.available),
        Part("limitador", kinds.DEPLOYMENT, "limitador-limitador", KUADRANT, conditions.available),
    ]


async def health(api: Api, wanted: Sequence[Part]) -> dict[str, str]:
    """By name: "ok", or what is wrong. What cannot be asked for is said, too."""
    found = await asyncio.gather(*(_seen(api, part) for part in wanted))
    return {part.name: said for part, said in zip(wanted, found, strict=True)}


async def _seen(api: Api, part: Part) -> str:
    try:
        seen = part.until(await get(api, part.kind, part.namespace, part.object))
    except MaasError as error:
        return str(error)
    return OK if seen.stage is Stage.done or seen.enough else seen.why


async def models(api: Api, platform: Platform, namespace: str) -> Mapping[str, ModelState]:
    """Raises MaasError."""
    found = await asyncio.gather(*(_model(api, model, namespace) for model in platform.models.values()))
    return dict(zip(platform.models, found, strict=True))


async def _model(api: Api, model: Model, namespace: str) -> ModelState:
    if model.runtime == "external":
        deployment = await get(api, kinds.DEPLOYMENT, namespace, external.name(model))
        return _state(conditions.available(deployment))
    return _state(conditions.served(await get(api, kinds.INFERENCE_SERVICE, namespace, names.object_name(model.name))))


def _state(seen: Seen) -> ModelState:
    return ModelState(_WORDS[seen.stage], seen.why or None)


async def get(api: Api, kind: Kind, namespace: str, called: str) -> Object | None:
    """None if it is not there. Raises MaasError, and Missing where the cluster has no such API."""
    missing: Missing | None = None
    for version in kind.versions:
        try:
            found: Object = await api.get(path_of(kind, version, namespace, called))
            return found
        except Missing as error:
            if error.object_named:
                return None
            missing = error
    assert missing is not None
    raise missing
