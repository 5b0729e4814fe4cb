"""Errors as the API tells them, and as its clients recognise them. Imports nothing heavy: the commands read it too."""

from typing import NamedTuple

from maas.domain.errors import (
    Conflict,
    InvalidInput,
    InvalidPlatform,
    MaasError,
    NotFound,
    NotRunning,
    Unavailable,
)


class Code(NamedTuple):
    """type: OpenAI's word for the class of errors, by which its clients choose an exception."""

    status: int
    type: str
    code: str


CODES: dict[type[MaasError], Code] = {
    InvalidPlatform: Code(400, "invalid_request_error", "invalid_platform"),
    InvalidInput: Code(400, "invalid_request_error", "invalid_input"),
    NotFound: Code(404, "not_found_error", "not_found"),
    Conflict: Code(409, "conflict_error", "conflict"),
    NotRunning: Code(503, "server_error", "not_running"),
    Unavailable: Code(503, "server_error", "unavailable"),
    MaasError: Code(500, "server_error", "internal_error"),
}


def code_of(error: MaasError) -> Code:
    """That of the error's class, or of the nearest class above it."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def error_of(status: int, code: str, message: str) -> MaasError:
    """What an answer means; the reverse of `code_of`. Codes of HTTP itself (unknown_url) go by their status."""
    by_status = NotFound if status == 404 else InvalidInput if status < 500 else MaasError
    kind = next((kind for kind, known in CODES.items() if known.code == code), by_status)
    return InvalidPlatform(message.splitlines()) if kind is InvalidPlatform else kind(message)
