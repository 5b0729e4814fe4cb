"""Names to addresses, however long name servers take."""

import asyncio
import socket

from maas.cluster.aside import aside


async def resolve(host: str, port: int = 0, *, within: float) -> list[str]:
    """Its addresses. Raises socket.gaierror, and TimeoutError when nobody answered."""
    async with asyncio.timeout(within):
        return await aside(lambda: _addresses(host, port))


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (UnicodeError, ValueError):
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))
