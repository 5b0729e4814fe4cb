"""From the text of maas.yaml to the platform, with every problem on the way."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from maas.domain.errors import InvalidPlatform
from maas.domain.platform import Platform
from maas.domain.platform_file import problems, tree
from maas.domain.platform_file.schema import File

NAME = "maas.yaml"
_NO_LINES: Mapping[tree.Path, int] = MappingProxyType({})


def load(text: str, name: str = NAME) -> Platform:
    """The platform that the text describes; `name` is the file as messages should call it.

    Raises InvalidPlatform with all problems, each with its line, its place, and what to write instead.
    """
    root = parsed(text, name)
    return checked(tree.plain(root), name, dict(tree.lines(root)))


def parsed(text: str, name: str = NAME) -> tree.Section:
    try:
        root = tree.read(text)
    except tree.Unreadable as error:
        raise InvalidPlatform([_worded(name, line, (), message) for line, message in error.problems]) from error
    if root is None or (isinstance(root, tree.Scalar) and root.text is None):
        raise InvalidPlatform([f"{name} is empty; `maas init` writes one to start from, with comments"])
    if not isinstance(root, tree.Section):
        raise InvalidPlatform([f"{name} must be made of the sections {', '.join(File.model_fields)}; see `maas init`"])
    return root


def checked(data: dict[str, Any], name: str = NAME, lines: Mapping[tree.Path, int] = _NO_LINES) -> Platform:
    """The platform of a tree of texts. Raises InvalidPlatform."""
    models = data.get("models")
    known = frozenset(models) if isinstance(models, dict) else frozenset()
    try:
        return File.model_validate(data, context=known).build()
    except ValidationError as error:
        found = ((problems.line_of(path, lines), path, message) for path, message in problems.found(error))
        ordered = sorted(found, key=lambda one: one[0] or 0)
        raise InvalidPlatform([_worded(name, *one) for one in ordered]) from error


def _worded(name: str, line: int | None, path: tree.Path, message: str) -> str:
    place = [f"{name} line {line + 1}" if line is not None else name, problems.shown(path)]
    return f"{', '.join(filter(None, place))}: {message}"
