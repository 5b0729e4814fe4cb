"""What the gateway finds in a body is what any JSON parser finds there."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maas.embedded.envoy import names
from tests.gateway_config.reading import Read, Reader, reading

MIB = 2**20
MANY = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
USABLE: dict[str, type] = {"model": str, "stream": bool, "background": bool, "stream_options": dict}
TEXT = st.text(st.characters(exclude_characters="[]{}"), max_size=8)
KEYS = st.sampled_from([*names.BODY_FIELDS.values(), "messages", "x", "Model", "a b"]) | TEXT
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.sampled_from(["chatty", 5])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """An object, written by different hands; every third, whose values are flat, with something wrong in it."""
    layout: dict[str, Any] = draw(
        st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}])
    )
    wrong = not draw(st.integers(0, 2))
    content = draw(st.dictionaries(KEYS, SCALARS if wrong else VALUES, max_size=6))
    text = json.dumps(content, **layout).encode("utf-8", "surrogatepass")
    if not wrong:
        return text
    at = draw(st.integers(0, len(text)))
    odd = draw(st.sampled_from([b"", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"'", b"\n", b"0", b"\0", b"e"]))
    return text[:at] + odd + text[at + draw(st.integers(0, 2)) :]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with reading() as reader:
        yield reader


@MANY
@given(st.lists(written(), min_size=50, max_size=100))
def test_values_are_those_of_any_parser_and_what_is_no_json_says_nothing(reader: Reader, bodies: list[bytes]) -> None:
    for body, read in zip(bodies, reader.read(bodies), strict=True):
        if read.get("json") == "1":
            assert_same(read, body)


@MANY
@given(st.lists(st.dictionaries(st.sampled_from(["model", "n", "x", "y"]), VALUES), min_size=50, max_size=100))
def test_every_object_is_read(reader: Reader, objects: list[dict[str, Any]]) -> None:
    texts = [text for text in map(json.dumps, objects) if "NaN" not in text and "Infinity" not in text]
    assert all(read.get("json") == "1" for read in reader.read([text.encode() for text in texts]))


def assert_same(read: Read, body: bytes) -> None:
    """Bytes that are no UTF-8 may stand in what is not told: the model refuses them."""
    pairs: list[list[tuple[str, Any]]] = []

    def keep(found: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs.append(found)
        return dict(found)

    json.loads(body.decode("utf-8", "replace"), object_pairs_hook=keep)
    said = dict(pairs[-1])
    assert sum(key in names.BODY_FIELDS.values() for key, _ in pairs[-1]) == len(said.keys() & _known())
    if "bad-field" in read:
        return
    for header, key in names.BODY_FIELDS.items():
        told, value = read.get(header.removeprefix("x-maas-")), said.get(key)
        if value is None:
            assert told is None
        elif key in ("previous_response_id", "conversation"):
            assert told == "1"
        elif told != "?":
            assert told == value if isinstance(value, str) else json.loads(told or "") == value
        else:
            assert not isinstance(value, USABLE.get(key, str | int | float))


def _known() -> set[str]:
    return set(names.BODY_FIELDS.values())


@pytest.mark.parametrize(
    "shape",
    [
        b'{"model":"x","x":[%s1]}' % (b"[]," * 10_000_000),
        b'{"model":"x","x":[%s1]}' % ((b"[" * 150 + b"]" * 150 + b",") * 100_000),
        b'{"model":"x","x":[%s1]}' % (b'"",' * 10_000_000),
        b'{"model":"x","x":[%s1]}' % (b'{"a":"b"},' * 3_000_000),
        b'{"model":"x","x":"%s"}' % (b"\\n" * 15 * MIB),
        b'{"model":"x","x":"%s"}' % (b'\\u00e9a\\n\\\\b\\"' * 2 * MIB),
        b'{"model":"x",%s"x":1}' % (b" " * 30 * MIB),
        b'{"model":"x","x":%s}' % (b"1" * 30 * MIB),
        b'{"%s":"x"}' % (b"\\u006d" * 5 * MIB),
        b"{%s" % (b'"a":1,' * 5 * MIB),
    ],
    ids=lambda shape: shape[:30].decode(),
)
def test_no_shape_takes_long(reader: Reader, shape: bytes) -> None:
    """30 MB in about 0.2 s at most; the limit leaves room for a busy machine."""
    assert reader.timed([shape])[1] < 1.0


def test_a_small_body_takes_microseconds(reader: Reader) -> None:
    body = json.dumps({"model": "x", "messages": [{"role": "user", "content": "Hello"}], "stream": True, "n": 1})
    assert reader.timed([body.encode()] * 10_000)[1] < 10_000 * 50e-6
