"""The management API of a platform, whichever target it runs on.

It holds no state and makes no decision: it checks the form of what is asked, asks the target (`Control`), and gives
the answer a form. There is no page of documentation that a browser could open, since those load their scripts from
the network; /openapi.json is complete, and any tool shows it.
"""

import time
from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter, FastAPI, Response
from pydantic import BaseModel

from maas import __version__
from maas.api import errors, keys, platform, usage
from maas.api.body_limit import BodyLimit
from maas.api.control import Control
from maas.api.documentation import DocumentedApi
from maas.api.errors import documented
from maas.api.fields import ControlOf

_METRICS = "text/plain; version=0.0.4; charset=utf-8"
_ANYWHERE = documented(400, 413, 500)
_router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """parts: by name, "ok" or what is wrong."""

    status: Literal["healthy", "degraded"]
    parts: dict[str, str]


def create_app(control: Control, clock: Callable[[], float] = time.time) -> FastAPI:
    app = DocumentedApi(
        title="MaaS management API",
        version=__version__,
        description="Keys, tiers, models and usage of a Models-as-a-Service platform.",
        docs_url=None,
        redoc_url=None,
        responses=_ANYWHERE,
    )
    app.state.control, app.state.clock = control, clock
    app.add_middleware(BodyLimit)
    errors.install(app)
    for router in (keys.router, platform.router, usage.router, _router):
        app.include_router(router)
    return app


@_router.get("/health", responses={503: {"model": Health, "description": "A part has failed"}})
async def health(control: ControlOf, response: Response) -> Health:
    parts = dict(await control.health())
    healthy = all(said == "ok" for said in parts.values())
    response.status_code = 200 if healthy else 503
    return Health(status="healthy" if healthy else "degraded", parts=parts)


@_router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {_METRICS: {"schema": {"type": "string"}}}, "description": "Prometheus' text format"}},
)
async def metrics(control: ControlOf) -> Response:
    return Response(control.metrics(), media_type=_METRICS)
