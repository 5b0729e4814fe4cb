"""One real request through everything: the only thing that proves that a platform works."""

import time
from pathlib import Path

import httpx

from maas.domain.errors import Unavailable

_SETTLING = 10.0  # seconds in which a gateway that has just started may still refuse
_ANSWER_TIMEOUT = 60.0  # a model on a CPU is slow
_TOKENS = 8
_NOT_YET = frozenset({502, 503, 504})


def ask(endpoint: str, key: str, model: str, certificate_authority: Path) -> float:
    """Ask the model something and return the seconds it took. Raises Unavailable that says what came back."""
    deadline = time.monotonic() + _SETTLING
    verify = str(certificate_authority) if endpoint.startswith("https:") else True
    with httpx.Client(base_url=endpoint, verify=verify, timeout=_ANSWER_TIMEOUT, trust_env=False) as client:
        while True:
            began = time.monotonic()
            problem = _attempt(client, key, model)
            if problem is None:
                return time.monotonic() - began
            if not problem.passing or time.monotonic() >= deadline:
                raise Unavailable(f"a request to {model} at {endpoint} failed: {problem.said}")
            time.sleep(0.1)


class _Problem:
    def __init__(self, said: str, *, passing: bool) -> None:
        self.said = said
        self.passing = passing


def _attempt(client: httpx.Client, key: str, model: str) -> _Problem | None:
    body = {"model": model, "max_tokens": _TOKENS, "messages": [{"role": "user", "content": "Are you there?"}]}
    try:
        answer = client.post("/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"})
    except httpx.TransportError as error:
        return _Problem(str(error) or type(error).__name__, passing=not isinstance(error, httpx.TimeoutException))
    if answer.is_success:
        return None
    return _Problem(f"{answer.status_code} {answer.text[:300]}", passing=answer.status_code in _NOT_YET)
