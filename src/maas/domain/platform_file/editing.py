"""Adding and removing a model in the user's own file, with all the comments that are not about it.

Writing the file anew would lose the comments, and a round-trip parser (ruamel.yaml) would be a second opinion on what
YAML means. So lines are cut and put in where tree.py says that they stand, and the outcome is checked: it must read as
exactly the platform that was meant, or nothing is changed and the user is asked to edit by hand.
"""

from collections.abc import Mapping
from typing import Any

from maas.domain.errors import Conflict, InvalidInput, InvalidPlatform, NotFound
from maas.domain.platform import Platform
from maas.domain.platform_file import reading, tree, writing
from maas.domain.platform_file.tree import Node, Scalar, Section, Spot

_INDENT = 2


def with_model(text: str, name: str, spec: Mapping[str, object]) -> str:
    """The text with one model more; `spec` is its entry, as in maas.yaml.

    Raises Conflict when it exists, InvalidPlatform when the entry is wrong.
    """
    if name in reading.load(text).models:
        raise Conflict(f"the model {name!r} exists already; remove it first, or edit {reading.NAME}")
    root = reading.parsed(text)
    data = tree.plain(root)
    data["models"] = {**(data.get("models") or {}), name: _texts(spec)}
    meant = reading.checked(data)
    entry = {name: writing.model(meant.models[name])}
    return _checked(_inserted(_Text(text), root, entry), meant, name)


def without_model(text: str, name: str) -> str:
    """Raises NotFound when there is no such model, Conflict when a tier names it."""
    before = reading.load(text)
    if name not in before.models:
        raise NotFound(f"there is no model {name!r}")
    if tiers := [tier.name for tier in before.tiers.values() if tier.models and name in tier.models]:
        raise Conflict(
            f"the model {name!r} is named by the tier {', '.join(tiers)}; take it out of tiers.{tiers[0]}.models"
        )
    root = reading.parsed(text)
    data = tree.plain(root)
    del data["models"][name]
    models = root.entries["models"][1]
    assert isinstance(models, Section)
    return _checked(_removed(_Text(text), models, name), reading.checked(data), name)


def _checked(text: str, meant: Platform, name: str) -> str:
    try:
        same = reading.load(text) == meant
    except InvalidPlatform:
        same = False
    if not same:
        raise InvalidInput(
            f"{reading.NAME} is written in a way that no command can change safely; edit models.{name} by hand, "
            f"then run: maas apply -f {reading.NAME}"
        )
    return text


class _Text:
    """A text that is cut and added to by spots, from its end towards its beginning."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines(keepends=True)
        self.newline = "\r\n" if "\r\n" in text else "\n"

    def __str__(self) -> str:
        return "".join(self.lines)

    def replace(self, start: Spot, end: Spot, new: str) -> None:
        head, tail = self.lines[start.line][: start.column], self._from(end)
        self.lines[start.line : end.line + 1] = [head + new + tail]

    def insert_lines(self, at: int, new: str, indent: int) -> None:
        if at > 0 and not self.lines[at - 1].endswith(("\n", "\r")):
            self.lines[at - 1] += self.newline
        self.lines[at:at] = [" " * indent + line + self.newline for line in new.splitlines()]

    def after(self, node: Node, key: Scalar, indent: int) -> int:
        """The first line behind an entry and the comments inside it, which are those indented deeper than its key."""
        line = max(_last_line(node), key.end.line) + 1
        while line > key.end.line + 1 and not self.lines[line - 1].strip():
            line -= 1
        while line < len(self.lines) and self._is_comment(line, indent):
            line += 1
        return line

    def _is_comment(self, line: int, deeper_than: int) -> bool:
        bare = self.lines[line].lstrip(" ")
        return bare.startswith("#") and len(self.lines[line]) - len(bare) > deeper_than

    def _from(self, spot: Spot) -> str:
        return self.lines[spot.line][spot.column :] if spot.line < len(self.lines) else ""


def _inserted(text: _Text, root: Section, entry: Mapping[str, Any]) -> str:
    key, models = root.entries.get("models", (None, None))
    if isinstance(models, Section) and models.entries:
        _into(text, models, entry)
    elif key is None or models is None:
        _into(text, root, {"models": entry})
    elif root.flow:
        text.replace(models.start, models.end, writing.as_braces(entry))
    else:
        text.replace(models.start, models.end, "")
        text.insert_lines(key.end.line + 1, writing.as_yaml(entry), key.start.column + _INDENT)
    return str(text)


def _into(text: _Text, section: Section, entry: Mapping[str, Any]) -> None:
    key, value = list(section.entries.values())[-1]
    if section.flow:
        text.replace(value.end, value.end, f", {writing.as_braces(entry)[1:-1]}")
    else:
        indent = key.start.column
        text.insert_lines(text.after(value, key, indent), writing.as_yaml(entry), indent)


def _removed(text: _Text, models: Section, name: str) -> str:
    key, value = models.entries[name]
    if models.flow:
        text.replace(*_braced(models, name), "")
    else:
        del text.lines[key.start.line : text.after(value, key, key.start.column)]
    return str(text)


def _braced(models: Section, name: str) -> tuple[Spot, Spot]:
    """From where to where an entry in braces goes, with one of the commas beside it."""
    names = list(models.entries)
    index = names.index(name)
    key, value = models.entries[name]
    if index + 1 < len(names):
        return key.start, models.entries[names[index + 1]][0].start
    return (models.entries[names[index - 1]][1].end if index else key.start), value.end


def _last_line(node: Node) -> int:
    """The last line with something of the node on it: a section in lines ends only where the next one begins."""
    if isinstance(node, Section) and not node.flow:
        key, value = list(node.entries.values())[-1]
        return max(key.end.line, _last_line(value))
    if isinstance(node, tree.Items) and not node.flow:
        return _last_line(node.items[-1])
    return node.end.line - (node.end.column == 0 and node.end.line > node.start.line)


def _texts(value: object) -> Any:
    """JSON's values as they would be written in the file."""
    if isinstance(value, Mapping):
        return {str(key): _texts(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_texts(inner) for inner in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)
