"""Who waits at a terminal sees for what: on a real pseudo-terminal, of which nothing is left in the end."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import maas

_SHOW = """
import time
from maas.cli import facts
from maas.cluster.facts.model import Step
with facts._shown("connecting") as watch:
    for done in range(3):
        watch(Step("pods", done, 63, 3500 * done))
        time.sleep(0.15)  # rich paints ten times a second
"""


def painted(code: str) -> str:
    """What a terminal of 80 columns got on stderr."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(Path(maas.__file__).parents[1]), "COLUMNS": "80", "TERM": "xterm"}
    process = subprocess.Popen([sys.executable, "-c", code], stderr=theirs, env=environment)
    os.close(theirs)
    said = b""
    while True:
        try:
            said += os.read(ours, 4096)
        except OSError:  # how Linux says that the other side is closed
            break
    os.close(ours)
    assert process.wait(30) == 0
    return said.decode()


def test_what_is_read_and_how_far() -> None:
    said = painted(_SHOW)
    assert "connecting" in said or "0 of 63: pods" in said
    assert "2 of 63: pods, 7,000 objects" in said
    assert said.rstrip().endswith("\x1b[2K") or "\x1b[1A\x1b[2K" in said  # and taken away


def test_nothing_is_said_to_a_pipe(capfd: pytest.CaptureFixture[str]) -> None:
    subprocess.run(
        [sys.executable, "-c", _SHOW],
        env={**os.environ, "PYTHONPATH": str(Path(maas.__file__).parents[1])},
        check=True,
        timeout=30,
    )
    assert capfd.readouterr() == ("", "")
