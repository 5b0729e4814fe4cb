"""How a command that fails ends: one clear line, the right exit code, and never a traceback."""

import errno
import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from maas.cli import frame
from maas.domain.errors import Conflict, InvalidInput, NotFound, NotRunning, Unavailable
from maas.embedded.home import Home

Failing = Callable[[BaseException], int]


@pytest.fixture
def failing(maas_home: Home, monkeypatch: pytest.MonkeyPatch) -> Failing:
    """The exit code of a command that raises this."""
    maas_home.prepare()

    def run(error: BaseException) -> int:
        app = frame.noun("Fails.")

        @app.command()
        def fail() -> None:
            raise error

        module = ModuleType("failing_command")
        module.app = app  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "failing_command", module)
        return frame.run("fail", "failing_command", [])

    return run


@pytest.mark.parametrize(
    ("error", "code"), [(InvalidInput, 2), (NotFound, 4), (Conflict, 5), (NotRunning, 6), (Unavailable, 7)]
)
def test_what_is_known_is_said_in_a_line(
    failing: Failing, capsys: pytest.CaptureFixture[str], error: type[Exception], code: int
) -> None:
    assert failing(error("because of that")) == code
    assert capsys.readouterr().err == "error: because of that\n"


def test_what_nobody_foresaw_leaves_its_traceback_in_a_private_file(
    failing: Failing, capsys: pytest.CaptureFixture[str], maas_home: Home
) -> None:
    assert failing(ZeroDivisionError("by nought")) == 1
    said = capsys.readouterr().err
    [kept] = maas_home.logs.glob("error-*.log")
    assert said.startswith("error: ZeroDivisionError: by nought\n")
    assert str(kept) in said
    assert "Traceback" not in said
    assert "Traceback" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_it_is_shown_to_who_debugs(
    failing: Failing, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAAS_DEBUG", "1")
    assert failing(ZeroDivisionError("by nought")) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_full_disk_is_named(failing: Failing, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(OSError(errno.ENOSPC, "No space left on device", "/x/y")) == 9
    assert capsys.readouterr().err == "error: the disk is full: [Errno 28] No space left on device: '/x/y'\n"


def test_a_closed_folder_is_nobodys_mistake_in_here(
    failing: Failing, capsys: pytest.CaptureFixture[str], maas_home: Home
) -> None:
    assert failing(PermissionError(errno.EACCES, "Permission denied", "/x")) == 1
    assert capsys.readouterr().err == "error: [Errno 13] Permission denied: '/x'\n"
    assert not list(maas_home.logs.glob("error-*"))


def test_ctrl_c_says_nothing(failing: Failing, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_has_gone_is_quiet(failing: Failing, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(BrokenPipeError(errno.EPIPE, "Broken pipe")) == 1
    assert capsys.readouterr().err == ""
