"""maas status: what runs, since when, what died, and what the control plane says of its parts."""

import time
from collections.abc import Mapping
from typing import Any

import typer

from maas.cli import chosen, health
from maas.cli.frame import home, noun
from maas.cli.output import Output, Shape, ShapeOption, moment, show, show_json
from maas.domain import durations
from maas.domain.errors import NotRunning, Unavailable
from maas.embedded.supervisor import client
from maas.embedded.supervisor.status import READY, ProcessStatus, Status
from maas.embedded.trouble import end_of, is_in_trouble

app = noun("Show what runs, since when, and what died.")

_CONTROL = "control"  # processes.CONTROL, whose imports take longer than all the rest
_COLUMNS = ("name", "state", "pid", "since", "restarts", "last_exit")


@app.command()
def status(output: ShapeOption = Shape.table) -> None:
    """Show what runs, since when, and what died, and which part of what runs does not work.

    Exit code: 0 everything is ready, 6 the platform is not running, 7 something is down or does not work.

    Example: maas status -o json
    """
    if (cluster := chosen.cluster()) is not None:
        from maas.cli import cluster_status  # httpx, FastAPI and all of the cluster's half

        cluster_status.status(cluster, output)
        return
    current = client.status(home())  # not through embedded.platform, whose imports take longer than all the rest
    parts = health.parts(home()) if current and _answers(current) else {}
    if output is Shape.json:
        show_json(_document(current, parts))
    elif current is None:
        raise NotRunning("the platform is not running; `maas up` starts it")
    else:
        _print(current, parts)
    if code := _exit_code(current, parts):
        raise typer.Exit(code)


def _answers(current: Status) -> bool:
    """Whether there is a control plane to ask; what is starting is no failure."""
    return any(process.name == _CONTROL and process.state == READY for process in current.processes)


def _exit_code(current: Status | None, parts: Mapping[str, str]) -> int:
    if current is None:
        return NotRunning.exit_code
    well = all(process.state == READY for process in current.processes) and not _failing(parts)
    return 0 if well else Unavailable.exit_code


def _failing(parts: Mapping[str, str]) -> dict[str, str]:
    return {name: said for name, said in parts.items() if said != health.OK}


def _document(current: Status | None, parts: Mapping[str, str]) -> dict[str, Any]:
    return {
        "running": current is not None,
        "ready": _exit_code(current, parts) == 0,
        "supervisor": {"pid": current.supervisor.pid, "since": moment(current.started_at)} if current else None,
        "error": current.error if current else None,
        "processes": [_entry(process) for process in (current.processes if current else ())],
        "parts": parts,
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


def _print(current: Status, parts: Mapping[str, str]) -> None:
    now = time.time()
    rows = [{**_entry(process), "since": _ago(now - process.since)} for process in current.processes]
    show(rows, Output.table, columns=_COLUMNS, empty="nothing is to run")
    if current.error:
        print(f"\nThe newest list of processes was not taken up: {current.error}")
    for process in current.processes:
        if is_in_trouble(process):
            print(f"\n{process.name} died ({process.last_exit}); its log is {process.log}\n{end_of(process)}")
    for name, said in _failing(parts).items():
        print(f"\n{name}: failing: {said}")


def _ago(seconds: float) -> str:
    """In the two largest units: "3d4h ago"."""
    unit = 3600 if seconds >= 86400 else 60 if seconds >= 3600 else 1
    return f"{durations.compact(max(0.0, seconds) // unit * unit)} ago"
