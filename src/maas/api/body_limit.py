"""No body above 1 MiB is read, whether its length was announced or not.

Starlette's own limit would do, but answers in plain text, and clients of this API parse errors as JSON.
"""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 1024 * 1024  # bytes


class BodyLimit:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            receive = _limited(receive, Headers(scope=scope).get("content-length", "0"))
        await self._app(scope, receive, send)


def _limited(receive: Receive, announced: str) -> Receive:
    """Raises where the body is read, inside the application, whose error handlers then answer."""
    read = 0

    async def limited() -> Message:
        nonlocal read
        _check(int(announced) if announced.isdecimal() else 0)
        message = await receive()
        read += len(message.get("body", b""))
        _check(read)
        return message

    return limited


def _check(size: int) -> None:
    if size > LARGEST_BODY:
        raise HTTPException(413, f"the body is larger than {LARGEST_BODY} bytes, the most that is read")
