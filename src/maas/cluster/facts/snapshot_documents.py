"""The documents in one file, and the Kubernetes objects in a document."""

import json
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import Any, BinaryIO

import orjson

from maas.cluster.facts.snapshot_layout import LIST_BEGINS, LIST_ENDS
from maas.cluster.facts.snapshot_yaml import Unreadable, documents
from maas.cluster.objects import Object, text

_LINE = 64 << 20  # bytes; no server takes an object of more than 3 MB


def of(path: str, file: BinaryIO) -> Iterator[Any]:
    """One by one, however many there are. Raises Unreadable; what came before holds good."""
    data = file.read()
    yield from _json(data) if _is_json(path, data) else documents(_decoded(data))


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


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # what PowerShell's > writes
            return data.decode("utf-16", errors="replace")
        raise Unreadable(f"it is not UTF-8: {error.reason} at byte {error.start}") from error


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
