"""What an admitted request really cost, judged from how it ended.

What the model reported counts. Where it reported nothing, nothing that was spent may be free: a stream that
was cut off is charged what was streamed, and a whole answer that was cut off what it could have become. An
answer with an error status is charged nothing, and neither is a request that no model received.
"""

from dataclasses import dataclass

from maas.domain.admission import Dialect, Request
from maas.domain.usage import Outcome, Source

BYTES_PER_TOKEN = 4  # of plain text: a mean of English and code, only used where the model reported nothing
UNSEEN_ANSWER_TOKENS = 256  # an answer that nobody limited and nobody saw
UNSEEN_AT_MOST = 1_000_000  # whatever its limit: clients may write any number there, and sums of it must fit a column
_EVENT_BYTES = {  # of a server-sent event that carries one token, so that an estimate errs on the dear side
    Dialect.CHAT: 180,
    Dialect.COMPLETIONS: 150,
    Dialect.RESPONSES: 150,
    Dialect.MESSAGES: 100,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How the gateway saw a request end. Times are seconds since the epoch or milliseconds, sizes bytes.

    status: 0 if no answer began. prompt, completion: what the model reported. reached: a model got the request.
    aborted: the client hung up. broken: the answer broke off after it began.
    """

    id: str
    started_at: float
    duration_ms: int
    status: int
    sent: int
    first_byte_ms: int | None = None
    prompt: int | None = None
    completion: int | None = None
    reached: bool = True
    aborted: bool = False
    broken: bool = False

    @property
    def ended_at(self) -> float:
        return self.started_at + self.duration_ms / 1000


@dataclass(frozen=True, slots=True)
class Spent:
    prompt_tokens: int
    completion_tokens: int
    source: Source
    outcome: Outcome


def judge(request: Request, ending: Ending) -> Spent:
    outcome = _outcome(request, ending)
    final = request.dialect is not Dialect.MESSAGES or outcome is Outcome.COMPLETE
    if ending.prompt is not None and final:
        return Spent(ending.prompt, ending.completion or 0, Source.REPORTED, outcome)
    if not ending.reached or ending.status >= 400:
        return Spent(0, 0, Source.REPORTED, outcome)
    prompt = ending.prompt if ending.prompt is not None else prompt_estimate(request)
    completion = max(ending.completion or 0, _answer_estimate(request, ending))
    return Spent(prompt, completion, Source.ESTIMATED, outcome)


def lost(request: Request) -> Spent:
    """The gateway died with the request under way: as dear as an answer of which nothing was seen."""
    return Spent(prompt_estimate(request), _unseen_answer(request), Source.ESTIMATED, Outcome.LOST)


def prompt_estimate(request: Request) -> int:
    return -(-request.body_bytes // BYTES_PER_TOKEN)


def _outcome(request: Request, ending: Ending) -> Outcome:
    """Clients hang up as soon as they have read a stream's last event, often before the stream has quite ended."""
    if ending.aborted and not _has_ended(request, ending):
        return Outcome.ABORTED
    ok = ending.reached and 200 <= ending.status < 400 and not ending.broken
    return Outcome.COMPLETE if ok else Outcome.FAILED


def _has_ended(request: Request, ending: Ending) -> bool:
    """Usage comes last in an answer; Anthropic's dialect alone tells the prompt's at the beginning."""
    return ending.completion is not None and ending.status == 200 and request.dialect is not Dialect.MESSAGES


def _answer_estimate(request: Request, ending: Ending) -> int:
    if request.dialect is Dialect.EMBEDDINGS:
        return 0
    if ending.sent == 0 and not request.stream:
        return _unseen_answer(request) if ending.aborted or ending.broken else 0
    size = _EVENT_BYTES[request.dialect] if request.stream else BYTES_PER_TOKEN
    return -(-ending.sent // size)


def _unseen_answer(request: Request) -> int:
    if request.dialect is Dialect.EMBEDDINGS:
        return 0
    each = UNSEEN_ANSWER_TOKENS if request.max_tokens is None else request.max_tokens
    return min(each * request.answers, UNSEEN_AT_MOST)
