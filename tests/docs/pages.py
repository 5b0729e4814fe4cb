"""The pages for users, taken apart: prose, links, headings and blocks of code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_CELLS = re.compile(r"(?<!\\)\|")


class Block(NamedTuple):
    language: str
    text: str


@dataclass(frozen=True)
class Page:
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def prose(self) -> str:
        return _BLOCK.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        return [Block(*match.groups()) for match in _BLOCK.finditer(self.text)]

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """As GitHub makes them of headings."""
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(self.prose)}

    def rows(self) -> Iterator[list[str]]:
        """The cells of every table's rows, without the ticks around names."""
        for line in self.prose.splitlines():
            if line.startswith("|"):
                yield [cell.strip().strip("`") for cell in _CELLS.split(line)[1:-1]]


def page(name: str) -> Page:
    return Page(ROOT / name)


def pages() -> list[Page]:
    return [page("README.md"), page("CHANGELOG.md"), *map(Page, sorted((ROOT / "docs").rglob("*.md")))]
