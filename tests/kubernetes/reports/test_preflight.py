"""maas preflight from a shell: exit codes, options, waiting, pipes and locales."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maas.cli import preflight
from maas.cli.facts import silent
from maas.cli.judged import look_for
from maas.cluster.facts.model import Cause, Facts, Unread
from maas.cluster.failures import LoginFailed, Unreachable
from maas.domain.errors import MaasError
from maas.readiness.findings import Finding, Severity, Status
from tests.kubernetes import offline
from tests.kubernetes.reports.conftest import Process, Run
from tests.kubernetes.reports.sample import cluster, findings

_ONE = findings()[0]
Found = Callable[..., None]


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> Found:
    """Findings of each reading, in turn; the last ones stay. An error is what the reading ends with."""

    def finds(*rounds: Sequence[Finding] | MaasError) -> None:
        left = list(rounds)

        def judge(*_: Any, **__: Any) -> Sequence[Finding]:
            now = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(now, MaasError):
                raise now
            return now

        monkeypatch.setattr(preflight, "gather", lambda *_, **__: cluster())
        monkeypatch.setattr(preflight, "judge", judge)

    return finds


def of(status: Status, severity: Severity = Severity.error) -> list[Finding]:
    return [replace(_ONE, status=status, severity=severity)]


@pytest.mark.parametrize(
    ("status", "severity", "options", "code"),
    [
        (Status.passed, Severity.error, (), 0),
        (Status.to_install, Severity.error, ("--strict",), 0),
        (Status.skipped, Severity.error, (), 3),
        (Status.warning, Severity.error, (), 0),
        (Status.warning, Severity.error, ("--strict",), 4),
        (Status.unknown, Severity.warning, (), 0),
        (Status.unknown, Severity.warning, ("--strict",), 4),
        (Status.unknown, Severity.error, (), 3),
        (Status.failed, Severity.error, ("--strict",), 3),
    ],
)
def test_exit_codes(
    maas: Run, finds: Found, status: Status, severity: Severity, options: tuple[str, ...], code: int
) -> None:
    finds(of(status, severity))
    said = maas("preflight", *options)
    assert (said.code, said.err) == (code, "")


def test_a_snapshot_is_judged(maas: Run, snapshot: Path) -> None:
    said = maas("preflight", "--from", snapshot, "-o", "json")
    told = json.loads(said.out)
    assert (said.code, told["verdict"]) == (3, "not_ready")
    assert told["source"]["live"] is False
    assert not said.err


def test_a_file_that_is_no_yaml_is_a_finding(maas: Run, snapshot: Path) -> None:
    (snapshot / "broken.yaml").write_text("a: b: c")
    said = maas("preflight", "--from", snapshot, "--only", "MAAS-901", "-o", "short")
    assert said.code == 0
    assert "broken.yaml" in said.out


def test_only_and_skip(maas: Run, snapshot: Path) -> None:
    chosen = ("--only", "maas-90", "--skip", "MAAS-902,MAAS-903,MAAS-904")
    said = maas("preflight", "--from", snapshot, "-o", "json", *chosen)
    assert [finding["code"] for finding in json.loads(said.out)["findings"]] == ["MAAS-901"]


@pytest.mark.parametrize("option", ["--only", "--skip"])
def test_an_unknown_code_is_wrong_usage(maas: Run, snapshot: Path, option: str) -> None:
    said = maas("preflight", "--from", snapshot, option, "MAAS-9O9")
    assert said.code == 2
    assert "MAAS-901" in said.err
    assert "maas explain --list" in said.err


@pytest.mark.parametrize(
    "arguments",
    [("--from", "x", "--context", "y"), ("--from", "x", "--wait", "5m"), ("--timeout", "5"), ("--from", "/nowhere")],
)
def test_wrong_usage(maas: Run, arguments: tuple[str, ...]) -> None:
    assert maas("preflight", *arguments).code == 2


def test_nothing_checked_is_not_ready(maas: Run, snapshot: Path) -> None:
    said = maas("preflight", "--from", snapshot, "--only", "MAAS-901", "--skip", "MAAS-9")
    assert said.code == 2
    assert "leave no check" in said.err


def test_a_model_that_nobody_knows_is_wrong_usage(maas: Run, snapshot: Path) -> None:
    said = maas("preflight", "--from", snapshot, "--for", "simulator,qwne3")
    assert said.code == 2
    assert "--for qwne3: the checks know no such model; did you mean qwen3?" in said.err


def test_all_left_out_is_no_readiness(maas: Run, finds: Found) -> None:
    finds(of(Status.skipped))
    said = maas("preflight")
    assert said.code == 3
    assert "? nothing was judged: 1 skipped" in said.out
    told = json.loads(maas("preflight", "-o", "json").out)
    assert (told["verdict"], told["ready"]) == ("nothing_judged", False)


def test_a_closed_stdout_leaves_the_exit_code(no_cluster: None, snapshot: Path) -> None:
    command = f'exec "{sys.executable}" -m maas.cli.main preflight --from "{snapshot}" >&-'
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (3, "")


@pytest.mark.parametrize("cause", [Cause.failed, Cause.timeout])
def test_a_server_that_says_nothing_usable_is_out_of_reach(cause: Cause) -> None:
    nothing = Unread(cause, "listing pods: 500")
    of_all = dict.fromkeys(offline.facts().lists, nothing)
    assert silent(replace(offline.facts(), version=nothing, apis=nothing, lists=of_all)) == "listing pods: 500"
    assert not silent(replace(offline.facts(), version=nothing, apis=nothing))
    assert not silent(replace(offline.facts(), apis=nothing, lists=of_all))
    denied = {**of_all, "pods": Unread(Cause.denied, "forbidden")}
    assert not silent(replace(offline.facts(), version=nothing, apis=nothing, lists=denied))


def test_without_a_cluster_it_says_what_works_without_one(maas: Run) -> None:
    said = maas("preflight")
    assert said.code == 2
    assert "--from SNAPSHOT" in said.err
    assert "./install.sh --simulator" in said.err


def test_what_was_asked_reaches_the_checks(maas: Run, snapshot: Path) -> None:
    options = ("--target", "openshift", "--gpu", "--for", "qwen3", "--for", "simulator,Qwen3-8B", "-n", "models")
    told = json.loads(maas("preflight", "--from", snapshot, "-o", "json", *options).out)
    assert told["target"] == "openshift"
    assert told["asked"] == {
        "phase": "before",
        "gpu": True,
        "models": ["Qwen3-8B", "qwen3", "simulator"],
        "namespace": "models",
    }


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """[now]: sleeping moves it."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_waiting_ends_when_it_is_ready(maas: Run, finds: Found, clock: list[float]) -> None:
    finds(of(Status.failed), Unreachable("it restarts"), of(Status.unknown), of(Status.passed))
    assert maas("preflight", "--wait", "1m").code == 0
    assert clock[0] == 15


