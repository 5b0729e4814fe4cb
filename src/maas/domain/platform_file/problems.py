"""What pydantic found wrong, in words and with lines."""

import difflib
from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ValidationError

from maas.domain.platform_file import schema
from maas.domain.platform_file.tree import Path

_KINDS = {
    "model_type": "must be a section of entries, one a line: name: value",
    "dict_type": "must be a section of entries, one a line: name: value",
    "tuple_type": "must be a list; write [first, second]",
    "frozen_set_type": "must be a list; write [first, second]",
}
_EXAMPLES = {"runtime": "runtime: simulator", "per": "per: 2m"}


def found(error: ValidationError) -> Iterator[tuple[Path, str]]:
    """Each problem's path and what to do about it."""
    for detail in error.errors(include_url=False):
        path = tuple(part for part in detail["loc"] if part != "[key]")
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, schema.Broken):
            yield from (((*path, *inner), message) for inner, message in cause.problems)
        elif isinstance(cause, ValueError):
            yield path, str(cause)
        else:
            yield _generic(path, detail["type"], detail["msg"])


def shown(path: Path) -> str:
    """tiers.free.limits[0].per"""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def line_of(path: Path, lines: Mapping[Path, int]) -> int | None:
    """The line of the path, or of the nearest part around it that was written."""
    while path not in lines and path:
        path = path[:-1]
    return lines.get(path)


def _generic(path: Path, kind: str, message: str) -> tuple[Path, str]:
    if kind == "extra_forbidden":
        return path, _unknown(str(path[-1]), _part(path[:-1]))
    if kind == "missing":
        return path[:-1], f"{path[-1]} is missing; write for example {_EXAMPLES[str(path[-1])]}"
    return path, _KINDS.get(kind, message)


def _unknown(name: str, part: type[BaseModel]) -> str:
    known = list(part.model_fields)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}?" if close else f"write one of {', '.join(known)}"
    return f"is not known here; {hint}"


def _part(path: Path) -> type[BaseModel]:
    match path:
        case ("gateway",):
            return schema.Gateway
        case ("usage",):
            return schema.Usage
        case ("models", _, "price"):
            return schema.Price
        case ("models", _):
            return schema.Model
        case ("tiers", _, "limits", _):
            return schema.Limit
        case ("tiers", _):
            return schema.Tier
    return schema.File
