"""What a request costs, by how it ended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maas.domain.admission import Dialect, Request
from maas.domain.settlement import Ending, Spent, judge
from maas.domain.usage import Outcome, Source


def request(dialect: Dialect = Dialect.CHAT, *, stream: bool = True, max_tokens: int | None = 50) -> Request:
    return Request("id", dialect, "sim", stream, body_bytes=40, max_tokens=max_tokens)


def ending(**facts: object) -> Ending:
    return Ending(**{"id": "id", "started_at": 0.0, "duration_ms": 5, "status": 200, "sent": 900, **facts})  # type: ignore[arg-type]


ESTIMATED, REPORTED = Source.ESTIMATED, Source.REPORTED
CASES = {
    "whole, reported": (request(), ending(prompt=3, completion=4), Spent(3, 4, REPORTED, Outcome.COMPLETE)),
    "hung up after the last event": (
        request(),
        ending(prompt=3, completion=4, aborted=True),
        Spent(3, 4, REPORTED, Outcome.COMPLETE),
    ),
    "hung up in the middle: what was streamed": (
        request(),
        ending(aborted=True),
        Spent(10, 5, ESTIMATED, Outcome.ABORTED),
    ),
    "hung up before the first event": (
        request(),
        ending(aborted=True, sent=0),
        Spent(10, 0, ESTIMATED, Outcome.ABORTED),
    ),
    "Anthropic tells the prompt first": (
        request(Dialect.MESSAGES),
        ending(prompt=3, completion=1, aborted=True),
        Spent(3, 9, ESTIMATED, Outcome.ABORTED),
    ),
    "a whole answer cut off: what it could have become": (
        request(stream=False),
        ending(aborted=True, sent=0, status=0),
        Spent(10, 50, ESTIMATED, Outcome.ABORTED),
    ),
    "nobody limited it": (
        request(stream=False, max_tokens=None),
        ending(aborted=True, sent=0, status=0),
        Spent(10, 256, ESTIMATED, Outcome.ABORTED),
    ),
    "an error of the model": (request(), ending(status=500), Spent(0, 0, REPORTED, Outcome.FAILED)),
    "no model got it": (request(), ending(reached=False, status=503), Spent(0, 0, REPORTED, Outcome.FAILED)),
    "broke off": (request(), ending(broken=True), Spent(10, 5, ESTIMATED, Outcome.FAILED)),
    "says nothing of usage": (request(stream=False), ending(), Spent(10, 225, ESTIMATED, Outcome.COMPLETE)),
    "embeddings have no answer to charge": (
        request(Dialect.EMBEDDINGS, stream=False),
        ending(),
        Spent(10, 0, ESTIMATED, Outcome.COMPLETE),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_it_costs(case: str) -> None:
    asked, ended, spent = CASES[case]
    assert judge(asked, ended) == spent


@given(st.booleans(), st.booleans(), st.integers(1, 10**6), st.sampled_from(Dialect))
def test_nothing_that_was_streamed_is_free(aborted: bool, broken: bool, sent: int, dialect: Dialect) -> None:
    spent = judge(request(dialect), ending(aborted=aborted, broken=broken, sent=sent))
    assert spent.prompt_tokens + spent.completion_tokens > 0
    assert dialect is Dialect.EMBEDDINGS or spent.completion_tokens * 180 >= sent
