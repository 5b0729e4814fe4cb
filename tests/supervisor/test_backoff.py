from hypothesis import given
from hypothesis import strategies as st

from maas.embedded.supervisor.backoff import FORGIVEN_AFTER, LONGEST_DELAY, Backoff

short_lives = st.floats(0, FORGIVEN_AFTER, exclude_max=True)
any_life = st.floats(0, 1e9)


def after(lives: list[float]) -> Backoff:
    backoff = Backoff()
    for lived in lives:
        backoff = backoff.died(lived)
    return backoff


def test_the_delays_of_a_crash_loop() -> None:
    delays = [after([0.0] * deaths).delay for deaths in range(1, 12)]
    assert delays == [0.0, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


@given(st.lists(any_life, min_size=1, max_size=50))
def test_only_a_first_death_is_not_waited_after(lives: list[float]) -> None:
    backoff = after(lives)
    assert (backoff.delay == 0.0) == (len(lives) == 1 or lives[-1] >= FORGIVEN_AFTER)
    assert backoff.delay <= LONGEST_DELAY


@given(st.lists(any_life, max_size=20), st.lists(short_lives, max_size=20))
def test_a_long_life_forgives_what_was_before(before: list[float], since: list[float]) -> None:
    assert after([*before, FORGIVEN_AFTER, *since]) == after([FORGIVEN_AFTER, *since])


@given(st.lists(short_lives, min_size=1, max_size=3000))
def test_delays_never_shrink_while_it_keeps_dying(lives: list[float]) -> None:
    assert after(lives).delay >= after(lives[:-1]).delay


@given(st.lists(short_lives, min_size=10, max_size=200))
def test_a_crash_loop_is_never_hot(lives: list[float]) -> None:
    """However short the lives, ten deaths take at least 80 s."""
    assert sum(after(lives[:deaths]).delay for deaths in range(1, len(lives) + 1)) >= 8 * len(lives)
