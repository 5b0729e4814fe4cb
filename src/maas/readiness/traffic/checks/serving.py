"""What somebody with a good key gets: models, answers, streams, and a bill."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from maas.cluster.objects import items, text
from maas.readiness.evidence import names
from maas.readiness.findings import Outcome, Remedy, Seen, failed, passed, skipped, warning
from maas.readiness.traffic import answers
from maas.readiness.traffic.answers import CHAT, MODELS
from maas.readiness.traffic.declaring import live

if TYPE_CHECKING:
    from maas.readiness.traffic.visit import Visit

_METERED_WITHIN = 5.0  # seconds from the end of an answer until its tokens are in the ledger
_NOT_SERVED = "maas-validate-no-such-model"
_LOGS = Remedy(
    "Look at the model's log, and at the gateway's.",
    ("kubectl logs -n llm -l serving.kserve.io/inferenceservice --tail=50", "maas doctor model MODEL"),
)


@live(
    "MAAS-504",
    "a good key gets the list of models",
    wanted="200 on /v1/models, with at least one model",
    looks="GET /v1/models with a new key.",
    why="It is the first that every client asks for.",
    mend="401: the policy does not know the key's Secret (MAAS-33x). 403: it does not let the tier in. 404: a route.",
    covers=("Authentication/Rate Limiting Issues", "Model Deployment Failures"),
    after=("MAAS-500", "MAAS-303", "MAAS-320", "MAAS-341"),
)
async def listed(visit: Visit) -> AsyncIterator[Outcome]:
    key = await visit.good_key()
    answer = await visit.get(MODELS, key)
    models = [text(each, "id") for each in items(answer.json, "data")]
    seen = Seen(f"GET {MODELS}", f"with a key of the tier {key.tier}", answer.said)
    if answer.status != 200:
        yield failed(f"with a good key, {MODELS} gets {answer.said}", seen, remedy=_refused_remedy(answer.status))
    elif not any(models):
        yield failed(f"{MODELS} lists no model", seen, remedy=_LOGS)
    else:
        yield passed(f"200: {names(models)}")


def _refused_remedy(status: int) -> Remedy:
    match status:
        case 401:
            text = "Look whether the AuthPolicy's selector finds new Secrets, and whether Authorino runs."
            return Remedy(text, ("kubectl get authpolicies -A", "kubectl get pods -n kuadrant-system"))
        case 403:
            return Remedy("Let the tier in: the AuthPolicy's authorization rules.", ("kubectl get authpolicies -A",))
        case 404:
            return Remedy("Route /v1/models to the model.", ("kubectl get httproutes -A",))
    return _LOGS


@live(
    "MAAS-505",
    "a good key gets an answer from a model",
    wanted="200, an answer that is not empty, and its usage",
    looks="POST /v1/chat/completions with max_tokens 16.",
    why="A model that is Ready may still answer nothing, or what cannot be metered.",
    mend="Look at the model's log: maas doctor model NAME.",
    covers=("Model Deployment Failures",),
    after=("MAAS-504", "MAAS-341", "MAAS-351"),
)
async def completed(visit: Visit) -> AsyncIterator[Outcome]:
    model = await visit.model()
    answer = await visit.chat(await visit.good_key())
    seen = Seen(f"POST {CHAT}", f"model {model}", answer.said)
    used = answers.tokens(answer.json)
    if answer.status != 200 or answer.problem:
        yield failed(f"{model} answers {answer.problem or answer.said}", seen, remedy=_LOGS)
    elif not answers.answer_text(answer.json):
        yield failed(f"{model} answers 200, but says nothing", seen, remedy=_LOGS)
    elif not used:
        said = f"{model} answers without usage.total_tokens: its tokens can be neither limited nor counted"
        yield failed(said, seen, remedy=Remedy("Serve it with a server that reports usage."))
    else:
        yield passed(f"{model} answered with {used} tokens in {answer.seconds:.2f} s")


@live(
    "MAAS-506",
    "answers are streamed to their end",
    wanted='server-sent events that end with "[DONE]", with usage',
    looks="POST /v1/chat/completions with stream: true and stream_options.include_usage.",
    why="Most clients stream. Timeouts of Routes and proxies cut long streams in the middle.",
    mend="Raise the timeouts on the way: HTTPRoute timeouts.request, the Route's haproxy timeout (MAAS-4xx).",
    covers=("Model Deployment Failures", "Authentication/Rate Limiting Issues"),
    after=("MAAS-504", "MAAS-505", "MAAS-414"),
)
async def streamed(visit: Visit) -> AsyncIterator[Outcome]:
    model = await visit.model()
    got = await visit.chat_streamed(await visit.good_key())
    seen = Seen(f"POST {CHAT}", "stream: true", f"{len(got.events)} events, {got.answer.problem or got.answer.said}")
    if got.answer.status != 200:
        yield failed(f"a stream from {model} gets {got.answer.said}", seen, remedy=_LOGS)
    elif not got.is_done:
        why = got.answer.problem or 'it ended without "[DONE]"'
        yield failed(f"a stream from {model} was cut after {len(got.events)} events: {why}", seen, remedy=_CUT)
    elif not got.text:
        yield failed(f"a stream from {model} holds no text", seen, remedy=_LOGS)
    elif not got.usage:
        yield failed(f"a stream from {model} tells no usage: it can be neither limited nor counted", seen, remedy=_LOGS)
    else:
        yield passed(f"{len(got.events)} events and [DONE] in {got.answer.seconds:.2f} s, {got.usage} tokens")


_CUT = Remedy(
    "Raise the timeouts on the way, and look whether the model's server died.",
    (
        "kubectl get httproutes -A -o custom-columns=NAME:.metadata.name,TIMEOUTS:.spec.rules[*].timeouts",
        "kubectl annotate route NAME -n llm --overwrite haproxy.router.openshift.io/timeout=300s",
    ),
)


@live(
    "MAAS-507",
    "what was used is counted",
    wanted="the tokens of a completion and of a stream in the ledger, within seconds",
    looks="The ledger of the user whom the key belongs to, before and after.",
    why="What is not counted can be neither limited nor shown to whoever pays.",
    mend="maas logs control says why an answer was not counted.",
    covers=("Rate limiting prevents abuse",),
    after=("MAAS-505", "MAAS-506"),
)
async def metered(visit: Visit) -> AsyncIterator[Outcome]:
    key = await visit.key(visit.roomiest, "metered")
    if await visit.site.used_tokens(key) is None:
        yield skipped("a cluster has no ledger of ours; what Limitador counted is seen by MAAS-509")
        return
    plain, stream = await visit.chat(key), await visit.chat_streamed(key)
    told = (answers.tokens(plain.json) or 0) + (stream.usage or 0)
    if not told:
        yield skipped("nothing was answered that could be counted: MAAS-505")
        return
    counted = await _counted(visit, key, told)
    seen = Seen("ledger", f"tokens of {key.user}", f"{counted}, told were {told}")
    if counted == told:
        yield passed(f"{told} tokens were told, and counted")
    else:
        remedy = Remedy("Look at what the control plane says.", ("maas logs control",))
        yield failed(f"{told} tokens were told, but {counted} counted", seen, remedy=remedy)


async def _counted(visit: Visit, key: object, wanted: int) -> int:
    deadline = time.monotonic() + _METERED_WITHIN
    while True:
        counted = await visit.site.used_tokens(key) or 0  # type: ignore[arg-type]
        if counted >= wanted or time.monotonic() > deadline:
            return counted
        await asyncio.sleep(0.1)


@live(
    "MAAS-512",
    "a model that is not served, or not allowed, is refused",
    wanted="404 for a model that does not exist, 403 or 404 for one that the key's tier may not call",
    looks="POST /v1/chat/completions for a name that nobody serves; and for a tier with a list of models, another one.",
    why="A gateway that passes unknown names on leaves it to each model what it makes of them.",
    mend="Route by model; restrict tiers in maas.yaml or by the AuthPolicy.",
    covers=("All models require API key authentication",),
    after=("MAAS-505",),
)
async def unknown_model(visit: Visit) -> AsyncIterator[Outcome]:
    answer = await visit.chat(await visit.good_key(), model=_NOT_SERVED, max_tokens=1)
    seen = Seen(f"POST {CHAT}", "a model that nobody serves", answer.said)
    if answer.status in (400, 403, 404):
        yield passed(f"a model that nobody serves gets {answer.status}")
    elif answer.status == 429:
        yield skipped("the limit was reached first")
    elif answer.status == 200:
        yield warning("a model that nobody serves gets an answer: clients do not notice a wrong name", seen)
    else:
        yield warning(f"a model that nobody serves gets {answer.said}, not 404", seen, remedy=_LOGS)
    async for outcome in _forbidden(visit):
        yield outcome


async def _forbidden(visit: Visit) -> AsyncIterator[Outcome]:
    models = await visit.models()
    pairs = [(tier, model) for tier in visit.tiers for model in models if tier.models and model not in tier.models]
    if not pairs:
        return
    narrow, model = pairs[0]
    answer = await visit.chat(await visit.key(narrow, "narrow"), model=model, max_tokens=1)
    seen = Seen(f"POST {CHAT}", f"{model}, with a key of the tier {narrow.name}", answer.said)
    if answer.status in (403, 404):
        yield passed(f"the tier {narrow.name} may not call {model}: {answer.status}", about=narrow.name)
    else:
        said = f"the tier {narrow.name} may not call {model}, and gets {answer.said}"
        yield failed(said, seen, remedy=Remedy("Look at the tier's models."), about=narrow.name)
