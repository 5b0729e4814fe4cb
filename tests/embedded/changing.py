"""Changing a platform that runs, and traffic that would notice."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import yaml

from tests.running import PATIENCE, Running, bearer

Document = dict[str, Any]
APPLY_PATIENCE = 90.0  # seconds; the API waits for models that start


def document(up: Running) -> Document:
    """maas.yaml, as it is in force."""
    text = up.api.get("/v1/platform").raise_for_status().json()["text"]
    loaded: Document = yaml.safe_load(text)
    return loaded


def apply(up: Running, wanted: Document | str, **fields: object) -> httpx.Response:
    text = wanted if isinstance(wanted, str) else yaml.safe_dump(wanted, sort_keys=False)
    return up.api.post("/v1/platform/apply", json={"text": text, **fields}, timeout=APPLY_PATIENCE)


def change(up: Running, edit: Callable[[Document], object]) -> None:
    """Returns when it is in force."""
    wanted = document(up)
    edit(wanted)
    answer = apply(up, wanted)
    assert answer.status_code == 200, answer.text


@dataclass(frozen=True)
class Seen:
    """A request as its client saw it. Times are monotonic; started before the first byte was sent."""

    model: str
    started: float
    ended: float
    status: int
    request_id: str
    body: str


class Traffic:
    """Requests without a pause over several connections. worker: makes the body of the n-th request of a thread."""

    def __init__(
        self, up: Running, key: str, body: Callable[[int], Document], workers: int = 4, within: float = PATIENCE
    ) -> None:
        self._up, self._key, self._body, self._stop = up, key, body, threading.Event()
        self._within = within
        self.seen: list[Seen] = []
        self.failed: list[Exception] = []
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(workers)]
        self.by_worker = [0] * workers

    @contextmanager
    def running(self) -> Iterator["Traffic"]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def _work(self, worker: int) -> None:
        url = f"{self._up.url}/v1/chat/completions"
        with httpx.Client(timeout=self._within, headers=bearer(self._key)) as client:
            while not self._stop.is_set():
                body = {"messages": [{"role": "user", "content": "Hello"}], **self._body(worker)}
                started = time.monotonic()
                try:
                    answer = client.post(url, json=body)
                except httpx.TransportError as error:
                    self.failed.append(error)
                    continue
                ended, request_id = time.monotonic(), answer.headers.get("x-request-id", "")
                self.seen.append(Seen(body["model"], started, ended, answer.status_code, request_id, answer.text))
                self.by_worker[worker] += 1

    def more(self) -> Callable[[], bool]:
        """Whether every connection has had an answer to a request that it began after now."""
        before = list(self.by_worker)
        return lambda: all(now >= then + 2 for now, then in zip(self.by_worker, before, strict=True))
