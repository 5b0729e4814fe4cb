import csv
import io
import json
import re

import pytest

from maas.cli.output import Output, moment, show

ROWS = [
    {"name": "simulator", "tokens": 12, "models": ["a", "b"], "hidden": None},
    {"name": "[red]not markup[/red]", "tokens": 3456, "models": [], "hidden": "x"},
]
COLUMNS = ("name", "tokens", "models")


def printed(capsys: pytest.CaptureFixture[str], output: Output) -> str:
    show(ROWS, output, columns=COLUMNS)
    return capsys.readouterr().out


def test_a_table_is_plain_text_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, Output.table).splitlines()
    assert lines[0].split() == ["NAME", "TOKENS", "MODELS"]
    assert lines[2].split() == ["simulator", "12", "a,", "b"]
    assert lines[3].split() == ["[red]not", "markup[/red]", "3456"]
    assert "\x1b" not in "".join(lines)


def test_numbers_stand_in_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, Output.table).splitlines()
    assert lines[2].index("12") + 2 == lines[3].index("3456") + 4


def test_csv_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(printed(capsys, Output.csv))))
    assert [row["tokens"] for row in rows] == ["12", "3456"]


def test_json_has_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(capsys, Output.json)) == ROWS


def test_nothing_is_said_aside(capsys: pytest.CaptureFixture[str]) -> None:
    show([], Output.table, columns=COLUMNS, empty="no models")
    assert tuple(capsys.readouterr()) == ("", "no models\n")


def test_a_long_cell_wraps_on_a_terminal_and_loses_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    show([{"name": "x" * 60}], Output.table, columns=("name",))
    out = re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out)
    assert max(map(len, out.splitlines())) <= 40
    assert out.count("x") == 60


def test_moments_are_utc() -> None:
    assert moment(0) == "1970-01-01T00:00:00Z"
    assert moment(None) == ""
