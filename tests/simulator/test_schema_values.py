"""Values made for a JSON schema, held against a real validator."""

from random import Random
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maas.models.simulator.schema_merge import BadSchema
from maas.models.simulator.schema_values import BUDGET, value

NODE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
    "required": ["value", "next"],
}
TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["name", "children"],
}
SCHEMAS: list[Any] = [
    True,
    {},
    {"enum": [1, "two", None]},
    {"const": {"a": [1]}},
    {"type": ["null", "string"], "minLength": 12},
    {"type": "string", "maxLength": 2},
    {"type": "string", "minLength": 40, "maxLength": 41},
    {"type": "integer", "minimum": 5, "maximum": 5},
    {"type": "integer", "exclusiveMinimum": 5, "exclusiveMaximum": 7},
    {"type": "integer", "minimum": -10, "maximum": -3, "multipleOf": 4},
    {"type": "integer", "maximum": -1000},
    {"type": "integer", "multipleOf": 0.5},
    {"type": "number", "minimum": 0.001, "maximum": 0.002},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 0.01},
    {"type": "number", "multipleOf": 0.25, "minimum": 1},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "maxItems": 3},
    {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "null"}], "items": False, "minItems": 2},
    {"properties": {"a": {"type": "object", "properties": {"b": {"type": "null"}}, "required": ["b"]}}},
    {"type": "object", "required": ["free"]},
    {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 3},
    {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"], "maxProperties": 1},
    {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    {"anyOf": [False, {"type": "string"}]},
    {"oneOf": [{"type": "array", "items": {}}, {"type": "null"}]},
    {"allOf": [{"type": "integer", "minimum": 3}, {"type": "number", "maximum": 4}]},
    {"allOf": [{"$ref": "#/$defs/p"}, {"required": ["b"]}], "$defs": {"p": {"properties": {"b": {"type": "null"}}}}},
    {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "null"}}},
    {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
    TREE,
    *(
        {"type": "string", "format": kind}
        for kind in ["date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"]
    ),
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_values_fit(schema: Any) -> None:
    check = jsonschema_rs.validator_for(schema, validate_formats=True)
    for seed in range(50):
        check.validate(value(schema, Random(seed)))


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "unknown"},
        {"type": 5},
        {"type": []},
        {"enum": []},
        {"enum": 3},
        {"$ref": "#/nothing"},
        {"$ref": "https://example.com/schema"},
        {"$ref": "#"},
        {"anyOf": []},
        {"allOf": [{"type": "string"}, {"type": "null"}]},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2},
        {"type": "integer", "minimum": 1e300},
        {"type": "integer", "minimum": "low"},
        {"type": "string", "minLength": 10**12},
        {"type": "string", "minLength": -1},
        {"type": "array", "minItems": 10**9},
        {"type": "array", "items": {"enum": [1]}, "uniqueItems": True, "minItems": 2},
        {"type": "object", "minProperties": 10**9},
        {"type": "object", "required": [1]},
        {"properties": {"a": 5}, "required": ["a"]},
    ],
    ids=str,
)
def test_impossible_schemas_are_refused(schema: Any) -> None:
    with pytest.raises(BadSchema):
        value(schema, Random(0))


def test_a_schema_that_doubles_itself_ends() -> None:
    levels = {
        f"l{n}": {
            "properties": {"a": {"$ref": f"#/$defs/l{n + 1}"}, "b": {"$ref": f"#/$defs/l{n + 1}"}},
            "required": ["a", "b"],
        }
        for n in range(25)
    }
    with pytest.raises(BadSchema, match="too large"):
        value({"$ref": "#/$defs/l0", "$defs": {**levels, "l25": {}}}, Random(0))
    assert BUDGET < 10_000


words = st.sampled_from(["a", "b", "c"])
scalars = st.one_of(
    st.builds(
        lambda low, size: {"type": "integer", "minimum": low, "maximum": low + size},
        st.integers(-99, 99),
        st.integers(0, 9),
    ),
    st.builds(
        lambda low, size: {"type": "string", "minLength": low, "maxLength": low + size},
        st.integers(0, 30),
        st.integers(0, 9),
    ),
    st.builds(lambda values: {"enum": values}, st.lists(st.integers() | st.text(max_size=3), min_size=1, max_size=3)),
    st.sampled_from([{"type": "boolean"}, {"type": ["string", "null"]}, {"type": "number", "exclusiveMinimum": 0}]),
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, st.integers(0, 3)),
        st.builds(
            lambda properties, required: {
                "type": "object",
                "properties": properties,
                "required": sorted(required & properties.keys()),
                "additionalProperties": False,
            },
            st.dictionaries(words, inner, max_size=3),
            st.sets(words),
        ),
        st.builds(lambda branches: {"anyOf": branches}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=10,
)


@given(trees, st.integers(0, 2**32))
def test_values_fit_any_schema(schema: Any, seed: int) -> None:
    jsonschema_rs.validate(schema, value(schema, Random(seed)))


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "enum",
                    "const",
                    "properties",
                    "required",
                    "items",
                    "minItems",
                    "maxItems",
                    "uniqueItems",
                    "prefixItems",
                    "anyOf",
                    "allOf",
                    "oneOf",
                    "$ref",
                    "minimum",
                    "maximum",
                    "multipleOf",
                    "minLength",
                    "maxLength",
                    "format",
                    "additionalProperties",
                    "minProperties",
                ]
            ),
            inner | st.sampled_from(["object", "array", "string", "integer", "number", "#"]),
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(anything, st.integers(0, 2**32))
def test_nonsense_is_refused_and_nothing_worse(schema: Any, seed: int) -> None:
    try:
        value(schema, Random(seed))
    except BadSchema as error:
        assert str(error)
