"""What every command has in common: how it is declared, and how its end, good or bad, is told to people and scripts.

A module of a command has an `app`, made by `noun()`:

    app = noun("Show the tiers and their limits")

    @app.command("list")
    def list_tiers(output: Output = Output.table) -> None: ...

One @app.command() alone takes its options directly (`maas up --foreground`); several become `maas tiers list`.
Commands raise MaasError; they print no errors and don't choose exit codes.
"""

import errno
import os
import sys
import tempfile
import time
import traceback
from importlib import import_module
from pathlib import Path

import typer

from maas.domain.errors import MaasError
from maas.embedded.home import Home, default_root

_DISK_FULL = 9
_INTERRUPTED = 130
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def noun(help: str) -> typer.Typer:
    return typer.Typer(
        help=help,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def home() -> Home:
    return Home(default_root())


def run(name: str, module: str, arguments: list[str]) -> int:
    """The exit code, after everything has been said."""
    try:
        app = import_module(module).app
        typer.main.get_command(app).main(args=arguments, prog_name=f"maas {name}")
    except SystemExit as end:
        return _code(end)
    except MaasError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as error:
        return _of_the_machine(error)
    except Exception as error:  # noqa: BLE001  # the last resort: users get a sentence, the traceback goes to a file
        return _unforeseen(error)
    return 0


def _code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


def _of_the_machine(error: OSError) -> int:
    """A full disk and a closed folder are nobody's mistake in here: no traceback."""
    if error.errno in _FULL:
        print(f"error: the disk is full: {error}", file=sys.stderr)
        return _DISK_FULL
    if isinstance(error, PermissionError):
        print(f"error: {error}", file=sys.stderr)
        return 1
    return _unforeseen(error)


def _unforeseen(error: Exception) -> int:
    if os.environ.get("MAAS_DEBUG"):
        traceback.print_exception(error)
        return 1
    print(f"error: {_in_a_line(error)}", file=sys.stderr)
    if path := _kept(error):
        print(f"This should not have happened. The details are in {path}", file=sys.stderr)
    return 1


def _in_a_line(error: Exception) -> str:
    if isinstance(error, OSError):
        return str(error)
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _kept(error: Exception) -> Path | None:
    """Where the traceback was written; None if nowhere could be written to."""
    name = f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    for folder in (home().logs, Path(tempfile.gettempdir())):
        try:
            fd = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            continue
        with open(fd, "w") as file:  # noqa: PTH123  # a descriptor, so that it is private from its first moment
            traceback.print_exception(error, file=file)
        return folder / name
    return None
