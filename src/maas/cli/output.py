"""How results look: a table for people, JSON and CSV for programs. Colour only on a terminal.

Tables are made for 80 columns and need no lines. What doesn't fit on a terminal is folded: long texts first, names
and numbers last, and nothing is ever cut. A pipe gets plain text, as wide as its longest line.
"""

import csv
import json
import sys
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

Row = Mapping[str, Any]

_NAME = 20  # columns; longer texts are folded before all else. The id of a key just fits
_PADDING = {3: (0, 1, 0, 1), 2: (0, 1, 0, 0), 1: (0, 0, 0, 0)}  # by the blanks between two columns, best first
_GAP_WHEN_FOLDED = 2
_UNBOUNDED = 10_000  # columns; a program that reads a pipe would not want its lines wrapped


class Output(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"


class Shape(StrEnum):
    """For what is one thing and not a list of them."""

    table = "table"
    json = "json"


OutputOption = Annotated[Output, typer.Option("-o", "--output", help="How to print it.")]
ShapeOption = Annotated[Shape, typer.Option("-o", "--output", help="How to print it.")]


def console() -> Console:
    """For results: stdout. Without rich's markup: a model may be called [red]."""
    return Console(width=None if sys.stdout.isatty() else _UNBOUNDED, highlight=False, markup=False)


def notes() -> Console:
    """For what is not the result: progress, hints, warnings. Broken between words on a terminal, whole elsewhere."""
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=not sys.stderr.isatty())


def show(rows: Sequence[Row], output: Output, *, columns: Sequence[str], empty: str = "nothing to show") -> None:
    """columns: the rows' keys, in order. A table's headings are the keys in capitals; JSON holds all keys."""
    match output:
        case Output.json:
            show_json(rows)
        case Output.csv:
            _show_csv(rows, columns)
        case Output.table if rows:
            _show_table(rows, columns)
        case Output.table:
            notes().print(empty)


def show_json(value: object) -> None:
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def moment(seconds: float | None) -> str:
    """A time since the epoch in UTC, to the second; "" for none."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _show_csv(rows: Sequence[Row], columns: Sequence[str]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_field(row.get(column)) for column in columns] for row in rows)


def _field(value: object) -> object:
    """As other programs write it: true, not True; names with blanks between, and JSON for what has parts itself."""
    match value:
        case bool() | dict():
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple() if any(isinstance(item, dict | list | tuple) for item in value):
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple() | Set():
            return " ".join(map(str, value))
    return value


def _show_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    to = console()
    cells = [[_cell(row.get(column)) for row in rows] for column in columns]
    numbers = [all(isinstance(row.get(column), int | float | None) for row in rows) for column in columns]
    widest = [max(map(cell_len, [column, *below])) for column, below in zip(columns, cells, strict=True)]
    gaps = len(columns) - 1
    gap = next((gap for gap in _PADDING if sum(widest) + gap * gaps <= to.width), _GAP_WHEN_FOLDED)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=_PADDING[gap])
    for column, width, number in zip(columns, _folded(widest, numbers, to.width - gap * gaps), numbers, strict=True):
        title = column.replace("_", " ").upper()
        table.add_column(title, justify="right" if number else "left", overflow="fold", width=width)
    for line in zip(*cells, strict=True):
        table.add_row(*line)
    to.print(table)


def _folded(widest: Sequence[int], numbers: Sequence[bool], room: int) -> list[int]:
    """The width of each column: long texts give way first, then names, then numbers; always the widest of them."""
    widths, all_of_them = list(widest), range(len(widest))
    texts = [column for column in all_of_them if not numbers[column]]
    for least, foldable in ((_NAME, texts), (_NAME // 2, texts), (1, all_of_them)):
        while sum(widths) > room and (wider := [column for column in foldable if widths[column] > least]):
            widths[max(wider, key=widths.__getitem__)] -= 1
    return widths


def _cell(value: object) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else str(value)
