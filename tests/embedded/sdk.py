"""The official clients, pointed at the gateway of a running platform."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import httpx2
import openai

from tests.running import PATIENCE, Running, eventually

HELLO: Any = [{"role": "user", "content": "Hello, how are you?"}]
SIMULATOR = "simulator"


@contextmanager
def openai_client(up: Running, key: str, path: str = "/v1", **fields: Any) -> Iterator[openai.OpenAI]:
    """Without retries, so that what a test sees is what happened. A given http_client is left open."""
    given = {"base_url": f"{up.url}{path}", "max_retries": 0, "timeout": PATIENCE, **fields}
    client = openai.OpenAI(api_key=key, **given)
    try:
        yield client
    finally:  # also of one that was refused: left to the garbage, its socket may be found first
        if "http_client" not in fields:
            client.close()


@contextmanager
def anthropic_client(up: Running, key: str, **fields: Any) -> Iterator[anthropic.Anthropic]:
    given = {"base_url": up.url, "max_retries": 0, "timeout": PATIENCE, **fields}
    client = anthropic.Anthropic(api_key=key, **given)
    try:
        yield client
    finally:
        if "http_client" not in fields:
            client.close()


class Heard:
    """Keeps the answers that a client got, retried ones included, in order."""

    def __init__(self) -> None:
        self.answers: list[httpx2.Response] = []
        self.http = httpx2.Client(event_hooks={"response": [self.answers.append]}, timeout=PATIENCE)

    @property
    def statuses(self) -> list[int]:
        return [answer.status_code for answer in self.answers]

    @property
    def last(self) -> httpx2.Response:
        return self.answers[-1]


@contextmanager
def hearing() -> Iterator[Heard]:
    heard = Heard()
    with heard.http:
        yield heard


def record_of(up: Running, request_id: str) -> dict[str, Any]:
    """The ledger's, once the request has settled."""

    def look() -> dict[str, Any] | None:
        return next((record for record in up.records() if record["request_id"] == request_id), None)

    found = eventually(look)
    assert found is not None
    return found
