"""The documents in one file, and the Kubernetes objects in a document."""

import codecs
import json
from collections.abc import Callable, Iterator, Mapping
from io import BufferedReader
from typing import Any, BinaryIO

import orjson

from maas.cluster.facts import snapshot_chunks
from maas.cluster.facts.snapshot_chunks import Pieces
from maas.cluster.facts.snapshot_layout import LIST_BEGINS, LIST_ENDS
from maas.cluster.facts.snapshot_yaml import Unreadable, documents
from maas.cluster.objects import Object, text

_FRAME = 65_536  # bytes
_LINE = 64 << 20  # bytes; no server takes an object of more than 3 MB


def of(path: str, file: BinaryIO) -> Iterator[Any]:
    """One by one, however many there are; a long list as several. Raises Unreadable; what came before holds good."""
    data = file.read()
    if _is_json(path, data):
        yield from _in_pieces(data, snapshot_chunks.of_json(data), _json)
    else:
        yield from _in_pieces(_as_utf8(data), snapshot_chunks.of_yaml(data), documents)


def _in_pieces(data: bytes, pieces: Pieces | None, read: Callable[[bytes], Iterator[Any]]) -> Iterator[Any]:
    """As a whole if it is in no pieces; again as a whole if they turn out to be none: it knows an object once."""
    try:
        if pieces is not None and (frame := _frame(pieces, read)):
            yield from ({**frame, "items": items} for piece in pieces.items for items in read(piece))
            return
    except Unreadable:
        pass
    yield from read(data)


def _frame(pieces: Pieces, read: Callable[[bytes], Iterator[Any]]) -> Mapping[str, Any] | None:
    """The list, without items."""
    if len(pieces.frame) > _FRAME:
        return None
    found = list(read(pieces.frame))
    return found[0] if len(found) == 1 and is_list(found[0]) and found[0].get("items") == [] else None


def own_list(file: BufferedReader) -> Iterator[Any] | None:
    """The objects of a list that `maas snapshot` wrote; None for another file, of which nothing has been read."""
    return _lines(file) if file.peek(len(LIST_BEGINS)).startswith(LIST_BEGINS) else None


def _lines(file: BufferedReader) -> Iterator[Any]:
    file.readline()
    while (line := file.readline(_LINE)) and line != LIST_ENDS:
        yield loads(line.rstrip(b",\n"))
    if not line:
        raise Unreadable("it ends early")


def loads(data: bytes) -> Any:
    """JSON; also what orjson is too strict for, such as half of a surrogate pair. Raises Unreadable."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise Unreadable(f"it is not JSON: {error}") from error


def _is_json(path: str, data: bytes) -> bool:
    return path.endswith((".json", ".jsonl")) or data[:1] in (b"{", b"[")


def _json(data: bytes) -> Iterator[Any]:
    """One document, or one on each line."""
    try:
        yield loads(data)
    except Unreadable:
        lines = data.splitlines()
        if len(lines) < 2 or not lines[0].startswith(b"{") or not lines[0].rstrip().endswith(b"}"):
            raise
        yield from (loads(line) for line in lines if line.strip())


def _as_utf8(data: bytes) -> bytes:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # UTF-16, which PowerShell's > writes
        return data.decode("utf-16", errors="replace").encode()
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8: {error.reason} at byte {error.start}") from error
    return data.removeprefix(codecs.BOM_UTF8)


def objects(document: Any) -> Iterator[Object]:
    """Those in a List, in a typed list such as PodList, or in a plain array; else the one that it is."""
    if isinstance(document, list):
        for each in document:
            yield from objects(each)
        return
    if not isinstance(document, Mapping):
        return
    kind, items = text(document, "kind"), document.get("items")
    if not is_list(document):
        if kind and text(document, "apiVersion"):
            yield document
        return
    of_kind = {"apiVersion": document.get("apiVersion"), "kind": kind.removesuffix("List")}
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping):
            yield from objects(item if "kind" in item else {**of_kind, **item})


def is_list(document: Any) -> bool:
    return (
        isinstance(document, Mapping)
        and text(document, "kind").endswith("List")
        and ("items" in document or "metadata" in document)
        and not text(document, "metadata", "name")
    )
