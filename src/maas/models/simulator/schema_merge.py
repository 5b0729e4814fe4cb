"""Two JSON schemas that must both hold, as one; and reading the numbers in a schema."""

from typing import Any

Schema = dict[str, Any]

_LARGER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_SMALLER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}


class BadSchema(ValueError):
    """The schema ... followed by what is wrong with it."""


def merge(one: Any, other: Any) -> Any:
    if one is False or other is False:
        return False
    if not isinstance(one, dict) or not isinstance(other, dict):
        return other if one is True else one
    merged = {**one, **other}
    for key in one.keys() & other.keys():
        merged[key] = _both(key, one[key], other[key])
    return merged


def whole(schema: Schema, name: str, default: int) -> int:
    found = schema.get(name, default)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise BadSchema(f"has a bad {name}")
    return found


def real(schema: Schema, name: str) -> float | int | None:
    found = schema.get(name)
    if found is not None and (not isinstance(found, int | float) or isinstance(found, bool)):
        raise BadSchema(f"has a bad {name}")
    return found


def _both(key: str, one: Any, other: Any) -> Any:
    if key in _LARGER | _SMALLER:
        first, second = real({key: one}, key), real({key: other}, key)
        if first is None or second is None:
            return other
        return max(first, second) if key in _LARGER else min(first, second)
    if isinstance(one, dict) and isinstance(other, dict):
        return _properties(one, other) if key in ("properties", "$defs", "definitions") else merge(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return [*one, *other] if key in ("required", "allOf") else [item for item in other if item in one]
    if key == "type":
        return _types(one, other)
    return other


def _properties(one: Schema, other: Schema) -> Schema:
    return {
        name: merge(one.get(name, True), other.get(name, True))
        for name in [*one, *(name for name in other if name not in one)]
    }


def _types(one: Any, other: Any) -> Any:
    if {"number", "integer"} == {str(one), str(other)}:
        return "integer"
    wide, narrow = (one, other) if isinstance(one, list) else (other, one)
    if isinstance(wide, list):
        return narrow if narrow in wide else []
    return one if one == other else []
