import csv
import io
import json
import re

import pytest

from maas.cli.output import Output, moment, notes, show

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


def on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, row: dict[str, object]
) -> list[str]:
    """Lines of a table of this row, on one of 80 columns."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for name, value in {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    show([row, row], Output.table, columns=list(row))
    lines = re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= 80
    return lines


KEY = "key_001e5171a99abcd1"
URL = "http://inference.internal.example.com:8000/openai/v1"
MODEL = {"name": "simulator", "status": "external", "runtime": "external", "url": URL, "context": 131072}
LIMITS = "20 requests per 2m, 1000 tokens per 1m, 500000 tokens per 1d, 10 money per 30d"
USAGE: dict[str, object] = {"key": KEY, "requests": 12345, "failed": 12, "prompt": 1234567, "completion": 1234567}
USAGE |= {"total": 2469134, "cost": "12.34567891"}


@pytest.mark.parametrize("row", [MODEL, {"name": "premium", "limits": LIMITS, "models": "all"}, USAGE])
def test_only_long_texts_are_folded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, row: dict[str, object]
) -> None:
    lines = on_a_terminal(capsys, monkeypatch, row)
    assert lines[0].split() == [name.upper() for name in row]
    first, shown = lines[2], "".join("".join(lines[2:]).split())
    for value in map(str, row.values()):
        assert value in first if len(value) <= 20 else all(part in shown for part in re.split(r"\W+", value)[:2])
    assert sorted(shown) == sorted("".join("".join(map(str, row.values())).split()) * 2)  # nothing is cut


def test_names_are_folded_before_numbers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    row = USAGE | {"prompt": 12345678901, "total": 1234567890}
    lines = on_a_terminal(capsys, monkeypatch, row)
    assert lines[2].split()[1:] == [str(row[name]) for name in list(row)[1:]]
    assert lines[2].split()[0] + lines[3].strip() == KEY


def test_csv_has_no_words_of_python(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"a": ["x", "y"], "b": {"p": 1}, "c": [{"p": 1}], "d": True, "e": None, "f": []}
    show([row], Output.csv, columns=list(row))
    (read,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert read == {"a": "x y", "b": '{"p": 1}', "c": '[{"p": 1}]', "d": "true", "e": "", "f": ""}


def test_notes_break_between_words_on_a_terminal_and_nowhere_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Created key_001e5171a99abcd1 for alice in the tier free. Keep its value now: it is not shown again."
    monkeypatch.setenv("COLUMNS", "80")
    notes().print(text)
    assert capsys.readouterr().err == f"{text}\n"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    notes().print(text)
    lines = capsys.readouterr().err.splitlines()
    assert " ".join(map(str.strip, lines)) == text
    assert max(map(len, lines)) <= 80


def test_moments_are_utc() -> None:
    assert moment(0) == "1970-01-01T00:00:00Z"
    assert moment(None) == ""
