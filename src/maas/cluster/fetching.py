"""Files from the internet: through the proxies that the environment names, tried again where that may help.

A download that was cut short goes on where it ended. Addresses are of projects' releases: they hold no secrets, and
are shown in full.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from maas.domain.errors import Unavailable

_TRIES = 4  # in a row without a byte
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_LARGEST = 64 << 20  # bytes of a manifest: the largest has three million

Progress = Callable[[int, int], None]
"""Is told the bytes so far, and those in all (0 if nobody knows)."""
Pause = Callable[[float], Awaitable[None]]


def _untold(_so_far: int, _all: int) -> None:
    pass


async def whole(url: str, told: Progress = _untold, *, pause: Pause = asyncio.sleep) -> bytes:
    """Raises Unavailable."""
    download = _Download(url, told)
    async with httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=True, headers=_PLAIN) as client:
        tries = 0
        while not download.complete:
            had = len(download.got)
            try:
                await download.go_on(client)
            except (httpx.HTTPError, _BrokenOff) as error:
                tries = 1 if len(download.got) > had else tries + 1
                if tries >= _TRIES:
                    raise Unavailable(_advice(url, error)) from None
                await pause(2.0**tries)
    return bytes(download.got)


_PLAIN = {"accept-encoding": "identity", "user-agent": "maas"}


@dataclass
class _Download:
    url: str
    told: Progress
    got: bytearray = field(default_factory=bytearray)
    complete: bool = False
    mark: str = ""  # of the file that the first answer was of

    async def go_on(self, client: httpx.AsyncClient) -> None:
        headers = {"range": f"bytes={len(self.got)}-", "if-range": self.mark} if self.got and self.mark else {}
        async with client.stream("GET", self.url, headers=headers) as answer:
            self._require_content(answer)
            if answer.status_code != 206:
                self.got.clear()
                self.mark = answer.headers.get("etag", "")
            length = answer.headers.get("content-length", "")
            size = len(self.got) + int(length) if length.isdigit() else 0
            async for part in answer.aiter_raw():
                self.got += part
                self.told(len(self.got), size)
                if len(self.got) > _LARGEST:
                    raise Unavailable(f"{self.url} is larger than any manifest: it was not taken")
        if size and len(self.got) < size:
            raise _BrokenOff(f"{len(self.got)} of {size} bytes came")
        self.complete = True

    def _require_content(self, answer: httpx.Response) -> None:
        if answer.status_code in _BUSY:
            raise _BrokenOff(f"it answered {answer.status_code}")
        if answer.status_code not in (200, 206):
            raise Unavailable(f"{self.url} answered {answer.status_code} {answer.reason_phrase}".rstrip())


class _BrokenOff(Exception):
    """Without an error of the connection's own."""


def _advice(url: str, error: Exception) -> str:
    why = str(error) or type(error).__name__
    return (
        f"{url} cannot be fetched: {why}.\n"
        "Is a proxy needed (HTTPS_PROXY)? Without a network, run `maas mirror DIR` where there is one,\n"
        "and give the folder to `maas install --mirror DIR`."
    )