def test_waiting_ends_at_the_deadline(maas: Run, finds: Found, clock: list[float]) -> None:
    finds(of(Status.failed))
    assert maas("preflight", "--wait", "1m").code == 3
    assert 50 <= clock[0] <= 60


def test_a_cluster_that_never_comes_is_an_error(maas: Run, finds: Found, clock: list[float]) -> None:
    finds(Unreachable("nobody is there"))
    said = maas("preflight", "--wait", "10s")
    assert (said.code, said.err) == (7, "error: nobody is there\n")


def test_a_refused_login_is_not_tried_again(maas: Run, finds: Found, clock: list[float]) -> None:
    finds(LoginFailed("the token has expired"), of(Status.passed))
    assert maas("preflight", "--wait", "1m").code == 7
    assert clock[0] == 0


def test_no_reading_outlasts_the_waiting(maas: Run, monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    given = []

    def gather(*_: Any, deadline: float, **__: Any) -> Facts:
        given.append(deadline)
        return cluster()

    monkeypatch.setattr(preflight, "gather", gather)
    monkeypatch.setattr(preflight, "judge", lambda *_, **__: of(Status.failed))
    maas("preflight", "--wait", "12s", "--timeout", "30s")
    assert given == [30, 7, 2]


def test_strict_waits_for_warnings_to_go(maas: Run, finds: Found, clock: list[float]) -> None:
    finds(of(Status.warning), of(Status.passed))
    assert maas("preflight", "--wait", "1m", "--strict").code == 0
    assert clock[0] == 5


def test_a_reader_that_went_away_is_no_error(process: Process, snapshot: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    said = process("preflight", "--from", snapshot, stdout=writing)
    os.close(writing)
    assert (said.returncode, said.stderr) == (3, b"")


def test_a_terminal_without_unicode_gets_ascii(process: Process, snapshot: Path) -> None:
    said = process("preflight", "--from", snapshot, "--only", "MAAS-9", PYTHONIOENCODING="latin-1")
    assert (said.returncode, said.stderr) == (0, b"")
    assert said.stdout.isascii()
    assert b"[ok] MAAS-901" in said.stdout


@pytest.mark.parametrize(
    ("environment", "encoding", "ascii"),
    [
        ({"LC_ALL": "C"}, "utf-8", True),
        ({"LANG": "POSIX"}, "utf-8", True),
        ({"LANG": "C", "LC_ALL": "C.UTF-8"}, "utf-8", False),
        ({"LANG": "en_US.UTF-8"}, "UTF8", False),
        ({}, "utf-8", False),
        ({"LANG": "en_US"}, "iso-8859-1", True),
        ({"LANG": "ja_JP.eucJP"}, "euc_jp", True),
    ],
)
def test_who_asked_for_ascii(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], encoding: str, ascii: bool
) -> None:
    for name in ("LANG", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert look_for(io.TextIOWrapper(io.BytesIO(), encoding)).ascii is ascii


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "width", "colour"),
    [
        ({"COLUMNS": "80"}, 80, True),
        ({"COLUMNS": "300"}, 100, True),
        ({"COLUMNS": "5"}, 40, True),
        ({"COLUMNS": "80", "NO_COLOR": "1"}, 80, False),
        ({"COLUMNS": "80", "NO_COLOR": ""}, 80, True),
        ({"COLUMNS": "80", "TERM": "dumb"}, 80, False),
    ],
)
def test_on_a_terminal(
    no_cluster: None, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], width: int, colour: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    look = look_for(_Terminal(io.BytesIO(), "utf-8"))
    assert (look.width, look.colour) == (width, colour)


def test_a_pipe_gets_no_colour_and_no_progress(process: Process, snapshot: Path) -> None:
    said = process("preflight", "--from", snapshot, LC_ALL="C.UTF-8", TERM="xterm-256color")
    assert b"\x1b" not in said.stdout
    assert not said.stderr
    assert "√" in said.stdout.decode()
