"""What the files of a snapshot amount to: lists, and which lists are absent, empty, partial or were not exported.

A kind of which nothing was exported is unread, not absent. It is absent where apis.json or the exported
CustomResourceDefinitions do not have it, and empty where a list of it was exported that is empty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.facts.pruning import pruned
from maas.cluster.facts.snapshot_documents import is_list, objects
from maas.cluster.facts.snapshot_yaml import Unreadable
from maas.cluster.kinds import ALL, CRD, NAMESPACE, Body, Kind
from maas.cluster.objects import Object, at, flag, items, name, namespace, text

_BY_GROUP_AND_KIND = {(kind.group, kind.name): kind for kind in ALL}


@dataclass
class Gathering:
    """Objects by Kind.key, then by namespace and name: one that two files hold is one object.

    Whether a list is whole is known when its file has been read to the end, and not before.
    """

    found: dict[str, dict[tuple[str, str], Object]] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)  # kinds of which a whole list was given
    in_namespaces: dict[str, set[str]] = field(default_factory=dict)  # kinds given namespace by namespace
    in_folders: set[str] = field(default_factory=set)  # kinds given object by object, all of them
    apis: dict[str, set[str]] = field(default_factory=dict)  # as objects and CRDs tell
    cut: dict[str, str] = field(default_factory=dict)  # kinds, and the file of them that could not be read to its end
    count: int = 0
    _told: list[tuple[str, set[str], str]] = field(default_factory=list)  # by the file at hand: kind, where, what

    @property
    def has_anything(self) -> bool:
        """Also a list that is empty."""
        return bool(self.count or self.listed or any(self.in_namespaces.values()))

    def end(self) -> None:
        """The file at hand has been read."""
        for _, noted, what in self._told:
            noted.add(what)
        self._told.clear()

    def break_off(self, path: str) -> None:
        """The file at hand could not be read to its end: what it held holds good, and is not all."""
        in_folder = {kind.key for kind in ALL if path.split("/")[-2:-1] == [kind.plural]}
        self.cut |= dict.fromkeys({key for key, _, _ in self._told} | in_folder, path)
        self._told.clear()

    def archive_breaks_off(self, name: str) -> None:
        """Whatever was to be had in several files may have been in more of them."""
        self.cut |= dict.fromkeys({*self.in_folders, *self.in_namespaces}, name)

    def add(self, document: Any, path: str) -> None:
        """Raises Unreadable for the beginning of a list: kubectl and oc write its kind after its items."""
        if isinstance(document, Mapping) and "kind" not in document and isinstance(document.get("items"), list):
            raise Unreadable("it ends early: a list without the kind that follows its items")
        if is_list(document):
            self._note_list(document, path)
        for each in objects(document):
            self._add_object(each)
            if each is document:
                self._note_single(each, path)

    def add_listed(self, key: str, objects: Iterable[Object]) -> None:
        """Of our own lists: selected, pruned and redacted when they were written. Each is there only once."""
        self._told.append((key, self.listed, key))
        kept = self.found.setdefault(key, {})
        for index, each in enumerate(objects):
            kept[str(index), ""] = each
            self.count += 1

    def _note_list(self, document: Any, path: str) -> None:
        in_namespace = _namespace_of(path)
        for kind in _kinds_of_list(document, path):
            if in_namespace:
                self._tell_namespace(kind, in_namespace)
            else:
                self._told.append((kind.key, self.listed, kind.key))

    def _note_single(self, object: Object, path: str) -> None:
        kind, folders = kind_of(object), path.split("/")[:-1]
        if kind is None or folders[-1:] != [kind.plural]:
            return
        if in_namespace := _namespace_of(path):
            self._tell_namespace(kind, in_namespace)
        elif "cluster-scoped-resources" in folders and kind is not NAMESPACE:
            self._told.append((kind.key, self.in_folders, kind.key))

    def _tell_namespace(self, kind: Kind, namespace: str) -> None:
        self._told.append((kind.key, self.in_namespaces.setdefault(kind.key, set()), namespace))

    def _add_object(self, object: Object) -> None:
        self.count += 1
        kind = kind_of(object)
        if kind is CRD:
            self._note_crd(object)
        if kind is None or not _is_wanted(kind, object):
            return
        self.apis.setdefault(text(object, "apiVersion"), set()).add(kind.plural)
        kept, key = self.found.setdefault(kind.key, {}), (namespace(object), name(object))
        if key not in kept or _is_newer(object, kept[key]):
            kept[key] = pruned(kind, _metadata_only(object) if kind.body is Body.metadata else object)

    def _note_crd(self, crd: Object) -> None:
        group, plural = text(crd, "spec", "group"), text(crd, "spec", "names", "plural")
        for version in items(crd, "spec", "versions"):
            if flag(version, "served"):
                self.apis.setdefault(f"{group}/{text(version, 'name')}", set()).add(plural)


def _kinds_of_list(document: Any, path: str) -> set[Kind]:
    """By its items, else by its type, else by its file's name: `kubectl get` prints an empty List of nothing."""
    if document.get("items"):
        return {kind for each in objects(document) if (kind := kind_of(each))}
    group = text(document, "apiVersion").rpartition("/")[0]
    kind = _BY_GROUP_AND_KIND.get((group, text(document, "kind").removesuffix("List"))) or _kind_by_name(path)
    return {kind} if kind else set()


def kind_of(object: Object) -> Kind | None:
    return _BY_GROUP_AND_KIND.get((text(object, "apiVersion").rpartition("/")[0], text(object, "kind")))


def not_exported(kind: Kind) -> Unread:
    return Unread(Cause.not_exported, f"the snapshot holds no {kind.plural}")


def _kind_by_name(path: str) -> Kind | None:
    *folders, file = path.lower().split("/")
    stem = file.rpartition(".")[0]
    named = [kind for kind in ALL if stem in (kind.key, kind.plural, kind.name.lower())]
    grouped = [kind for kind in named if (kind.group or "core") in folders]
    if len(named) == 1:
        return named[0]
    return grouped[0] if grouped else None


def _namespace_of(path: str) -> str:
    """The namespace whose folder this is in a tree of `oc adm inspect`; "" elsewhere."""
    folders = path.split("/")[:-1]
    return folders[folders.index("namespaces") + 1] if "namespaces" in folders[:-1] else ""


def _is_wanted(kind: Kind, object: Object) -> bool:
    """Whether the selectors by which a live cluster is asked would choose it."""
    labels = [key for key in kind.labels.split(",") if key]
    fields = [term for term in kind.fields.split(",") if term]
    return all(_has_label(object, term) for term in labels) and all(_has_field(object, term) for term in fields)


def _has_label(object: Object, term: str) -> bool:
    key, equals, value = term.partition("=")
    found = at(object, "metadata", "labels", key.removeprefix("!"))
    if key.startswith("!"):
        return found is None
    return found == value.lstrip("=") if equals else found is not None


def _has_field(object: Object, term: str) -> bool:
    path, _, value = term.partition("=")
    found = text(object, *path.rstrip("!").split("."))
    return found != value if path.endswith("!") else found == value


def _metadata_only(object: Object) -> Object:
    return {key: value for key, value in object.items() if key in ("apiVersion", "kind", "metadata")}


def _is_newer(object: Object, than: Object) -> bool:
    """By resourceVersion where both have one; else what was read later."""
    new, old = (text(each, "metadata", "resourceVersion") for each in (object, than))
    return int(new) >= int(old) if new.isdecimal() and old.isdecimal() else True
