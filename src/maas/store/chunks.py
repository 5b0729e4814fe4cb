"""Lists cut to lengths that a statement may have as parameters."""

from collections.abc import Iterator, Sequence

_SIZE = 900  # SQLite before 3.32 takes 999 parameters


def chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _SIZE):
        yield items[start : start + _SIZE]
