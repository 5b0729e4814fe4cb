"""Kubernetes quantities ("100m", "1.5Gi", "1e3"), read exactly.

Amounts of things only: what is negative, malformed or beyond any machine is None. Fractions below a billionth are
rounded up to it and amounts are added up in whole units, rounded up, as the scheduler does.
"""

import re
from fractions import Fraction
from functools import lru_cache
from math import ceil

_SYNTAX = re.compile(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,3})?", re.ASCII)
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_LONGEST = 64
_LARGEST = Fraction(10) ** 24  # a million exabytes
_SMALLEST = Fraction(1, 10**9)


def exact(value: object) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, int) and abs(value) > _LARGEST:
        return None  # before Python refuses to write it out
    return _read(value if isinstance(value, str) else repr(value))


def whole(value: object) -> int | None:
    """Bytes, or pieces."""
    return _whole(value, 1)


def milli(value: object) -> int | None:
    """Thousandths: CPU."""
    return _whole(value, 1000)


def _whole(value: object, parts: int) -> int | None:
    if isinstance(value, str):
        return _whole_text(value, parts)
    amount = exact(value)
    return None if amount is None else ceil(amount * parts)


@lru_cache(maxsize=4096)
def _whole_text(value: str, parts: int) -> int | None:
    amount = _read(value)
    return None if amount is None else ceil(amount * parts)


def _read(value: str) -> Fraction | None:
    match = _SYNTAX.fullmatch(value) if len(value) <= _LONGEST else None
    if match is None:
        return None
    amount = Fraction(match[1]) * _unit(match[2] or "")
    if amount > _LARGEST:
        return None
    return max(amount, _SMALLEST) if amount else amount


def _unit(suffix: str) -> Fraction:
    if suffix in _BINARY:
        return Fraction(2) ** _BINARY[suffix]
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        return Fraction(10) ** int(suffix[1:])
    return Fraction(10) ** _POWERS.get(suffix, 0)
