"""Durations as people write them in maas.yaml ("2m", "24h", "30d") and as OpenAI's headers show them."""

import re

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def parse(text: str) -> float:
    """Seconds in "90s", "2m", "1h30m", "30d". Raises ValueError that says what to write instead."""
    parts = _PART.findall(text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise ValueError(f"{text!r} is no duration; write a number and a unit, for example 30s, 2m, 24h or 30d")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def compact(seconds: float) -> str:
    """The shortest exact form of whole seconds: 120 -> "2m", 5400 -> "1h30m", 86400 -> "1d"."""
    rest, out = round(seconds), ""
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, int(_UNITS[unit]))
        if count:
            out += f"{count}{unit}"
    return out or "0s"


def openai_reset(seconds: float) -> str:
    """A time left as OpenAI's x-ratelimit-reset-* headers write it: "250ms", "1s", "6m0s", "24h0m0s".

    Rounded up, so that a client that waits as long as told is never early.
    """
    if seconds < 1:
        return f"{max(0, _ceil(seconds * 1000))}ms"
    minutes, secs = divmod(_ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{secs}s"
    return f"{minutes}m{secs}s" if minutes else f"{secs}s"


def _ceil(value: float) -> int:
    return -int(-value // 1)
