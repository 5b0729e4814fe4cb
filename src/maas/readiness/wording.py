"""How findings put amounts into words."""

from fractions import Fraction

_GIB = 2**30


def count(number: int, noun: str, plural: str = "") -> str:
    """ "1 node", "3 nodes", "no nodes"."""
    word = noun if number == 1 else plural or f"{noun}s"
    return f"{number or 'no'} {word}"


def gib(amount: int) -> str:
    """Bytes: "15.3 GiB"."""
    return f"{_short(Fraction(amount, _GIB))} GiB"


def cores(milli: int) -> str:
    """Thousandths of a CPU: "3.9"."""
    return _short(Fraction(milli, 1000))


def _short(amount: Fraction) -> str:
    """One decimal, cut rather than rounded, so that what is too little never reads as enough."""
    tenths = amount * 10 // 1
    return f"{tenths // 10}" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"
