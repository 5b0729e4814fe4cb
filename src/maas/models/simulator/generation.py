"""One generation from its first token to its last, whole or streamed, and the count of what was really made."""

import asyncio
from collections.abc import Awaitable, Callable

from .client import Client
from .dialect import Events
from .engine import Pace
from .metrics import Metrics
from .request_log import Record
from .task import Answer, Usage

BURST = 64  # tokens in one write when many are due, as they are without latency

Send = Callable[[bytes], Awaitable[None]]  # ConnectionError: the caller has left


class Generation:
    """Keeps `record.completion_tokens` true with every token made, and sets `record.aborted` if the caller left."""

    def __init__(
        self,
        answers: list[Answer],
        pace: Pace,
        client: Client,
        record: Record,
        metrics: Metrics,
        arrived: float,
    ) -> None:
        self._answers = answers
        self._size = max(len(answer.pieces) for answer in answers)
        self._pace = pace
        self._client = client
        self._record = record
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._arrived = arrived
        self._started = self._latest = self._loop.time()
        self._first: float | None = None

    @property
    def usage(self) -> Usage:
        return Usage(self._record.prompt_tokens, self._record.completion_tokens)

    async def whole(self) -> None:
        end = self._started + self._pace.due(self._size - 1)
        if end > self._loop.time():
            await self._client.pause(end)
        self._record.aborted = self._client.gone
        made = self._made_by_now() if self._client.gone else self._size
        total = sum(min(made, len(answer.pieces)) for answer in self._answers)
        if made:
            self._made(total, self._started + self._pace.due(0))
        for position in range(1, made if self._pace.takes_time else 0):
            self._metrics.gap(self._pace.due(position) - self._pace.due(position - 1))
        self._latest = self._loop.time()

    async def stream(self, events: Events, send: Send) -> None:
        position = 0
        pending = events.opening()
        while not (done := position == self._size and not pending) and await self._reach(position):
            end = min(self._size, position + BURST, max(position + 1, self._made_by_now()))
            usage, frames = self._frames(events, position, end)
            try:
                await send(pending + frames)
            except ConnectionError:
                break
            self._made(usage.completion - self._record.completion_tokens, self._loop.time())
            position, pending = end, b""
        self._record.aborted = not done

    def close(self) -> None:
        """To the metrics, however it ended."""
        reason = "length" if self._answers[0].finish == "length" else "stop"
        first = self._latest if self._first is None else self._first
        self._metrics.ended(
            "abort" if self._record.aborted else reason,
            self._record.completion_tokens,
            queued=self._started - self._arrived,
            prefill=first - self._started,
            decode=max(0.0, self._latest - first),
        )

    async def _reach(self, position: int) -> bool:
        """Waits until the token at `position` is due. False: the caller has left.

        Lets the others run also when it is due already: granian takes all that it is sent, without holding back.
        """
        due = self._started + self._pace.due(position)
        if position or due > self._loop.time():
            await self._client.pause(due)
        return not self._client.gone

    def _made_by_now(self) -> int:
        return self._pace.tokens_at(self._loop.time() - self._started)

    def _frames(self, events: Events, position: int, end: int) -> tuple[Usage, bytes]:
        """The events of the tokens from `position` to `end` of all choices, and what will have been used by then."""
        frames: list[bytes] = []
        usage = self.usage
        for step in range(position, end):
            for choice, answer in enumerate(self._answers):
                if step < len(answer.pieces):
                    usage = Usage(usage.prompt, usage.completion + 1)
                    frames.append(events.piece(choice, answer, step, usage))
        for choice, answer in enumerate(self._answers):
            if position < len(answer.pieces) <= end or (not answer.pieces and not position):
                frames.append(events.end(choice, answer, usage))
        if end == self._size:
            frames.append(events.closing(usage))
        return usage, b"".join(frames)

    def _made(self, tokens: int, at: float) -> None:
        self._record.completion_tokens += tokens
        self._metrics.generated(tokens)
        if self._first is None:
            self._first = at
            self._metrics.first_token(at - self._arrived)
        else:
            self._metrics.gap(at - self._latest)
        self._latest = at
