"""A request for the model, from its body to its last byte and its line in the request log."""

import asyncio
from dataclasses import dataclass
from random import Random

from . import failures
from .answers import answers
from .dialect import Dialect
from .engine import Engine, Pace
from .errors import ApiError, context_length, model_not_found, not_ready
from .exchange import Exchange
from .fields import parse
from .generation import Generation
from .metrics import Metrics
from .request_log import Record, RequestLog
from .settings import Settings
from .task import Task

CLIENT_CLOSED = 499  # what nginx logs when a caller leaves before its answer


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


async def serve(model: Model, dialect: Dialect, exchange: Exchange) -> None:
    record = Record(exchange.request_id, exchange.path)
    model.log.start(record)
    try:
        await _answer(model, dialect, exchange, record)
    except ApiError as error:
        record.status = error.status
        exchange.error(error)
    finally:
        exchange.client.close()
        model.log.end(record)


async def _answer(model: Model, dialect: Dialect, exchange: Exchange, record: Record) -> None:
    arrived = asyncio.get_running_loop().time()
    task = await _read(model, dialect, exchange, record)
    if not await model.engine.enter(exchange.client):
        record.aborted, record.status = True, CLIENT_CLOSED
        return
    try:
        await _generate(model, dialect, exchange, record, task, arrived)
    finally:
        model.engine.leave()


async def _read(model: Model, dialect: Dialect, exchange: Exchange, record: Record) -> Task:
    body = parse(await exchange.body(model.settings.max_request_body_size_mb))
    if not model.ready:
        raise not_ready()
    task = dialect.read(body)
    record.model, record.stream = task.model, task.stream
    if task.model not in model.settings.names:
        raise model_not_found(task.model)
    failure = failures.demanded(exchange.header("x-return-error")) or failures.injected(
        model.settings, task.model, model.random
    )
    if failure is not None:
        raise failure
    _check_room(task, model.settings.max_model_len, dialect.prompt_param)
    record.prompt_tokens = task.prompt_tokens
    return task


def _check_room(task: Task, limit: int, param: str) -> None:
    asked = task.max_tokens or 1
    if task.prompt_tokens + asked > limit:
        raise context_length(limit, task.prompt_tokens, asked, param)


async def _generate(
    model: Model, dialect: Dialect, exchange: Exchange, record: Record, task: Task, arrived: float
) -> None:
    settings = model.settings
    room = task.max_tokens or settings.max_model_len - task.prompt_tokens
    made = answers(task, room, settings.mode, model.random)
    pace = Pace(settings, max(len(answer.pieces) for answer in made), model.random)
    generation = Generation(made, pace, exchange.client, record, model.metrics, arrived)
    model.metrics.arrived(task.prompt_tokens, task.max_tokens)
    record.status = 200
    try:
        if task.stream:
            await generation.stream(dialect.events(task, made), exchange.stream())
        else:
            await generation.whole()
    finally:
        generation.close()
    if not task.stream and not record.aborted:
        exchange.json(200, dialect.whole(task, made, generation.usage))
    elif not task.stream:
        record.status = CLIENT_CLOSED
