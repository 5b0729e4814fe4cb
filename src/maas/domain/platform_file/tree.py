"""maas.yaml as a tree that remembers where everything stands.

PyYAML's own constructors were rejected for three reasons. They forget lines, and a problem without its line is half
a message. They guess types: a tier called `no` becomes False, and 1:30 becomes 90; here a scalar stays the text that
was written, and the schema says what it must be. And they follow aliases, which is how a file of 1 KB unfolds to
gigabytes; here one thing is written in one place, so aliases, anchors and tags are refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import yaml

LARGEST = 1024 * 1024  # bytes
DEEPEST = 12  # levels; the format itself needs 5
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML can be built without libyaml
_NOTHING = ("", "~", "null", "Null", "NULL")

Path: TypeAlias = tuple[str | int, ...]


class Spot(NamedTuple):
    """Both count from 0; the column in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """text: as written; None for nothing, ~ and null unless quoted."""

    text: str | None
    start: Spot
    end: Spot


@dataclass(frozen=True, slots=True)
class Section:
    """flow: written in braces (of a list: in brackets)."""

    entries: dict[str, tuple[Scalar, "Node"]]
    flow: bool
    start: Spot
    end: Spot


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple["Node", ...]
    flow: bool
    start: Spot
    end: Spot


Node: TypeAlias = Scalar | Section | Items


class Unreadable(Exception):
    """The text is no tree at all; every (line from 0 or None, message) found until reading broke off."""

    def __init__(self, problems: list[tuple[int | None, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


def read(text: str) -> Node | None:
    """The tree, or None for a text without content. Raises Unreadable."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start)
        raise Unreadable([(line, "holds half a character; save the file as UTF-8")]) from error
    if size > LARGEST:
        raise Unreadable([(None, f"has {size} bytes; the most that is read is {LARGEST}")])
    return _Reader(text).read()


def plain(node: Node) -> Any:
    """The tree without its spots: dicts, lists, texts and None."""
    if isinstance(node, Section):
        return {key: plain(value) for key, (_, value) in node.entries.items()}
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return node.text


def lines(node: Node, path: Path = ()) -> Iterator[tuple[Path, int]]:
    """On which line, from 0, each part stands; a section's entry where its key does."""
    yield path, node.start.line
    if isinstance(node, Section):
        for name, (key, value) in node.entries.items():
            yield from lines(value, (*path, name))
            yield (*path, name), key.start.line
    elif isinstance(node, Items):
        for index, item in enumerate(node.items):
            yield from lines(item, (*path, index))


class _Reader:
    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._problems: list[tuple[int | None, str]] = []

    def read(self) -> Node | None:
        try:
            root = self._document()
        except yaml.MarkedYAMLError as error:
            self._problem(_line(error), _explained(error))
        except yaml.reader.ReaderError as error:
            self._problem(None, f"holds the character #x{error.character:04x}; YAML allows no control characters")
        if self._problems:
            raise Unreadable(self._problems)
        return root

    def _document(self) -> Node | None:
        root = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                self._problem(_spot(event.start_mark).line, "a second document begins; write one only, without ---")
                return root
            if isinstance(event, yaml.NodeEvent):
                root = self._node(event, 1)
        return root

    def _node(self, event: Any, depth: int) -> Node:
        self._plainness(event)
        if depth > DEEPEST:
            raise Unreadable([(event.start_mark.line, f"is nested more than {DEEPEST} levels deep")])
        if isinstance(event, yaml.MappingStartEvent):
            return self._section(event, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(event, depth)
        return _scalar(event)

    def _plainness(self, event: Any) -> None:
        line = event.start_mark.line
        if isinstance(event, yaml.AliasEvent):
            self._problem(line, f"the alias *{event.anchor} is not allowed; write out what it stands for")
        elif event.anchor is not None:
            self._problem(line, f"the anchor &{event.anchor} is not allowed; leave it out")
        elif event.tag is not None:
            self._problem(line, f"the tag {event.tag} is not allowed; leave it out")

    def _section(self, start: Any, depth: int) -> Section:
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, Scalar):
                self._problem(key.start.line, "a name must be a plain word, not a list or a section")
                continue
            name = "" if isinstance(event, yaml.AliasEvent) else str(event.value)  # an alias is a problem already
            if name in entries:
                first = entries[name][0].start.line + 1
                self._problem(key.start.line, f"{name!r} is written twice, first on line {first}; keep one")
            entries[name] = (key, value)
        return Section(entries, bool(start.flow_style), _spot(start.start_mark), _spot(event.end_mark))

    def _items(self, start: Any, depth: int) -> Items:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Items(tuple(items), bool(start.flow_style), _spot(start.start_mark), _spot(event.end_mark))

    def _problem(self, line: int | None, message: str) -> None:
        self._problems.append((line, message))


def _scalar(event: Any) -> Scalar:
    start, end = _spot(event.start_mark), _spot(event.end_mark)
    if isinstance(event, yaml.AliasEvent) or (event.implicit[0] and event.value in _NOTHING):
        return Scalar(None, start, end)
    return Scalar(event.value, start, end)


def _spot(mark: Any) -> Spot:
    return Spot(mark.line, mark.column)


def _line(error: yaml.MarkedYAMLError) -> int | None:
    mark = error.problem_mark or error.context_mark
    return mark.line if mark else None


def _explained(error: yaml.MarkedYAMLError) -> str:
    """The parser's words, with the usual cause where there is one."""
    said = " ".join(part for part in (error.context, error.problem) if part)
    if "cannot start any token" in said:
        return f"is no YAML: {said}; indent with spaces, not tabs, and quote texts that begin with a sign"
    if "mapping values" in said:
        return f"is no YAML: {said}; quote a text that has a colon in it"
    return f"is no YAML: {said}"
