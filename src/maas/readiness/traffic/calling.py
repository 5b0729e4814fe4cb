"""One request at a time through the gateway's address; whatever happens is an answer, never an exception."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from typing import Any

import httpx

from maas.readiness.traffic.answers import Answer, Streamed
from maas.readiness.traffic.site import Endpoint

TIMEOUT = 60.0  # seconds for one answer; a model on a CPU is slow
QUICK = 10.0  # for what no model has a part in
_CONNECT = 5.0
_LONGEST_BODY = 4 << 20  # bytes; more is no answer to what is asked here


class Caller:
    """Calls one endpoint, over TLS that is not verified where `trusted` says that it cannot be."""

    def __init__(self, endpoint: Endpoint, *, verify: bool = True, timeout: float = TIMEOUT) -> None:
        self.endpoint = endpoint
        self._timeout = timeout
        self._http = httpx.AsyncClient(
            verify=context(endpoint, verify=verify),
            timeout=httpx.Timeout(None, connect=_CONNECT),
            trust_env=not endpoint.host,
            follow_redirects=False,
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return (await self._streamed("GET", path, headers or {}, None, QUICK)).answer

    async def post(self, path: str, headers: Mapping[str, str], body: object, within: float = TIMEOUT) -> Answer:
        return (await self._streamed("POST", path, headers, body, within)).answer

    async def stream(self, path: str, headers: Mapping[str, str], body: object) -> Streamed:
        streamed = await self._streamed("POST", path, headers, body, TIMEOUT)
        lines = streamed.answer.body.splitlines()
        return Streamed(streamed.answer, tuple(line[5:].strip() for line in lines if line.startswith("data:")))

    async def _streamed(
        self, method: str, path: str, headers: Mapping[str, str], body: object, within: float
    ) -> Streamed:
        within = min(within, self._timeout)
        began, status, got, received = time.monotonic(), 0, b"", httpx.Headers()
        problem = ""
        try:
            async with asyncio.timeout(within), self._request(method, path, headers, body) as answer:
                status, received = answer.status_code, answer.headers
                async for piece in answer.aiter_bytes():
                    got += piece
                    if len(got) > _LONGEST_BODY:
                        problem = f"the answer is longer than {_LONGEST_BODY} bytes"
                        break
        except TimeoutError:
            problem = f"no {'end of the ' if status else ''}answer within {within:g} s"
        except httpx.TimeoutException:
            problem = f"no connection within {_CONNECT:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            problem = str(error) or type(error).__name__
        taken = time.monotonic() - began
        return Streamed(Answer(status, dict(received), got.decode(errors="replace"), problem, taken))

    def _request(self, method: str, path: str, headers: Mapping[str, str], body: object) -> Any:
        host = {"Host": self.endpoint.host} if self.endpoint.host else {}
        sni = {"sni_hostname": self.endpoint.host} if self.endpoint.host else {}
        return self._http.stream(
            method, self.endpoint.base + path, headers={**host, **headers}, json=body, extensions=sni
        )


def context(endpoint: Endpoint, *, verify: bool) -> ssl.SSLContext:
    made = ssl.create_default_context()
    if endpoint.trust is not None:
        made.load_verify_locations(endpoint.trust)
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


async def distrust(endpoint: Endpoint) -> str:
    """Why the certificate of an https endpoint cannot be believed; "" if it can, or if nothing can be said."""
    url = httpx.URL(endpoint.base)
    try:
        async with asyncio.timeout(_CONNECT):
            _, writer = await asyncio.open_connection(
                url.host, url.port or 443, ssl=context(endpoint, verify=True), server_hostname=endpoint.host or url.host
            )
    except ssl.SSLCertVerificationError as error:
        return error.verify_message or str(error)
    except (OSError, TimeoutError, ValueError):
        return ""
    writer.close()
    return ""
