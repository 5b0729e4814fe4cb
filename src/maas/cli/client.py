"""How a command speaks to the platform: the management API, over the socket that only the owner may open.

On a cluster there is no such process: then the API runs in the command itself (in_process.py), behind the same calls.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from maas.api.codes import error_of
from maas.cli import chosen, who
from maas.cli.frame import home
from maas.domain.errors import NotRunning, Unavailable

_ANSWER_TIMEOUT = 120.0  # seconds; `apply` returns when new models are ready
_CONNECT_TIMEOUT = 5.0


def transport() -> httpx.BaseTransport:
    if (to := chosen.cluster()) is not None:
        from maas.cli import in_process  # FastAPI and all of the cluster's half

        return in_process.transport(to)
    return httpx.HTTPTransport(uds=str(home().api_socket))


def get(*path: str, **params: str | None) -> Any:
    return _json("GET", path, params=_given(params))


def health() -> Any:
    """What the parts say of themselves; that one of them fails is an answer, too."""
    return _json("GET", ("health",), accepted=httpx.codes.SERVICE_UNAVAILABLE)


def post(*path: str, body: object = None, patience: float = _ANSWER_TIMEOUT) -> Any:
    """patience: seconds for an answer; adding a model returns when it is loaded."""
    return _json("POST", path, patience, json=body)


def delete(*path: str) -> Any:
    return _json("DELETE", path)


def lines(*path: str, **params: str | None) -> Iterator[str]:
    """The answer's text, in pieces, as it comes."""
    with _client() as http, http.stream("GET", _url(path), params=_given(params)) as answer:
        if answer.is_error:
            answer.read()
            raise _refusal(answer)
        yield from answer.iter_text()


def _json(
    method: str, path: tuple[str, ...], patience: float = _ANSWER_TIMEOUT, accepted: int = 200, **request: Any
) -> Any:
    with _client(patience) as http:
        answer = http.request(method, _url(path), **request)
    if answer.is_error and not _is_health(answer, accepted):
        raise _refusal(answer)
    return answer.json()


@contextmanager
def _client(patience: float = _ANSWER_TIMEOUT) -> Iterator[httpx.Client]:
    """Tells apart that nothing listens (NotRunning) and that what listens does not answer (Unavailable)."""
    timeout = httpx.Timeout(patience, connect=_CONNECT_TIMEOUT)
    headers = {"X-MaaS-Username": who.user()}
    try:
        with httpx.Client(transport=transport(), base_url="http://maas", timeout=timeout, headers=headers) as http:
            yield http
    except httpx.ConnectError:
        raise NotRunning("the platform is not running; start it with: maas up") from None
    except httpx.TimeoutException:
        raise Unavailable("the control plane does not answer; `maas status` and `maas logs` say more") from None
    except httpx.TransportError as error:
        raise Unavailable(f"the control plane broke off ({error}); `maas status` and `maas logs` say more") from None


def _is_health(answer: httpx.Response, accepted: int) -> bool:
    """A part that fails is an answer, and the same status as a failure to answer: the body tells which."""
    return answer.status_code == accepted and "error" not in answer.json()


def _url(path: tuple[str, ...]) -> str:
    return "/" + "/".join(quote(part, safe="") for part in path)


def _given(params: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in params.items() if value is not None}


def _refusal(answer: httpx.Response) -> Exception:
    try:
        error = answer.json()["error"]
        return error_of(answer.status_code, error["code"], error["message"])
    except (ValueError, KeyError, TypeError):
        return Unavailable(f"the control plane answered {answer.status_code}; `maas logs` says more")
