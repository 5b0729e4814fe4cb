"""Evidence that stays readable when a thousand objects are alike."""

from collections.abc import Iterable, Sequence

from maas.readiness.findings import Seen

_EXAMPLES = 5
_LONGEST = 300  # characters; messages of controllers can hold whole documents


def some(seen: Iterable[Seen], examples: int = _EXAMPLES) -> tuple[Seen, ...]:
    """A few of them, and how many more there are."""
    every = list(seen)
    rest = len(every) - examples
    return (*every[:examples], Seen(f"and {rest} more")) if rest > 0 else tuple(every)


def names(of: Iterable[str], examples: int = _EXAMPLES) -> str:
    """ "a, b and 3 more"."""
    every: Sequence[str] = list(of)
    rest = len(every) - examples
    return ", ".join(every[:examples]) + (f" and {rest} more" if rest > 0 else "")


def brief(message: str) -> str:
    """A controller's message in one line."""
    line = " ".join(message.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
