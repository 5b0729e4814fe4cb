"""What is behind a failure and what to do about it, as data."""

from collections.abc import Callable
from dataclasses import dataclass
from re import Match, Pattern


@dataclass(frozen=True)
class Explained:
    cause: str = ""
    remedies: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


NOTHING = Explained()


@dataclass(frozen=True)
class Sign:
    """A way in which servers say something, and what to make of it."""

    words: Pattern[str]
    made: Callable[[Match[str], str], Explained]  # given the namespace it is about


def first(signs: tuple[Sign, ...], said: str, namespace: str) -> Explained:
    for sign in signs:
        if found := sign.words.search(said):
            return sign.made(found, namespace)
    return NOTHING


def within(namespace: str) -> str:
    return f" -n {namespace}" if namespace else ""
