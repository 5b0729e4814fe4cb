"""Texts and numbers that fit a JSON schema."""

import math
from collections.abc import Callable
from random import Random

from .schema_merge import BadSchema, Schema, real, whole
from .text import WORDS

_MAX_TEXT = 10_000
_FARTHEST = 2**53  # up to here a float is an exact integer
_FINEST = 1e-9
_SPAN = 100  # how far from its only bound a number is chosen


def _date(random: Random) -> str:
    return f"{random.randint(2020, 2029)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"


def _time(random: Random) -> str:
    return f"{random.randint(0, 23):02}:{random.randint(0, 59):02}:{random.randint(0, 59):02}Z"


def _uuid(random: Random) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


_FORMATS: dict[str, Callable[[Random], str]] = {
    "date": _date,
    "time": _time,
    "date-time": lambda random: f"{_date(random)}T{_time(random)}",
    "duration": lambda random: f"PT{random.randint(1, 59)}M",
    "email": lambda random: f"{random.choice(WORDS)}@example.com",
    "hostname": lambda random: f"{random.choice(WORDS)}.example.com",
    "ipv4": lambda random: f"192.0.2.{random.randint(1, 254)}",
    "ipv6": lambda random: f"2001:db8::{random.randint(1, 9999)}",
    "uri": lambda random: f"https://example.com/{random.choice(WORDS)}",
    "uuid": _uuid,
}


def text(schema: Schema, random: Random) -> str:
    kind = schema.get("format")
    if isinstance(kind, str) and kind in _FORMATS:
        return _FORMATS[kind](random)
    least = whole(schema, "minLength", 0)
    most = whole(schema, "maxLength", max(least, _MAX_TEXT))
    if least > most or least > _MAX_TEXT:
        raise BadSchema("allows no text, or only a very long one")
    made = random.choice(WORDS)
    while len(made) < least:
        made += " " + random.choice(WORDS)
    return made[:most]


def integer(schema: Schema, random: Random) -> int:
    low, high = _bounds(schema)
    step = _integer_step(schema)
    first, last = math.ceil(low / step), math.floor(high / step)
    first += _excluded(schema, "exclusiveMinimum", first * step)
    last -= _excluded(schema, "exclusiveMaximum", last * step)
    if first > last:
        raise BadSchema("allows no integer")
    return random.randint(first, last) * step


def number(schema: Schema, random: Random) -> float | int:
    step = real(schema, "multipleOf")
    low, high = _bounds(schema)
    if step is not None:
        if step < _FINEST:
            raise BadSchema("has a multipleOf that is too small")
        first, last = math.ceil(low / step), math.floor(high / step)
        if first > last:
            raise BadSchema("allows no number")
        return round(random.randint(first, last) * step, 12)
    for made in (round(random.uniform(low, high), 2), low + (high - low) / 2):
        within = low <= made <= high
        if within and not any(_excluded(schema, f"exclusive{end}imum", made) for end in ("Min", "Max")):
            return made
    raise BadSchema("allows no number")


def _integer_step(schema: Schema) -> int:
    """From multipleOf: 3 or 3.0, but also 0.5, of which every integer is a multiple."""
    step = real(schema, "multipleOf")
    if step is None or (0 < step < 1 and (1 / step).is_integer()):
        return 1
    if step < 1 or step != int(step):
        raise BadSchema("has a multipleOf that no integer is made for")
    return int(step)


def _bounds(schema: Schema) -> tuple[float, float]:
    """Both inclusive; where only one is given, or none, the other is near it."""
    lows = [bound for name in ("minimum", "exclusiveMinimum") if (bound := real(schema, name)) is not None]
    highs = [bound for name in ("maximum", "exclusiveMaximum") if (bound := real(schema, name)) is not None]
    if any(not abs(bound) < _FARTHEST for bound in lows + highs):
        raise BadSchema("has a bound that is too large")
    high = min(highs, default=max(lows, default=0) + _SPAN)
    low = max(lows, default=0 if high > 0 else high - _SPAN)
    if low > high:
        raise BadSchema("allows no number")
    return low, high


def _excluded(schema: Schema, name: str, made: float) -> bool:
    return real(schema, name) == made
