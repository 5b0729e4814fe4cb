"""`maas --help` is instant, complete, and readable."""

import re
import subprocess
import sys
import time
from importlib import import_module

import pytest
import typer

from maas.cli.main import COMMANDS, help_text
from maas.embedded import processes
from tests.cli.terminal import Maas

HEAVY = ("typer", "rich", "click", "httpx", "pydantic", "sqlalchemy", "asyncio", "dataclasses")


def test_every_command_is_shown_once() -> None:
    shown = re.findall(r"^  ([a-z]+) {2,}[A-Z]", help_text(), re.M)
    assert sorted(shown) == sorted(COMMANDS)


def test_it_fits_into_80_columns() -> None:
    assert max(map(len, help_text().splitlines())) <= 80


def test_so_does_that_of_the_simulator(run: Maas) -> None:
    assert max(map(len, run("simulate", "--help").stdout.splitlines())) <= 80


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_all_ways_to_ask_for_it(run: Maas, arguments: tuple[str, ...]) -> None:
    asked = run(*arguments)
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, help_text(), "")


@pytest.mark.usefixtures("maas_home")
def test_it_imports_nothing_heavy() -> None:
    script = (
        f"import sys; from maas.cli.main import main; main(); sys.exit(str([m for m in {HEAVY} if m in sys.modules]))"
    )
    asked = subprocess.run([sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=False)
    assert asked.stderr.strip() == "[]"


@pytest.mark.usefixtures("maas_home")
def test_it_takes_at_most_five_times_as_long_as_python_itself() -> None:
    """The best of some tries: what the machine does besides only ever adds."""
    nothing = [_seconds("-c", "pass") for _ in range(5)]
    asked = [_seconds("-m", "maas.cli.main", "--help") for _ in range(5)]
    assert min(asked) <= 5 * min(nothing)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    app: typer.Typer = import_module(COMMANDS[name][0]).app
    for command in app.registered_commands:
        assert command.callback
        assert name == "simulate" or re.search(rf"Example: .*maas {name}\b", command.callback.__doc__ or "")


def test_a_typo_is_answered_with_what_was_meant(run: Maas) -> None:
    typo = run("stauts")
    assert typo.returncode == 2
    assert "did you mean `maas status`?" in typo.stderr


@pytest.mark.usefixtures("maas_home")
def test_a_reader_that_has_gone_is_no_error() -> None:
    command = f"{sys.executable} -m maas.cli.main --help | head -n 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    left = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (left.stdout, left.stderr) == ("0\n", "")


def _seconds(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def test_the_log_of_the_example_exists(run: Maas) -> None:
    """Processes are called what processes.py calls them, not what program they are."""
    example = re.search(r"Example: maas logs (\w+)", run("logs", "--help").stdout)
    assert example
    assert example[1] in (processes.CONTROL, processes.GATEWAY)
