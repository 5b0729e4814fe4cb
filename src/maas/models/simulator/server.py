"""The routes. Anything that is not an endpoint is answered in the error shape of the APIs, too."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]

from .chat import Chat
from .completions import Completions
from .counting import count_messages, tokenize
from .engine import Engine
from .errors import ApiError, bad_request, model_not_found
from .exchange import Exchange
from .fields import parse
from .inference import Model, Work, embed, generating, serve
from .messages import Messages
from .metrics import Metrics
from .request_log import RequestLog
from .responses import Responses
from .settings import BadSetting, Settings, changed, shown

log = logging.getLogger(__name__)

Handler = Callable[[Exchange], Awaitable[None]]


class Simulator:
    """An RSGI application. It is made inside the running loop: the start-up duration counts from here."""

    def __init__(self, settings: Settings, request_log: RequestLog) -> None:
        loop = asyncio.get_running_loop()
        metrics = Metrics(settings.names[0], settings.max_model_len)
        engine = Engine(settings, metrics)
        ready_at = loop.time() + settings.startup_duration
        self._model = Model(engine, metrics, request_log, Random(settings.seed), ready_at)
        self._exchanges: set[Exchange] = set()
        self._routes: dict[str, dict[str, Handler]] = {
            "/health": {"GET": self._health},
            "/health/ready": {"GET": self._ready},
            "/metrics": {"GET": self._metrics},
            "/v1/models": {"GET": self._models},
            "/admin/config": {"GET": self._config, "POST": self._change_config},
            "/v1/chat/completions": self._post(generating(Chat())),
            "/v1/completions": self._post(generating(Completions())),
            "/v1/responses": self._post(generating(Responses())),
            "/v1/messages": self._post(generating(Messages())),
            "/v1/messages/count_tokens": self._post(count_messages),
            "/v1/embeddings": self._post(embed),
            "/tokenize": self._post(tokenize),
        }

    async def __rsgi__(self, scope: Scope, proto: HTTPProtocol) -> None:
        exchange = Exchange(scope, proto)
        self._exchanges.add(exchange)
        try:
            await self._route(exchange)(exchange)
        except ApiError as error:
            exchange.error(error)
        except Exception:  # a mistake of ours must not take the connection's other requests with it
            log.exception("%s %s failed", exchange.method, exchange.path)
            exchange.error(ApiError(500, "The simulator made a mistake."))
        finally:
            self._exchanges.discard(exchange)

    def abort(self) -> None:
        """Ends what still runs, as if every caller had left."""
        for exchange in self._exchanges:
            exchange.client.leave()

    def _route(self, exchange: Exchange) -> Handler:
        methods = self._routes.get(exchange.path)
        if methods is None:
            if exchange.path.startswith("/v1/models/"):
                methods = {"GET": self._one_model}
            else:
                raise ApiError(404, f"There is no {exchange.path} here.", code="not_found")
        if exchange.method not in methods:
            allowed = ", ".join(methods)
            raise ApiError(405, f"{exchange.path} takes {allowed}.", headers=(("allow", allowed),))
        return methods[exchange.method]

    def _post(self, work: Work) -> dict[str, Handler]:
        async def handle(exchange: Exchange) -> None:
            await serve(self._model, exchange, work)

        return {"POST": handle}

    async def _health(self, exchange: Exchange) -> None:
        exchange.json(200, {"status": "ok"})

    async def _ready(self, exchange: Exchange) -> None:
        ready = self._model.ready
        exchange.json(200 if ready else 503, {"status": "ready" if ready else "starting"})

    async def _metrics(self, exchange: Exchange) -> None:
        exchange.bytes(200, "text/plain; version=0.0.4; charset=utf-8", self._model.metrics.text())

    async def _config(self, exchange: Exchange) -> None:
        exchange.json(200, shown(self._model.settings))

    async def _change_config(self, exchange: Exchange) -> None:
        update = parse(await exchange.body(self._model.settings.max_request_body_size_mb)).all()
        try:
            self._model.engine.change(changed(self._model.settings, update))
        except BadSetting as error:
            raise bad_request(f"{error}.", error.option) from error
        await self._config(exchange)

    async def _models(self, exchange: Exchange) -> None:
        data = [self._card(name) for name in self._model.settings.names]
        exchange.json(200, {"object": "list", "data": data})

    async def _one_model(self, exchange: Exchange) -> None:
        name = exchange.path.removeprefix("/v1/models/")
        if name not in self._model.settings.names:
            raise model_not_found(name)
        exchange.json(200, self._card(name))

    def _card(self, name: str) -> dict[str, Any]:
        settings = self._model.settings
        return {
            "id": name,
            "object": "model",
            "created": 0,
            "owned_by": "maas-simulator",
            "root": settings.model,
            "parent": None,
            "max_model_len": settings.max_model_len,
        }
