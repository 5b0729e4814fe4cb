"""One real request through everything: the only thing that proves that a platform works."""

import ssl
import time

import httpx

from maas.domain.errors import Unavailable
from maas.domain.platform import Gateway
from maas.embedded import addresses
from maas.embedded.home import Home

_SETTLING = 10.0  # seconds in which a gateway that has just started may still refuse
_ANSWER_TIMEOUT = 60.0  # a model on a CPU is slow
_TOKENS = 8
_NOT_YET = frozenset({502, 503, 504})


def ask(home: Home, gateway: Gateway, key: str, model: str) -> float:
    """Ask the model something and return the seconds it took. Raises Unavailable that says what came back."""
    deadline = time.monotonic() + _SETTLING
    endpoint = _endpoint(gateway)
    with httpx.Client(
        base_url=endpoint, verify=_trust(home, gateway), timeout=_ANSWER_TIMEOUT, trust_env=False
    ) as http:
        while True:
            began = time.monotonic()
            problem = _attempt(http, addresses.certified_host(gateway) or "localhost", key, model)
            if problem is None:
                return time.monotonic() - began
            if not problem.passing or time.monotonic() >= deadline:
                raise Unavailable(f"a request to {model} at {endpoint} failed: {problem.said}")
            time.sleep(0.1)


def _endpoint(gateway: Gateway) -> str:
    """Not the one that is shown: its name may lead to a proxy, or nowhere yet."""
    host = addresses.local_host(gateway)
    if gateway.remote:
        return f"https://{host}:{gateway.https_port}/v1"
    return f"http://{host}:{gateway.http_port}/v1"


def _trust(home: Home, gateway: Gateway) -> ssl.SSLContext:
    """The local CA, or exactly the user's own certificate: who signed that one, this machine need not know.

    Of the names in it nothing can be said before gateway.hosts names one.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if gateway.remote:
        context.load_verify_locations(gateway.certificate or home.ca_certificate)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.check_hostname = not gateway.certificate or addresses.certified_host(gateway) is not None
    return context


class _Problem:
    def __init__(self, said: str, *, passing: bool) -> None:
        self.said = said
        self.passing = passing


def _attempt(client: httpx.Client, server_name: str, key: str, model: str) -> _Problem | None:
    body = {"model": model, "max_tokens": _TOKENS, "messages": [{"role": "user", "content": "Are you there?"}]}
    try:
        answer = client.post(
            "/chat/completions",
            json=body,
            headers={"Authorization": f"Bearer {key}"},
            extensions={"sni_hostname": server_name},
        )
    except httpx.TransportError as error:
        return _Problem(str(error) or type(error).__name__, passing=not isinstance(error, httpx.TimeoutException))
    if answer.is_success:
        return None
    return _Problem(f"{answer.status_code} {answer.text[:300]}", passing=answer.status_code in _NOT_YET)
