"""Commands are there to be copied: whatever objects are called, a shell sees words, and runs nothing of them."""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import maas
from maas.cluster.changes import Change, Verb
from maas.cluster.kinds import NODE
from maas.cluster.objects import Object, name, namespace
from maas.cluster.shell import scalar, word
from maas.readiness.findings import Finding
from maas.readiness.judging import judge
from tests.kubernetes.clusters.faults import Fault
from tests.kubernetes.clusters.scenario import Scenario
from tests.kubernetes.clusters.test_faults import EVERY
from tests.kubernetes.known_issues.planted import FAULTS
from tests.kubernetes.known_issues.planted import Fault as Issue

_SOURCES = Path(maas.__file__).parent / "readiness"
_EVIL = ";$(evil) `evil`\nEOF\n'evil' #"
_QUOTED = re.compile(r"'[^']*'|\"'\"")  # how shlex quotes, and nothing that a shell looks into
_HERE = re.compile(r"<<'EOF'\n.*?\nEOF(?=\n|$)", re.DOTALL)
_COMMANDS = re.compile(r"`((?:kubectl|oc|curl) [^`]*)`")


@pytest.mark.parametrize("planted", EVERY, ids=lambda planted: str(planted.name))
def test_nothing_of_a_name_stands_unquoted_in_a_command(planted: Fault) -> None:
    assert [each for each in _judged(planted.planted()) if "evil" in _bare(each[1])] == []


@pytest.mark.parametrize("planted", FAULTS, ids=lambda planted: f"{planted.code} {planted.about}")
def test_nor_in_one_of_a_known_issue(planted: Issue) -> None:
    assert [each for each in _judged(planted.scenario()) if "evil" in _bare(each[1])] == []


def test_names_that_are_renamed_come_out_in_commands_at_all() -> None:
    said = {code for planted in EVERY[::3] for code, command in _judged(planted.planted()) if "evil" in command}
    assert len(said) > 10, said


_CONSTANT = re.compile(
    r"_?[A-Z][A-Z_]*(\.key|\.plural|\[0\])?|rules\.[A-Z_]+|kind\.plural|kind\.lower\(\)|\w*process\.name"
)
_MADE = {"where", "whose", "options", "command", "create", "kind", "networks", "patch"}  # of words, or of constants
_TOOLS = ("kubectl ", "oc ", "cmctl ", "nslookup ", "maas doctor ")


@pytest.mark.parametrize("file", sorted(_SOURCES.rglob("*.py")), ids=lambda file: str(file.relative_to(_SOURCES)))
def test_whatever_stands_in_a_command_is_made_a_word(file: Path) -> None:
    strings = [each for each in ast.walk(ast.parse(file.read_text())) if isinstance(each, ast.JoinedStr)]
    parts = [ast.unparse(part.value) for each in filter(_is_command, strings) for part in each.values
             if isinstance(part, ast.FormattedValue)]  # fmt: skip
    bare = [part for part in parts if not part.startswith(("word(", "scalar("))]
    assert [
        part
        for part in bare
        if not _CONSTANT.fullmatch(part) and part not in _MADE | {"manifest", "look.format(namespace=word(where))"}
    ] == []


def _is_command(string: ast.JoinedStr) -> bool:
    first = string.values[0] if string.values else None
    return isinstance(first, ast.Constant) and str(first.value).startswith(_TOOLS)


@pytest.mark.parametrize("verb", [Verb.patch, Verb.delete, Verb.restart, Verb.apply])
def test_a_shell_runs_nothing_of_a_change(verb: Verb, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    evil = f"n; touch {mark} # $(touch {mark}) `touch {mark}` '\nEOF\ntouch {mark}\n"
    command = Change(verb, NODE, evil, evil, {"metadata": {"name": evil, evil: evil}}).command
    subprocess.run(["bash", "-c", f"kubectl() {{ cat >/dev/null; }}\n{command}"], check=True, stdin=subprocess.DEVNULL)
    assert not mark.exists()


def test_plain_names_need_no_quotes() -> None:
    assert [word("gpu-0.example.com"), word("free;"), scalar("llm"), scalar("a\nEOF"), scalar("true"), scalar("7")] == [
        *("gpu-0.example.com", "'free;'", "llm", '"a\\nEOF"', '"true"', '"7"')
    ]


def _judged(scenario: Scenario) -> list[tuple[str, str]]:
    hostile = replace(scenario, objects=tuple(_renamed(list(scenario.objects))))
    findings = judge(hostile.facts(), hostile.asked)
    return [(finding.code, command) for finding in findings for command in _commands(finding)]


def _bare(command: str) -> str:
    return _QUOTED.sub("", _HERE.sub("", command))


def _commands(finding: Finding) -> Iterator[str]:
    if finding.remedy:
        yield from finding.remedy.all_commands
        yield from _COMMANDS.findall(finding.remedy.text)
    yield from _COMMANDS.findall(finding.message)


def _renamed(objects: list[Object]) -> list[Any]:
    """With every name and namespace followed by what a shell must not see, wherever it is spoken of."""
    known = {name(each) for each in objects} | {namespace(each) for each in objects}
    known |= {container["name"] for each in objects for container in _containers(each)}
    return [_spoilt(each, known) for each in objects]


def _containers(object: Any) -> list[Any]:
    if isinstance(object, list):
        return [found for each in object for found in _containers(each)]
    if not isinstance(object, dict):
        return []
    here = [each for each in object.get("containers", ()) if isinstance(each, dict) and "name" in each]
    return here + [found for each in object.values() for found in _containers(each)]


def _spoilt(value: Any, known: set[str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {each: _spoilt(inner, known, each) for each, inner in value.items()}
    if isinstance(value, list):
        return [_spoilt(each, known, key) for each in value]
    if isinstance(value, str) and value and value in known and key not in ("kind", "apiVersion", "type", "status"):
        return value + _EVIL
    return value
