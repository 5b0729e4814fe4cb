"""Long lists in pieces: what kubectl and oc print is laid out so regularly that its items can be told apart as text.

A list of 20 000 pods as one document is half a gigabyte of objects before the first is pruned; in pieces it is hardly
more than what is kept. managedFields, up to half of what oc writes, are dropped as text. Anything laid out otherwise is
left to be read as a whole.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PIECE = 1 << 18  # bytes
_YAML_HEAD = re.compile(rb"(?:---\n)?(?:(?!items:|-)[^\n]*\n){0,8}items:\n(?=- )")
_YAML_TAIL = re.compile(rb"^(?![ \-\n])[^\n]*\n", re.MULTILINE)
_MANAGED_FIELDS = re.compile(rb"^    managedFields:\n(?:    [ \-][^\n]*\n)+", re.MULTILINE)  # of an item's metadata
_JSON_HEAD = re.compile(rb'\{\n(?: {4}(?! |"items")[^\n]*\n){0,8} {4}"items": \[\n(?= {8}\{\n)')
_JSON_END = b"\n        }\n    ]"


@dataclass(frozen=True)
class Pieces:
    """frame: the list without its items; items: each a document that is a list of some of them."""

    frame: bytes
    items: Iterator[bytes]


def of_yaml(data: bytes) -> Pieces | None:
    """None if it is laid out otherwise, or is several documents."""
    head = _YAML_HEAD.match(data)
    if head is None or data.find(b"\n---", 4) >= 0:
        return None
    tail = _YAML_TAIL.search(data, head.end())
    end = tail.start() if tail else len(data)
    frame = data[: head.end()].rstrip(b"\n") + b" []\n" + data[end:]
    pieces = _split(data, head.end(), end, b"\n- ")
    return Pieces(frame, (_MANAGED_FIELDS.sub(b"", piece) for piece in pieces))


def _split(data: bytes, begin: int, end: int, between: bytes) -> Iterator[bytes]:
    """Cut after the line break of `between`."""
    while begin < end:
        cut = data.find(between, min(begin + _PIECE, end), end)
        after = end if cut < 0 else cut + 1
        yield data[begin:after]
        begin = after


def of_json(data: bytes) -> Pieces | None:
    head = _JSON_HEAD.match(data)
    end = data.rfind(_JSON_END)
    if head is None or end < 0:
        return None
    end += len(b"\n        }\n")
    frame = data[: head.end()].rstrip(b"\n") + data[end:]
    pieces = _split(data, head.end(), end, b"\n        {\n")
    return Pieces(frame, (b"[" + piece.rstrip(b",\n") + b"]" for piece in pieces))
