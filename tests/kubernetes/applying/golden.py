"""Messages of failures as files: what changes from run to run is made the same before they are laid out.

MAAS_GOLDEN=write python -m pytest tests/kubernetes/applying/test_failures.py    writes them anew
"""

import os
import re
from dataclasses import replace
from pathlib import Path

from maas.cluster.applying import Report, written
from maas.cluster.applying.failure import Lines

FOLDER = Path(__file__).parent / "messages"
_SAME = (
    (re.compile(r"^\d+ (s|min|h) ago"), "40 s ago"),
    (re.compile(r"waited \d+ (s|min)"), "waited 5 min"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:30443"),
    (re.compile(r"-[0-9a-f]{8,10}(-[a-z0-9]{5})?\b"), lambda found: "-6d4cf56db6" + ("-x7k2p" if found[1] else "")),
    (re.compile(r"\b(\d+) times\)"), "3 times)"),
)


def same(text: str) -> str:
    for pattern, instead in _SAME:
        text = pattern.sub(instead, text)
    return text


def normal(report: Report) -> str:
    return written(
        replace(
            report,
            object=same(report.object),
            wanted=same(report.wanted),
            found=same(report.found),
            cause=same(report.cause),
            events=tuple(dict.fromkeys(map(same, report.events))),
            logs=tuple(Lines(same(log.pod), log.container, log.lines, log.previous) for log in report.logs),
            commands=tuple(map(same, report.commands)),
        )
    )


def check(name: str, report: Report) -> None:
    found, place = normal(report) + "\n", FOLDER / f"{name}.txt"
    if os.environ.get("MAAS_GOLDEN") == "write":
        place.write_text(found)
    assert found == place.read_text()
    commands = {f"    {command}" for command in map(same, report.commands)}
    long = [line for line in found.splitlines() if len(line) > 80 and line not in commands and "http" not in line]
    assert long == [], "it has to be read on a narrow terminal"
