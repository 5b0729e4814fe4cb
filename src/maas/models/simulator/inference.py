"""Requests for the model, from their body to their last byte and their line in the request log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from . import embeddings, failures
from .answers import answers
from .dialect import Dialect
from .engine import Engine, Pace
from .errors import ApiError, context_length, model_not_found, not_ready, stopping
from .exchange import Exchange
from .fields import Fields, parse
from .generation import Generation
from .metrics import Metrics
from .request_log import Record, RequestLog
from .settings import Settings
from .task import Task

CLIENT_CLOSED = 499  # what nginx logs when a caller leaves before its answer

Work = Callable[["Request", Fields], Awaitable[None]]


@dataclass(slots=True)
class Model:
    """What all requests share."""

    engine: Engine
    metrics: Metrics
    log: RequestLog
    random: Random
    ready_at: float

    @property
    def settings(self) -> Settings:
        return self.engine.settings

    @property
    def ready(self) -> bool:
        return asyncio.get_running_loop().time() >= self.ready_at


@dataclass(slots=True)
class Request:
    model: Model
    exchange: Exchange
    record: Record
    arrived: float

    def admit(self, name: str, prompt_tokens: int) -> None:
        """Whether the model is asked for by its name, and lets the request through."""
        self.record.model = name
        if name not in self.model.settings.names:
            raise model_not_found(name)
        failure = failures.demanded(self.exchange.header("x-return-error"))
        failure = failure or failures.injected(self.model.settings, name, self.model.random)
        if failure is not None:
            raise failure
        self.record.prompt_tokens = prompt_tokens

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[bool]:
        """False: the caller left while it waited."""
        if not await self.model.engine.enter(self.exchange.client):
            self.abandon()
            yield False
            return
        try:
            yield True
        finally:
            self.model.engine.leave()

    def abandon(self) -> None:
        """The caller has left; or it is still there to be told, because the process has to end."""
        self.record.aborted, self.record.status = True, CLIENT_CLOSED
        self.exchange.error(stopping())

    def reply(self, data: Any) -> None:
        self.record.status = 200
        self.exchange.json(200, data)


async def serve(model: Model, exchange: Exchange, work: Work) -> None:
    record = Record(exchange.request_id, exchange.path)
    request = Request(model, exchange, record, asyncio.get_running_loop().time())
    model.log.start(record)
    try:
        body = parse(await exchange.body(model.settings.max_request_body_size_mb))
        if not model.ready:
            raise not_ready()
        body.default("model", model.settings.names[0])  # as vLLM does
        await work(request, body)
    except ApiError as error:
        record.status = error.status
        exchange.error(error)
    finally:
        exchange.client.close()
        model.log.end(record)


def generating(dialect: Dialect) -> Work:
    async def work(request: Request, body: Fields) -> None:
        task = dialect.read(body)
        request.record.stream = task.stream
        request.admit(task.model, task.prompt_tokens)
        _check_room(task, request.model.settings.max_model_len, dialect.prompt_param)
        async with request.slot() as granted:
            if granted:
                await _generate(request, dialect, task)

    return work


def _check_room(task: Task, limit: int, param: str) -> None:
    asked = task.max_tokens or 1
    if task.prompt_tokens + asked > limit:
        raise context_length(limit, task.prompt_tokens, asked, param)


async def _generate(request: Request, dialect: Dialect, task: Task) -> None:
    model, record, client = request.model, request.record, request.exchange.client
    settings = model.settings
    room = task.max_tokens or settings.max_model_len - task.prompt_tokens
    made = answers(task, room, settings.mode, model.random)
    pace = Pace(settings, max(len(answer.pieces) for answer in made), model.random)
    generation = Generation(made, pace, client, record, model.metrics, request.arrived)
    model.metrics.arrived(task.prompt_tokens, task.max_tokens)
    try:
        if task.stream:
            record.status = 200
            await generation.stream(dialect.events(task, made), request.exchange.stream())
        else:
            await generation.whole()
    finally:
        generation.close()
    if task.stream:
        return
    if record.aborted:
        request.abandon()
    else:
        request.reply(dialect.whole(task, made, generation.usage))


async def embed(request: Request, body: Fields) -> None:
    """Takes a slot, and the time of a first token."""
    settings = request.model.settings
    task = embeddings.read(body, settings.default_embedding_dimensions)
    request.admit(task.model, task.prompt_tokens)
    longest = max(prompt.tokens for prompt in task.prompts)
    if longest > settings.max_model_len:
        raise context_length(settings.max_model_len, longest, 0, "input")
    async with request.slot() as granted:
        if not granted:
            return
        request.model.metrics.arrived(task.prompt_tokens, None)
        await _prefill(request)
        if request.exchange.client.gone:
            request.abandon()
        else:
            request.reply(embeddings.answer(task))


async def _prefill(request: Request) -> None:
    wait = Pace(request.model.settings, 1, request.model.random).due(0)
    if wait:
        await request.exchange.client.pause(asyncio.get_running_loop().time() + wait)
