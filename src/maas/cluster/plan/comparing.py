"""Whether an object on the cluster is as it is wanted: what is wanted is a part of what is there.

The server adds defaults, and controllers add fields of theirs: those are none of our business. What was wanted once and
is not any more cannot be seen so; therefore an annotation holds a hash of what was applied last (APPLIED).

Asking the server with a dry run would be exact, and one call for each object at every run. A comparison of our own has
to know a few habits of the server: it writes quantities its own way ("1000m" is "1"), leaves out what is empty, keeps
the lists of a pod by name, and turns a Secret's stringData into data. Where it is wrong, an object is applied that
needs it not, which changes nothing. Values of Secrets are compared, and never shown.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from maas.cluster.facts.redaction import digest
from maas.cluster.objects import Object, annotation, label, mapping, text
from maas.cluster.quantities import exact
from maas.cluster.wanted import APPLIED, MANAGED_BY

HIDDEN = "(hidden)"
Path = tuple[str | int, ...]
_NOT_COMPARED = frozenset({"apiVersion", "kind", "status"})
_OF_METADATA = frozenset({"labels", "annotations"})
# Lists that the API merges by a key: others may have entries of their own in them.
_MERGED = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "listeners": "name",
    "volumeMounts": "mountPath",
}
_AMOUNTS = frozenset({"requests", "limits", "hard", "capacity", "sizeLimit", "memory", "cpu", "storage"})
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """path: "spec.rules[0].matches". Values are hidden where they are secret."""

    path: str
    wanted: Any
    found: Any  # None: not there


def fingerprint(wanted: Object) -> str:
    """Of what is wanted; a Secret's values are left out, for a hash would let them be guessed."""
    plain = _without_marks(wanted)
    if text(wanted, "kind") == "Secret":
        plain = {**plain, "keys": sorted(_secret(wanted))}
        plain = {key: value for key, value in plain.items() if key not in ("data", "stringData")}
    return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def marked(wanted: Object, *, ours: bool) -> dict[str, Any]:
    """As it is applied: with the hash of what is wanted, and where it is (to be) ours, the label that says so."""
    plain = _without_marks(wanted)
    metadata = dict(plain["metadata"])
    metadata["annotations"] = {**mapping(metadata, "annotations"), APPLIED: fingerprint(wanted)}
    if ours:
        metadata["labels"] = {**mapping(metadata, "labels"), MANAGED_BY: "maas"}
    return {**plain, "metadata": metadata}


def is_ours(found: Object) -> bool:
    """We made it."""
    return label(found, MANAGED_BY) == "maas"


def is_as_wanted(wanted: Object, found: Object) -> bool:
    """What is not ours and has what is wanted by itself needs no mark of ours."""
    mark = annotation(found, APPLIED)
    if mark != fingerprint(wanted) and (mark or is_ours(found)):
        return False
    return next(differences(wanted, found), None) is None


def differences(wanted: Object, found: Object) -> Iterator[Difference]:
    """What is not there, or is otherwise. Of an object of which only metadata was read, only that is compared."""
    wanted = _without_marks(wanted)
    if text(wanted, "kind") == "Secret":
        yield from _of_secrets(wanted, found)
        wanted = {key: value for key, value in wanted.items() if key not in ("data", "stringData")}
    metadata, known = mapping(wanted, "metadata"), mapping(found, "metadata")
    for part in sorted(_OF_METADATA & metadata.keys()):
        yield from _between(metadata[part], known.get(part, _ABSENT), ("metadata", part))
    if not found.keys() - {"apiVersion", "kind", "metadata"}:
        return
    for key in wanted.keys() - _NOT_COMPARED - {"metadata"}:
        yield from _between(wanted[key], found.get(key, _ABSENT), (key,))


def _without_marks(wanted: Object) -> dict[str, Any]:
    metadata = dict(mapping(wanted, "metadata"))
    for part, mark in (("annotations", APPLIED), ("labels", MANAGED_BY)):
        kept = {key: value for key, value in mapping(metadata, part).items() if key != mark}
        metadata = {key: value for key, value in metadata.items() if key != part} | ({part: kept} if kept else {})
    return {**wanted, "metadata": metadata}


def _between(wanted: Any, found: Any, path: Path) -> Iterator[Difference]:
    if found is _ABSENT or found is None:
        if not _is_empty(wanted):
            yield Difference(_shown(path), wanted, None)
    elif isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key, value in wanted.items():
            yield from _between(value, found.get(key, _ABSENT), (*path, key))
    elif isinstance(wanted, list | tuple) and isinstance(found, list):
        yield from _of_lists(wanted, found, path)
    elif not _same(wanted, found, path):
        yield Difference(_shown(path), wanted, found)


def _of_lists(wanted: Sequence[Any], found: Sequence[Any], path: Path) -> Iterator[Difference]:
    key = _MERGED.get(str(path[-1]))
    if key and all(isinstance(each, Mapping) for each in (*wanted, *found)):
        known = {each.get(key): each for each in found}
        for each in wanted:
            yield from _between(each, known.get(each.get(key), _ABSENT), (*path, str(each.get(key))))
    elif len(wanted) != len(found):
        yield Difference(_shown(path), list(wanted), list(found))
    else:
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _between(one, other, (*path, index))


def _is_empty(wanted: Any) -> bool:
    """What the server need not keep. Numbers and false may mean something."""
    if isinstance(wanted, Mapping):
        return all(_is_empty(each) for each in wanted.values())
    return wanted is None or wanted in ("", [], ())


def _same(wanted: Any, found: Any, path: Path) -> bool:
    if wanted == found and isinstance(wanted, bool) == isinstance(found, bool):
        return True
    if not _AMOUNTS.isdisjoint(str(each) for each in path):
        amount = exact(wanted)
        return amount is not None and amount == exact(found)
    return False


def _of_secrets(wanted: Object, found: Object) -> Iterator[Difference]:
    """Values that were read are digests of this process; those of an answer are as the server has them."""
    known = mapping(found, "data")
    for key, value in _secret(wanted).items():
        has = known.get(key)
        if has is None or has not in (digest(value), base64.b64encode(value).decode()):
            yield Difference(f"data.{key}", HIDDEN, None if has is None else HIDDEN)


def _secret(wanted: Object) -> dict[str, bytes]:
    plain = {key: str(value).encode() for key, value in mapping(wanted, "stringData").items()}
    return {key: _decoded(value) for key, value in mapping(wanted, "data").items()} | plain


def _decoded(value: Any) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error:
        return str(value).encode()


def _shown(path: Path) -> str:
    shown = ""
    for part in path:
        if isinstance(part, int) or "." in part or "/" in part:
            shown += f"[{part}]"
        else:
            shown += f".{part}" if shown else part
    return shown
