"""The results as a table for people, and as JSON for whoever compares."""

import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.cpu_model.figures import Case, compared
from benchmarks.gateway.report import number, table

_AIM = 0.02
_ENOUGH = 20  # pairs of each case: with fewer, chance says whether the aim is met


def text(cases: list[Case]) -> str:
    return table(_rows(cases)) + "\n\n" + _verdict(cases) + "\n"


def save(folder: Path, machine: dict[str, str], cases: list[Case]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    facts = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    (folder / "results.md").write_text(f"# A model on the CPU\n\n{facts}\n\n```\n{text(cases)}```\n")
    document = {"machine": machine, "cases": [asdict(case) for case in cases]}
    (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n")


def _rows(cases: list[Case]) -> list[list[str]]:
    rows = [["", "direct", "MaaS", "slower", "95 % between"]]
    for case in cases:
        rows.append([f"{case.name} ({len(case.pairs)} pairs)", "", "", "", ""])
        for each in compared(case):
            between = f"{each.low:+.1%} and {each.high:+.1%}"
            rows.append(
                [f"  {each.what}", number(each.direct, 1), number(each.gateway, 1), f"{each.slower:+.1%}", between]
            )
    return rows


def _verdict(cases: list[Case]) -> str:
    if any(len(case.pairs) < _ENOUGH for case in cases):
        return f"Too few pairs to say whether it is at most {_AIM:.0%} slower: that takes {_ENOUGH} of each case."
    found = [each for case in cases for each in compared(case)]
    missed = [f"{each.case}, {each.what}" for each in found if each.slower > _AIM]
    return f"Aim: at most {_AIM:.0%} slower. " + (
        "\n".join(["Missed:", *(f"- {each}" for each in missed)]) if missed else "Met."
    )
