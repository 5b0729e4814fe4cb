import json
import os
from pathlib import Path

import pytest

from maas.embedded.supervisor.logs import EventLog, last_words, open_log, rotate


def test_a_log_that_has_grown_is_copied_and_goes_on_empty(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    writer = open_log(str(log))
    os.write(writer, b"x" * 11)
    assert rotate(log, max_bytes=10)
    os.write(writer, b"next\n")
    os.close(writer)
    assert log.read_bytes() == b"next\n"
    assert (tmp_path / "a.log.1").read_bytes() == b"x" * 11


def test_as_many_are_kept_as_agreed_the_oldest_last(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    for number in range(8):
        log.write_text(f"{number} is long enough")
        assert rotate(log, max_bytes=10, kept=5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", *(f"a.log.{n}" for n in range(1, 5))]
    assert (tmp_path / "a.log.1").read_text()[0] == "7"
    assert (tmp_path / "a.log.4").read_text()[0] == "4"


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("small")
    assert not rotate(tmp_path / "a.log", max_bytes=10)
    assert not rotate(tmp_path / "none.log", max_bytes=10)


def test_the_bound_holds_when_there_is_no_room_for_a_copy(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("x" * 100)
    (tmp_path / "a.log.1").symlink_to("/dev/full")
    assert rotate(log, max_bytes=10, kept=2)
    assert log.stat().st_size == 0
    assert not (tmp_path / "a.log.1").exists()


def test_its_files_are_private(tmp_path: Path) -> None:
    os.close(open_log(str(tmp_path / "a.log")))
    (tmp_path / "a.log").write_text("long enough")
    rotate(tmp_path / "a.log", max_bytes=1)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_full_disk_does_not_end_the_one_who_logs(capfd: pytest.CaptureFixture[str]) -> None:
    EventLog(Path("/dev/full"), echo=True).write("info", "started", process="a")
    assert capfd.readouterr().err == "started: process a\n"


def test_the_last_line_is_what_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"first\n" * 5000 + b"the \xff reason\n\n")
    assert last_words(tmp_path / "a.log") == "the \N{REPLACEMENT CHARACTER} reason"
    assert last_words(tmp_path / "none.log") == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"event": "cannot_start", "reason": "the pepper is missing"}, "the pepper is missing"),
        ({"event": "failed", "exception": "Traceback:\n  here\nValueError: no\n"}, "ValueError: no"),
        ({"event": "failed"}, '{"event": "failed"}'),
    ],
)
def test_of_a_line_of_json_the_reason_is_quoted(tmp_path: Path, line: dict[str, str], words: str) -> None:
    (tmp_path / "a.log").write_text(f"{json.dumps(line)}\n")
    assert last_words(tmp_path / "a.log") == words


def test_what_can_not_be_changed_does_not_end_the_one_who_rotates(tmp_path: Path) -> None:
    """As on a disk that was mounted anew to be read only; root may write to everything else."""
    (tmp_path / "a.log").mkdir()
    (tmp_path / "a.log.1").mkdir()
    assert not rotate(tmp_path / "a.log", max_bytes=-1, kept=2)
