"""Every answer that is no success has one shape: {"error": {"message", "type", "code"}}, as OpenAI's do.

A validation error names the field and the rule. It never repeats the value: that may be the key which somebody sent
to be imported, and answers end up in logs and tickets.
"""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from maas.api.codes import Code, code_of
from maas.domain.errors import MaasError
from maas.embedded import log

_INVALID = Code(400, "invalid_request_error", "invalid_input")
_NOTHING_HERE = "there is nothing at this path; /openapi.json lists what there is"
_HTTP = {404: "unknown_url", 405: "method_not_allowed", 413: "request_too_large"}


class ErrorBody(BaseModel):
    """message: for people. code: for programs."""

    message: str
    type: str
    code: str


class ErrorAnswer(BaseModel):
    error: ErrorBody


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`."""
    return {status: {"model": ErrorAnswer, "description": HTTPStatus(status).phrase} for status in statuses}


def install(app: FastAPI) -> None:
    app.add_exception_handler(MaasError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _known(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, MaasError)
    return _answer(code_of(error), str(error))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _answer(_INVALID, "\n".join(map(_sentence, error.errors())))


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    kind = "invalid_request_error" if error.status_code < 500 else "server_error"
    code = Code(error.status_code, kind, _HTTP.get(error.status_code, "invalid_input"))
    message = _NOTHING_HERE if error.status_code == 404 else error.detail
    return _answer(code, message, dict(error.headers or {}))


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    """The class of the error only: its text may hold what the request held. The server logs the rest."""
    log.exception("unforeseen", error, path=request.url.path)
    return _answer(code_of(MaasError()), "something failed that nobody foresaw; the log has it: maas logs")


def _answer(code: Code, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = ErrorAnswer(error=ErrorBody(message=message, type=code.type, code=code.code))
    return JSONResponse(body.model_dump(), code.status, headers)


def _sentence(detail: dict[str, Any]) -> str:
    """ "pagination.limit: Input should be less than or equal to 100"; the query or body it stands in goes without."""
    where = ".".join(str(part) for part in detail["loc"][1:]) or str(detail["loc"][0])
    if detail["type"] == "json_invalid":
        return "the body is no JSON"
    if detail["type"] == "extra_forbidden":
        return f"{where}: is not known here"
    return f"{where}: {detail['msg'].removeprefix('Value error, ')}"
