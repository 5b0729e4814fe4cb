"""Names to addresses, in threads of our own that nobody waits for.

Those of asyncio are joined at the end of the program, for as long as a dead name server takes.
"""

import asyncio
import socket
import threading
from contextlib import suppress


async def resolve(host: str, port: int = 0, *, within: float) -> list[str]:
    """Its addresses. Raises socket.gaierror, and TimeoutError when nobody answered."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            say(list(dict.fromkeys(str(each[4][0]) for each in found)))
        except (OSError, UnicodeError) as error:
            say(error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "not a host name"))

    def say(said: list[str] | OSError) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, answer, said)

    threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    async with asyncio.timeout(within):
        return await answer


def _settle(answer: "asyncio.Future[list[str]]", said: list[str] | OSError) -> None:
    if answer.done():
        return
    if isinstance(said, OSError):
        answer.set_exception(said)
    else:
        answer.set_result(said)
