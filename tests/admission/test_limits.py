"""The promises about limits, over every history hypothesis can think of."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.domain.admission import Admitted, Dialect, Refused, Request, Why, decide
from maas.domain.keys import Key
from maas.domain.limits import Limit, Unit
from maas.domain.money import Price
from maas.domain.platform import Model, Platform, Tier
from maas.embedded.counters import Counters

KEY = Key("key_1", b"h" * 32, "sk-maas-abcd...", "ann", "free", "", created_at=0.0)
OTHER = replace(KEY, id="key_2", hash=b"i" * 32, user="bob")


def platform(*limits: Limit, context: int | None = None, price: Price | None = None) -> Platform:
    model = Model("sim", "simulator", context_length=context, price=price or Price())
    return Platform({"sim": model}, {"free": Tier("free", limits)})


def request(*, tokens: int | None = None, body: int = 10, answers: int = 1) -> Request:
    return Request("id", Dialect.CHAT, "sim", stream=False, body_bytes=body, max_tokens=tokens, answers=answers)


def admit(where: Platform, counters: Counters, asked: Request, now: float, key: Key = KEY) -> Admitted | Refused:
    verdict = decide(asked, key, where, counters, now)
    if isinstance(verdict, Admitted):
        counters.hold(key.user, key.tier, verdict.holds, now)
    return verdict


def settle(where: Platform, counters: Counters, held: Admitted, tokens: int, now: float, cost: int = 0) -> None:
    counters.settle(KEY.user, KEY.tier, held.holds, where.tiers["free"].limits, tokens, cost, now)


def test_exactly_as_many_requests_as_the_limit_says() -> None:
    where, counters = platform(Limit(Unit.REQUESTS, 5, 120)), Counters()
    verdicts = [admit(where, counters, request(), now=i) for i in range(7)]
    assert [isinstance(v, Admitted) for v in verdicts] == [True] * 5 + [False] * 2
    refused = verdicts[5]
    assert isinstance(refused, Refused)
    assert refused.why is Why.LIMIT
    assert refused.retry_after == 115  # the window began at 0
    assert isinstance(admit(where, counters, request(), now=119.999), Refused)
    assert isinstance(admit(where, counters, request(), now=120), Admitted)


def test_another_user_of_the_tier_is_not_affected() -> None:
    where, counters = platform(Limit(Unit.REQUESTS, 1, 120)), Counters()
    assert isinstance(admit(where, counters, request(), 0), Admitted)
    assert isinstance(admit(where, counters, request(), 0), Refused)
    assert isinstance(admit(where, counters, request(), 0, OTHER), Admitted)


def test_a_lone_request_is_never_refused_for_its_estimate() -> None:
    where, counters = platform(Limit(Unit.TOKENS, 200, 60)), Counters()
    held = admit(where, counters, request(tokens=10_000), 0)
    assert isinstance(held, Admitted)
    settle(where, counters, held, 199, 1)
    held = admit(where, counters, request(tokens=None), 2)
    assert isinstance(held, Admitted), "one token is left: the next may try"


def test_a_refusal_burns_nothing() -> None:
    """Over one limit of two: the other one is as it was."""
    requests, tokens = Limit(Unit.REQUESTS, 5, 120), Limit(Unit.TOKENS, 100, 60)
    where, counters = platform(requests, tokens), Counters()
    held = admit(where, counters, request(tokens=1), 0)
    assert isinstance(held, Admitted)
    settle(where, counters, held, 100, 0)
    before = counters.level("ann", "free", requests, 1)
    refused = admit(where, counters, request(tokens=1), 1)
    assert isinstance(refused, Refused)
    assert refused.over == tokens
    assert counters.level("ann", "free", requests, 1) == before


def test_the_strictest_limit_wins() -> None:
    short, long = Limit(Unit.REQUESTS, 1, 60), Limit(Unit.REQUESTS, 1, 3600)
    where, counters = platform(short, long), Counters()
    admit(where, counters, request(), 0)
    refused = admit(where, counters, request(), 10)
    assert isinstance(refused, Refused)
    assert (refused.over, refused.retry_after) == (long, 3590)


def test_waiting_for_a_reservation_is_said_to_be_that() -> None:
    where, counters = platform(Limit(Unit.TOKENS, 200, 60)), Counters()
    held = admit(where, counters, request(tokens=None), 0)
    assert isinstance(held, Admitted)
    refused = admit(where, counters, request(tokens=5), 0)
    assert isinstance(refused, Refused)
    assert refused.settling
    assert refused.retry_after == 1
    settle(where, counters, held, 30, 0)
    assert isinstance(admit(where, counters, request(tokens=5), 0), Admitted)


def test_money_is_held_and_charged_at_the_models_price() -> None:
    price = Price.per_million("1", "2")
    where, counters = platform(Limit(Unit.MONEY, 100 * 2 * 10**6, 86400), price=price), Counters()
    held = admit(where, counters, request(tokens=10), 0)
    assert isinstance(held, Admitted)
    assert held.holds[0].amount == 10 * 10**6 + 10 * 2 * 10**6
    settle(where, counters, held, 0, 0, cost=100 * 2 * 10**6)
    assert isinstance(admit(where, counters, request(tokens=10), 1), Refused)


def test_a_model_without_a_price_passes_a_spent_budget_in_money() -> None:
    budget = Limit(Unit.MONEY, 5, 86400)
    where, counters = platform(budget, price=Price(1, 1)), Counters()
    held = admit(where, counters, request(tokens=10), 0)
    assert isinstance(held, Admitted)
    settle(where, counters, held, 20, 0, cost=20)
    assert isinstance(admit(where, counters, request(tokens=10), 0), Refused)
    assert isinstance(admit(platform(budget), counters, request(tokens=10), 0), Admitted)


def test_a_clock_that_was_set_back_does_not_stretch_a_window() -> None:
    where, counters = platform(Limit(Unit.REQUESTS, 1, 120)), Counters()
    assert isinstance(admit(where, counters, request(), 1_000_000), Admitted)
    refused = admit(where, counters, request(), 10)
    assert isinstance(refused, Refused)
    assert refused.retry_after == 120
    assert isinstance(admit(where, counters, request(), 130), Admitted)


@pytest.mark.parametrize("amount", [0])
def test_a_limit_of_nothing_lets_nothing_through(amount: int) -> None:
    where = platform(Limit(Unit.TOKENS, amount, 60))
    assert isinstance(admit(where, Counters(), request(tokens=0), 0), Refused)


step = st.tuples(
    st.sampled_from(["ask", "ask", "ask", "settle"]),
    st.one_of(st.none(), st.integers(0, 60)),  # max_tokens
    st.integers(2, 40),  # body bytes
    st.floats(0, 1),  # how much of its bound a request really spends
    st.integers(0, 100),  # which one settles
)


@settings(max_examples=300, deadline=None)
@given(st.lists(step, max_size=80), st.integers(1, 300))
def test_spending_passes_a_limit_by_at_most_one_answer(
    history: list[tuple[str, int | None, int, float, int]], amount: int
) -> None:
    """In whatever order requests come and settle within a window; an unbounded one spends up to 80 tokens."""
    where, counters = platform(Limit(Unit.TOKENS, amount, 10**9)), Counters()
    running: list[tuple[Admitted, int]] = []
    spent = largest = 0
    for what, tokens, body, share, which in history:
        if what == "ask":
            verdict = admit(where, counters, request(tokens=tokens, body=body), 0)
            if isinstance(verdict, Admitted):
                running.append((verdict, round((body + (80 if tokens is None else tokens)) * share)))
        elif running:
            held, actual = running.pop(which % len(running))
            settle(where, counters, held, actual, 0)
            spent, largest = spent + actual, max(largest, actual)
    for held, actual in running:
        settle(where, counters, held, actual, 0)
        spent, largest = spent + actual, max(largest, actual)
    assert spent <= amount + max(0, largest - 1)
    level = counters.level("ann", "free", Limit(Unit.TOKENS, amount, 10**9), 0)
    assert (level.used, level.reserved, level.clipped) == (spent, 0, False)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 500), min_size=1, max_size=60), st.integers(1, 8), st.integers(1, 120))
def test_no_window_ever_holds_more_requests_than_the_limit(gaps: list[float], amount: int, seconds: int) -> None:
    """Windows start at the first hit: count the admitted ones from each window's start."""
    where, counters = platform(Limit(Unit.REQUESTS, amount, seconds)), Counters()
    now, start, admitted = 0.0, None, 0
    for gap in gaps:
        now += gap
        if start is None or now >= start + seconds:
            start, admitted = now, 0
        let_in = isinstance(admit(where, counters, request(), now), Admitted)
        assert let_in == (admitted < amount)
        admitted += let_in
