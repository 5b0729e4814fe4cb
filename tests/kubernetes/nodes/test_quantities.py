"""Kubernetes quantities are read exactly."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maas.cluster.quantities import exact, milli, whole

_UNITS = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal("1e3"),
    "M": Decimal("1e6"),
    "G": Decimal("1e9"),
    "T": Decimal("1e12"),
    "P": Decimal("1e15"),
    "E": Decimal("1e18"),
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
    **{f"e{power}": Decimal(10) ** power for power in range(-9, 10)},
    **{f"E+{power}": Decimal(10) ** power for power in range(10)},
}
amounts = st.builds(
    lambda before, after: f"{before}.{after}" if after else str(before),
    st.integers(0, 10**6),
    st.text("0123456789", max_size=4),
)


@given(amounts, st.sampled_from(sorted(_UNITS)))
def test_every_number_with_every_unit_is_what_decimals_say(number: str, unit: str) -> None:
    with localcontext() as context:
        context.prec = 80
        wanted = Decimal(number) * _UNITS[unit]
    smallest = Fraction(1, 10**9)
    found = exact(number + unit)
    if wanted > Decimal("1e24"):
        assert found is None
    else:
        assert found == (max(Fraction(wanted), smallest) if wanted else 0)


@given(amounts, st.sampled_from(sorted(_UNITS)))
def test_whole_and_milli_are_rounded_up_and_by_less_than_one(number: str, unit: str) -> None:
    found = exact(number + unit)
    if found is not None:
        bytes_, thousandths = whole(number + unit), milli(number + unit)
        assert bytes_ is not None and thousandths is not None
        assert 0 <= bytes_ - found < 1
        assert 0 <= thousandths - found * 1000 < 1


@pytest.mark.parametrize(
    ("written", "bytes_", "thousandths"),
    [
        ("100m", 1, 100),
        ("1.5", 2, 1500),
        (".5", 1, 500),
        ("2.", 2, 2000),
        ("+1", 1, 1000),
        ("1Gi", 2**30, 2**30 * 1000),
        ("1e3", 1000, 10**6),
        ("1E3", 1000, 10**6),
        ("12E", 12 * 10**18, 12 * 10**21),
        ("1E", 10**18, 10**21),
        ("1n", 1, 1),
        ("0", 0, 0),
        ("0e30", 0, 0),
        (4, 4, 4000),
        (2.5, 3, 2500),
        (1e22, 10**22, 10**25),
    ],
)
def test_forms_that_occur(written: object, bytes_: int, thousandths: int) -> None:
    assert (whole(written), milli(written)) == (bytes_, thousandths)


@pytest.mark.parametrize(
    "absurd",
    [
        *("", " ", "-1", "-5Gi", "1 Gi", "1gi", "1KI", "Gi", "1e", "1ee3", "1.2.3", "0x10", "1_000", "١", "1\n", "inf"),
        *("nan", "1e999", "9" * 65, "1e25", None, True, False, [], {}, -1),
        pytest.param(-(10**5000), id="huge and negative"),
        pytest.param(10**5000, id="huge"),
        *(float("inf"), float("nan"), -0.5),
    ],
)
def test_absurd_amounts_are_none(absurd: object) -> None:
    assert exact(absurd) is None
    assert whole(absurd) is None
    assert milli(absurd) is None


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.integers()), st.binary()))
def test_nothing_raises(value: object) -> None:
    for read in (whole, milli):
        found = read(value)
        assert found is None or found >= 0
