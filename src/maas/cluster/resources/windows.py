"""Windows as Kuadrant writes them: hours, minutes and seconds, at most five digits each. It knows no days."""

_LARGEST = 99_999


def window(seconds: int) -> str:
    """The shortest exact form: 120 -> "2m", 90 -> "1m30s", 86400 -> "24h". Any whole second up to eleven years."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    if seconds < 1 or hours > _LARGEST:
        raise ValueError(f"{seconds} seconds are no window that Kuadrant can express")
    parts = ((hours, "h"), (minutes, "m"), (left, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)
