"""up, down, status, logs and init, over processes that a test can choose."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from maas.embedded import logfiles, settings
from maas.embedded.home import Home
from maas.embedded.supervisor import client
from maas.embedded.supervisor.spec import Spec
from tests.cli.terminal import Maas
from tests.running import eventually

SLEEP = ("/bin/sleep", "1000")


@pytest.fixture
def supervised(maas_home: Home) -> Callable[..., None]:
    def supervise(*specs: Spec) -> None:
        maas_home.prepare()
        client.want(maas_home, specs)
        client.launch(maas_home)

    return supervise


def test_status_of_nothing(run: Maas) -> None:
    asked = run("status")
    assert (asked.returncode, asked.stdout) == (6, "")
    assert asked.stderr == "error: the platform is not running; `maas up` starts it\n"
    as_json = run("status", "-o", "json")
    assert as_json.returncode == 6
    assert json.loads(as_json.stdout)["running"] is False


def test_status_when_all_is_well(run: Maas, supervised: Callable[..., None], maas_home: Home) -> None:
    supervised(Spec("gateway", SLEEP, "gateway.log"))
    eventually(lambda: run("status").returncode == 0)
    document = json.loads(run("status", "-o", "json").stdout)
    assert document["ready"]
    assert [process["name"] for process in document["processes"]] == ["gateway"]
    assert document["processes"][0]["log"] == str(maas_home.logs / "gateway.log")
    heading, _, line = run("status").stdout.splitlines()
    assert heading.split() == ["NAME", "STATE", "PID", "SINCE", "RESTARTS", "LAST", "EXIT"]
    assert line.split()[:3] == ["gateway", "ready", str(document["processes"][0]["pid"])]


def test_status_says_what_is_down_and_where_to_look(run: Maas, supervised: Callable[..., None]) -> None:
    supervised(
        Spec("gateway", SLEEP, "gateway.log"), Spec("bad", ("/bin/sh", "-c", "echo no such model; exit 1"), "bad.log")
    )
    eventually(lambda: "failed" in run("status").stdout)
    asked = run("status")
    assert asked.returncode == 7
    assert "bad died (exit 1); its log is" in asked.stdout and asked.stdout.endswith("/bad.log\nno such model\n")


def test_down_twice(run: Maas, supervised: Callable[..., None]) -> None:
    supervised(Spec("gateway", SLEEP, "gateway.log"))
    assert (first := run("down")).returncode == 0
    assert first.stdout == "The platform is down.\n"
    assert (second := run("down")).returncode == 0
    assert second.stdout == "The platform was not running.\n"


def test_up_says_what_is_missing(run: Maas) -> None:
    asked = run("up")
    assert asked.returncode == 4
    assert "`maas init` writes one" in asked.stderr


def test_init_does_not_overwrite(run: Maas, maas_home: Home) -> None:
    assert run("init").returncode == 0
    maas_home.config.write_text("mine")
    assert run("init").returncode == 5
    assert maas_home.config.read_text() == "mine"
    assert run("init", "--force").returncode == 0
    assert maas_home.config.read_text() != "mine"


def test_the_database_is_remembered_in_private(run: Maas, maas_home: Home) -> None:
    url = "postgresql://maas:secret@127.0.0.1/maas"
    asked = run("up", MAAS_DATABASE_URL=url)
    assert "secret" not in asked.stdout + asked.stderr
    assert settings.load(maas_home).database_url == url
    [kept] = [path for path in maas_home.root.rglob("*") if path.is_file() and "secret" in path.read_text()]
    assert kept.stat().st_mode & 0o777 == 0o600
    run("up", "--database-url", "sqlite")
    assert settings.load(maas_home).database_url is None


@pytest.mark.parametrize("url", ["nonsense", "mysql://root:secret@db/maas"])
def test_what_is_no_database_is_refused(run: Maas, maas_home: Home, url: str) -> None:
    asked = run("up", "--database-url", url)
    assert asked.returncode == 2
    assert "secret" not in asked.stderr
    assert settings.load(maas_home).database_url is None


def test_logs_of_all_and_of_one(run: Maas, maas_home: Home) -> None:
    maas_home.prepare()
    (maas_home.logs / "gateway.log").write_text("".join(f"line {number}\n" for number in range(500)))
    (maas_home.logs / "control.log").write_text("hello\n")
    assert run("logs", "-n", "1").stdout.splitlines() == ["control | hello", "gateway | line 499"]
    assert run("logs", "gateway").stdout.splitlines() == [f"line {number}" for number in range(400, 500)]
    unknown = run("logs", "nobody")
    assert unknown.returncode == 4
    assert "control, gateway" in unknown.stderr


def test_following_goes_on_where_a_log_was_truncated(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("old\nbefore\n")
    lines = logfiles.read({"a": log}, last=1, follow=True)
    assert next(lines) == ("a", "before")
    with log.open("a") as file:
        file.write("after\nhalf a li")
    assert next(lines) == ("a", "after")
    log.write_text("new\n")
    assert next(lines) == ("a", "new")


def test_long_logs_are_read_from_their_end(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("x" * 99 + "\n")
    with log.open("a") as file:
        file.writelines(f"{number:099}\n" for number in range(100_000))
    began = time.perf_counter()
    assert [line for _, line in logfiles.read({"a": log}, last=2, follow=False)] == [f"{99_998:099}", f"{99_999:099}"]
    assert time.perf_counter() - began < 1.0


def test_a_model_is_not_said_to_load_where_nothing_runs(run: Maas, tmp_path: Path) -> None:
    """Nor are its weights fetched."""
    asked = run("models", "add", "m", "--runtime", "llama-cpp", "--weights", str(tmp_path / "none.gguf"))
    assert (asked.returncode, asked.stdout) == (6, "")
    assert asked.stderr == "error: the platform is not running; start it with: maas up\n"
