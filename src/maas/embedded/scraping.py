"""What the models' own servers measure (queues, KV cache, tokens per second), shown beside the platform's metrics.

Each server is asked every few seconds, in threads of its own; whoever scrapes the platform gets what was heard last.
So a server that hangs costs nobody a decision, and what one may say is bounded. Its unix socket is no place that a
Prometheus could reach, and the gateway is no place for its numbers: they tell of everybody's traffic.
"""

import asyncio
import http.client
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from maas.embedded import log

_EVERY = 5.0  # seconds
_PATIENCE = 2.0
_LARGEST = 2**20  # bytes of one server's answer; vLLM's has 50 000
_THREADS = 4
_THEIRS = ("vllm:", "llamacpp:")  # what else they tell is of their process, and the same under every name
_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?")
_OWN_LABEL = re.compile(r'(^|,)\s*model=(?=")')

Sockets = Mapping[str, Path]  # by model: where its server listens


@dataclass
class Family:
    """head: its HELP and TYPE. samples: of all models, for the format wants a family in one piece."""

    head: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)


class Scraper:
    """served: the models that are ready, as they are now."""

    def __init__(self, served: Callable[[], Sockets]) -> None:
        self._served = served
        self._text = b""
        self._heard: frozenset[str] = frozenset()  # whose servers answered
        self._threads = ThreadPoolExecutor(_THREADS, "scraping")

    async def follow(self) -> None:
        try:
            while True:
                await self._ask_all(self._served())
                await asyncio.sleep(_EVERY)
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def text(self) -> bytes:
        """In Prometheus's text format, as heard last: a model that has gone is told of a few seconds more."""
        return self._text

    async def _ask_all(self, served: Sockets) -> None:
        loop = asyncio.get_running_loop()
        asked = {model: loop.run_in_executor(self._threads, ask, place) for model, place in served.items()}
        heard = {model: await answer for model, answer in asked.items()}
        for model in self._heard & {model for model, text in heard.items() if text is None}:
            log.warning("model_metrics_unreadable", model=model)
        self._heard = frozenset(model for model, text in heard.items() if text is not None)
        self._text = await loop.run_in_executor(self._threads, told, heard)


def ask(place: Path) -> str | None:
    """What the server there says at /metrics; None if it does not, takes too long, or says too much."""
    deadline = time.monotonic() + _PATIENCE
    connection = http.client.HTTPConnection("model", timeout=_PATIENCE)
    try:
        connection.sock = _connected(place)
        connection.request("GET", "/metrics", headers={"accept-encoding": "identity"})
        answer = connection.getresponse()
        text = b"".join(_pieces(answer, deadline))
        return text.decode(errors="replace") if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _connected(place: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(_PATIENCE)
        made.connect(str(place))
    except OSError:
        made.close()
        raise
    return made


def _pieces(answer: http.client.HTTPResponse, deadline: float) -> Iterator[bytes]:
    """Raises TimeoutError for what takes too long as a whole, and HTTPException for what has no end."""
    size = 0
    while piece := answer.read1(65536):
        size += len(piece)
        if size > _LARGEST:
            raise http.client.HTTPException("too long")
        if time.monotonic() > deadline:
            raise TimeoutError
        yield piece


def told(heard: Mapping[str, str | None]) -> bytes:
    """None: that model's server did not answer."""
    return "".join(f"{line}\n" for line in _lines(heard)).encode()


def _lines(heard: Mapping[str, str | None]) -> Iterator[str]:
    if heard:
        yield "# HELP maas_model_up Whether the model's server told its metrics when it was asked last"
        yield "# TYPE maas_model_up gauge"
    for model, text in sorted(heard.items()):
        yield f'maas_model_up{{model="{model}"}} {int(text is not None)}'
    for family in _merged({model: text for model, text in heard.items() if text is not None}):
        yield from (*family.head, *family.samples)


def _merged(texts: Mapping[str, str]) -> Iterable[Family]:
    """Each family once, with the samples of all models, which say whose they are."""
    families: dict[str, Family] = {}
    for model, text in sorted(texts.items()):
        new: dict[str, Family] = {}
        for name, line in _of_a_model(model, text):
            family = new.setdefault(name, Family())
            (family.head if line.startswith("#") else family.samples).append(line)
        for name, family in new.items():
            known = families.setdefault(name, Family(family.head))
            known.samples += family.samples
    return [family for family in families.values() if family.samples]


def _of_a_model(model: str, text: str) -> Iterator[tuple[str, str]]:
    """Each line that is kept, and the family that it belongs to."""
    family = ""
    for line in text.splitlines():
        if line.startswith(("# HELP ", "# TYPE ")):
            family = line.split(" ", 3)[2]
            if family.startswith(_THEIRS):
                yield family, line
        elif line.startswith(_THEIRS) and (found := _SAMPLE.fullmatch(line)):
            name, labels, value = found.groups()
            if not name.endswith("_created"):
                yield family if name.startswith(family) else name, f"{name}{{{_labels(model, labels)}}} {value}"


def _labels(model: str, theirs: str | None) -> str:
    """A label of theirs of that name is called as Prometheus would call it."""
    renamed = _OWN_LABEL.sub(r"\1exported_model=", theirs or "").strip().strip(",")
    return f'model="{model}",{renamed}' if renamed else f'model="{model}"'
