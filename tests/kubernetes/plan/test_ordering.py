"""Steps in order: each after those it needs, else as given; a circle is a mistake of ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maas.cluster.plan.model import Step
from maas.cluster.plan.ordering import Tangled, bridged, ordered
from tests.kubernetes.plan.making import step


@st.composite
def tangles(draw: st.DrawFn) -> list[Step]:
    """Steps without circles, in any order, some of whose needs are not among them."""
    count = draw(st.integers(0, 8))
    made = []
    for number in range(count):
        needs = draw(st.lists(st.integers(-2, number - 1), max_size=3, unique=True))
        made.append(step(f"s{number}", needs=tuple(f"s{need}" for need in needs)))
    return draw(st.permutations(made))


@given(tangles())
def test_each_comes_after_those_it_needs(steps: list[Step]) -> None:
    found = ordered(steps)
    assert sorted(each.key for each in found) == sorted(each.key for each in steps)
    for index, each in enumerate(found):
        later = {other.key for other in found[index:]}
        assert later.isdisjoint(each.needs)
    assert ordered(found) == found, "what is in order stays as it is"


@given(tangles(), st.sets(st.integers(0, 8)))
def test_what_falls_out_in_between_still_counts(steps: list[Step], gone: set[int]) -> None:
    """Whoever came before another, however far, still does."""
    kept = [each for each in steps if int(each.key[1:]) not in gone]
    assert _reached(bridged(steps, kept), kept) == _reached(steps, kept)


def _reached(steps: list[Step], kept: list[Step]) -> set[tuple[str, str]]:
    by_key, stay = {each.key: each for each in steps}, {each.key for each in kept}

    def before(key: str) -> set[str]:
        direct = {need for need in by_key[key].needs if need in by_key}
        return direct.union(*(before(need) for need in direct))

    return {(key, need) for key in stay for need in before(key) if need in stay}


def test_those_that_could_come_next_come_as_given() -> None:
    steps = [step("c", needs=("b",)), step("a"), step("b"), step("d")]
    assert [each.key for each in ordered(steps)] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "steps",
    [
        [step("a", needs=("b",)), step("b", needs=("a",))],
        [step("a", needs=("a",))],
        [step("a"), step("a")],
    ],
)
def test_circles_and_doubles_are_our_own_mistakes(steps: list[Step]) -> None:
    with pytest.raises(Tangled):
        ordered(steps)
