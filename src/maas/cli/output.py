"""How results look: a table for people, JSON and CSV for programs. Colour only on a terminal.

Tables are made for 80 columns and need no lines: rich wraps what doesn't fit, and a pipe gets plain text, as wide as
its longest line.
"""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

Row = Mapping[str, Any]

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
    """For what is not the result: progress, hints, warnings."""
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


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
    writer.writerows([row.get(column) for column in columns] for row in rows)


def _show_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        numbers = all(isinstance(row.get(column), int | float | None) for row in rows)
        table.add_column(column.replace("_", " ").upper(), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console().print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else str(value)
