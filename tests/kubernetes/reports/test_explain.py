"""maas explain MAAS-nnn: what a check is for. A request's id is still a request's id."""

import json
from pathlib import Path

import pytest

from maas.readiness.catalogue import checks
from tests.kubernetes.reports.conftest import Process, Run


def test_a_check_is_explained(maas: Run) -> None:
    said = maas("explain", "maas-901")
    assert said.code == 0
    assert said.out.startswith("MAAS-901 every file of the snapshot is readable\n")
    for label in ("wanted", "looks at", "why", "mend", "otherwise", "category", "part of"):
        assert f"\n{label}" in said.out
    assert "docs/checks.md#maas-901" in said.out


def test_it_folds_at_80_columns(maas: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for check in checks():
        longest = max(maas("explain", check.code).out.splitlines(), key=len)
        assert len(longest) <= 80 or "`" in longest or "://" in longest, check.code


def test_json(maas: Run) -> None:
    told = json.loads(maas("explain", "MAAS-101", "-o", "json").out)
    assert told["code"] == "MAAS-101"
    assert "OpenShift cluster 4.14+ or Kubernetes 1.28+" in told["covers"]


@pytest.mark.parametrize("arguments", [("--list",), ("MAAS",), ("maas-",)])
def test_all_are_listed(maas: Run, arguments: tuple[str, ...]) -> None:
    told = json.loads(maas("explain", *arguments, "-o", "json").out)
    assert [check["code"] for check in told] == [check.code for check in checks()]
    shown = maas("explain", *arguments).out
    assert all(check.code in shown for check in checks())


def test_some_are_listed(maas: Run) -> None:
    told = json.loads(maas("explain", "MAAS-9", "-o", "json").out)
    found = {check["code"] for check in told}
    assert found >= {"MAAS-901", "MAAS-902", "MAAS-903"}
    assert all(code.startswith("MAAS-9") for code in found)


@pytest.mark.parametrize(
    ("code", "meant"), [("MAAS-9O1", "MAAS-901"), ("MAAS-999", "MAAS-901"), ("maas-10l", "MAAS-101")]
)
def test_an_unknown_code_is_not_found(maas: Run, code: str, meant: str) -> None:
    said = maas("explain", code)
    assert said.code == 4
    assert f"there is no check {code.upper()}; did you mean {meant}" in said.err


def test_nothing_to_explain_is_wrong_usage(maas: Run) -> None:
    assert maas("explain").code == 2


def test_a_request_is_asked_of_the_platform(process: Process, tmp_path: Path) -> None:
    said = process("explain", "0b5d6a3c-6c8e-4a0e-9d7e-2f3f6f0c5a11", MAAS_HOME=str(tmp_path))
    assert said.returncode == 6
