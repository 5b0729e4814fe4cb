"""Values that fit a JSON schema: arguments of tool calls, and structured output.

It makes one value instead of checking many, so it needs no validator; tests hold it against a real one.
Keywords: type (also a list), enum, const, properties, required, additionalProperties, min/maxProperties, items,
prefixItems, min/maxItems, uniqueItems, min/maxLength, format, minimum, maximum, their exclusive forms, multipleOf,
allOf, anyOf, oneOf, local $ref. Ignored: pattern, contains, not, if, dependent*, propertyNames.

Recursive and hostile schemas end: below OPTIONAL_DEPTH only what is required is made and the simplest branch is
tried first, and there is a budget of values for the whole.
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any
from urllib.parse import unquote

import orjson

from .schema_merge import BadSchema, Schema, merge, whole
from .schema_scalars import integer, number, text

MAX_DEPTH = 32
OPTIONAL_DEPTH = 3
BUDGET = 5000
_TRIES = 20


def value(schema: Any, random: Random) -> Any:
    """BadSchema: no value fits, or none that could be found."""
    return _Maker(schema, random).value(schema, 0)


class _Maker:
    def __init__(self, root: Any, random: Random) -> None:
        self._root = root
        self._random = random
        self._budget = BUDGET
        self._by_type: dict[str, Callable[[Schema, int], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": lambda schema, depth: text(schema, random),
            "integer": lambda schema, depth: integer(schema, random),
            "number": lambda schema, depth: number(schema, random),
            "boolean": lambda schema, depth: random.random() < 0.5,
            "null": lambda schema, depth: None,
        }

    def value(self, schema: Any, depth: int) -> Any:
        self._budget -= 1
        if self._budget < 0 or depth > MAX_DEPTH:
            raise BadSchema("asks for too large a value")
        if schema is True:
            schema = {}
        if not isinstance(schema, dict):
            raise BadSchema("allows no value" if schema is False else "has a part that is not an object")
        if "$ref" in schema:
            return self.value(merge(self._target(schema["$ref"]), _without(schema, "$ref")), depth + 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._random.choice(_list(schema, "enum", least=1))
        if "allOf" in schema:
            rest = _without(schema, "allOf")
            for part in _list(schema, "allOf"):
                rest = merge(rest, part)
            return self.value(rest, depth + 1)
        for word in ("anyOf", "oneOf"):
            if word in schema:
                rest = _without(schema, word)
                branches = self._simple_first(_list(schema, word), depth)
                return self._first(depth + 1, (merge(rest, branch) for branch in branches))
        return self._typed(schema, depth)

    def _typed(self, schema: Schema, depth: int) -> Any:
        kind = schema["type"] if "type" in schema else _implied(schema)
        if isinstance(kind, list):
            kinds = sorted(kind, key=lambda one: one == "null")
            return self._first(depth, ({**schema, "type": one} for one in kinds))
        make = self._by_type.get(kind) if isinstance(kind, str) else None
        if make is None:
            raise BadSchema(f"has an unknown type {kind!r}")
        return make(schema, depth)

    def _first(self, depth: int, schemas: Iterable[Any]) -> Any:
        reason = BadSchema("has no alternatives")
        for schema in schemas:
            try:
                return self.value(schema, depth)
            except BadSchema as error:
                reason = error
        raise reason

    def _simple_first(self, branches: list[Any], depth: int) -> list[Any]:
        """Deep down, a list's `next` is better null than one more element."""
        if depth < OPTIONAL_DEPTH:
            return branches
        return sorted(branches, key=lambda branch: not isinstance(branch, dict) or "$ref" in branch)

    def _target(self, ref: Any) -> Any:
        if not isinstance(ref, str) or not ref.startswith("#"):
            raise BadSchema(f"has a $ref that is not local: {ref!r}")
        node = self._root
        for part in unquote(ref[1:]).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and name.isdecimal() and len(name) < 6 and int(name) < len(node):
                node = node[int(name)]
            elif isinstance(node, dict) and name in node:
                node = node[name]
            else:
                raise BadSchema(f"has a $ref to nothing: {ref}")
        return node

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = _list(schema, "required")
        if not isinstance(properties, dict) or not all(isinstance(name, str) for name in required):
            raise BadSchema("has bad properties or a bad list of what is required")
        others = [name for name in properties if name not in required]
        most = whole(schema, "maxProperties", len(required) + len(others))
        least = whole(schema, "minProperties", 0)
        wanted = [name for name in others if depth < OPTIONAL_DEPTH and self._random.random() < 0.5]
        wanted += [name for name in others if name not in wanted][: max(0, least - len(required) - len(wanted))]
        names = [*dict.fromkeys(required), *wanted[: max(0, most - len(required))]]
        names += [f"field_{index}" for index in range(min(least, BUDGET) - len(names))]
        extra = schema.get("additionalProperties", True)
        return {name: self.value(properties.get(name, extra), depth + 1) for name in names}

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        least = whole(schema, "minItems", 0)
        most = whole(schema, "maxItems", max(least, 3))
        items = schema.get("items", True)
        prefix = _list(schema, "prefixItems")
        if isinstance(items, list):  # the tuples of draft 7
            prefix, items = items, schema.get("additionalItems", True)
        if items is False:
            most = min(most, len(prefix))
        if least > most:
            raise BadSchema("allows no array")
        size = least if depth >= OPTIONAL_DEPTH else self._random.randint(least, min(most, max(least, 1) + 1))
        made: list[Any] = []
        for index in range(size):
            part = prefix[index] if index < len(prefix) else items
            made.append(self._another(part, depth + 1, made if schema.get("uniqueItems") else []))
        return made

    def _another(self, schema: Any, depth: int, others: list[Any]) -> Any:
        taken = {orjson.dumps(other) for other in others}
        for _ in range(_TRIES):
            made = self.value(schema, depth)
            if not taken or orjson.dumps(made) not in taken:
                return made
        raise BadSchema("asks for more different items than were found")


def _without(schema: Schema, name: str) -> Schema:
    return {key: part for key, part in schema.items() if key != name}


def _list(schema: Schema, name: str, least: int = 0) -> list[Any]:
    found = schema.get(name, [])
    if not isinstance(found, list) or len(found) < least:
        raise BadSchema(f"has a bad {name}")
    return found


def _implied(schema: Schema) -> str:
    """The type of a schema that does not say it."""
    hints = {
        "object": ("properties", "required", "minProperties", "additionalProperties"),
        "array": ("items", "prefixItems", "minItems", "uniqueItems"),
        "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
    for kind, words in hints.items():
        if any(word in schema for word in words):
            return kind
    return "string"
