"""maas status: what runs, since when, and what died."""

import time
from typing import Any

import typer

from maas.cli.frame import home, noun
from maas.cli.output import Output, Shape, ShapeOption, moment, show, show_json
from maas.domain import durations
from maas.domain.errors import NotRunning, Unavailable
from maas.embedded.supervisor import client
from maas.embedded.supervisor.status import READY, ProcessStatus, Status

app = noun("Show what runs, since when, and what died.")

_COLUMNS = ("name", "state", "pid", "since", "restarts", "last_exit")


@app.command()
def status(output: ShapeOption = Shape.table) -> None:
    """Show what runs, since when, and what died.

    Exit code: 0 everything is ready, 6 the platform is not running, 7 something is down.

    Example: maas status -o json
    """
    current = client.status(home())  # not through embedded.platform, whose imports take longer than all the rest
    if output is Shape.json:
        show_json(_document(current))
    elif current is None:
        raise NotRunning("the platform is not running; `maas up` starts it")
    else:
        _print(current)
    if code := _exit_code(current):
        raise typer.Exit(code)


def _exit_code(current: Status | None) -> int:
    if current is None:
        return NotRunning.exit_code
    return 0 if all(process.state == READY for process in current.processes) else Unavailable.exit_code


def _document(current: Status | None) -> dict[str, Any]:
    return {
        "running": current is not None,
        "ready": _exit_code(current) == 0,
        "supervisor": {"pid": current.supervisor.pid, "since": moment(current.started_at)} if current else None,
        "error": current.error if current else None,
        "processes": [_entry(process) for process in (current.processes if current else ())],
    }


def _entry(process: ProcessStatus) -> dict[str, Any]:
    return {
        "name": process.name,
        "state": process.state,
        "pid": process.pid,
        "since": moment(process.since),
        "restarts": process.restarts,
        "last_exit": process.last_exit,
        "next_try": moment(process.next_try) or None,
        "log": process.log,
    }


def _print(current: Status) -> None:
    now = time.time()
    rows = [{**_entry(process), "since": _ago(now - process.since)} for process in current.processes]
    show(rows, Output.table, columns=_COLUMNS, empty="nothing is to run")
    if current.error:
        print(f"\nThe newest list of processes was not taken up: {current.error}")
    for process in current.processes:
        if process.state != READY and process.last_exit:
            print(f"\n{process.name} died ({process.last_exit}); its log is {process.log}")


def _ago(seconds: float) -> str:
    """In the two largest units: "3d4h ago"."""
    unit = 3600 if seconds >= 86400 else 60 if seconds >= 3600 else 1
    return f"{durations.compact(max(0.0, seconds) // unit * unit)} ago"
