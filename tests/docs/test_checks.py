"""Every line of the prerequisites is answered by a check, and the pages of checks are as the catalogue is."""

import re
from collections import defaultdict

import pytest

from maas.readiness.catalogue import checks
from tests.docs import checks as made
from tests.docs.prerequisites import OUTLINE
from tests.kubernetes import shared

_AGAIN = "write them anew: python -m tests.docs.checks"
_NO_REQUIREMENT = {"Prerequisites for MaaS Deployment", "Overview", "Additional Resources"}
_SECTIONS = {  # which only hold others
    "Required Operators/Components",
    "Known Issues and Resolutions",
    "Pre-Installation Checklist",
    "Troubleshooting",
    "Performance Tuning",
}
_LINES = {line.text for line in OUTLINE}


@pytest.fixture(scope="module")
def answers() -> dict[str, list[str]]:
    codes = defaultdict(list)
    for check in checks():
        for line in check.covers:
            codes[line].append(check.code)
    return codes


def _text() -> str:
    return (shared.need() / "prerequisites.md").read_text()


def test_every_heading_issue_and_checklist_line_is_in_the_outline() -> None:
    prose = re.sub(r"```.*?```", "", _text(), flags=re.DOTALL)
    asked = set(re.findall(r"^(?:#+|- \[ \]) (.+?) *$", prose, re.MULTILINE))
    assert len(asked) > 40
    assert asked <= _LINES


def test_the_outline_has_nothing_else() -> None:
    text = _text()
    assert not [line for line in _LINES if line not in text]


@pytest.mark.parametrize("line", sorted(_LINES - _NO_REQUIREMENT - _SECTIONS))
def test_every_requirement_is_answered(answers: dict[str, list[str]], line: str) -> None:
    assert answers[line]


def test_the_lines_about_the_network_name_the_checks_that_look_at_it(answers: dict[str, list[str]]) -> None:
    assert {"MAAS-153", "MAAS-155", "MAAS-157"} <= set(answers["Ports"])  # 80 and 443, 8080, 15090
    assert {"MAAS-151", "MAAS-152"} <= set(answers["Wildcard DNS for application routes"])


@pytest.mark.parametrize("section", sorted(_SECTIONS))
def test_what_only_holds_others_holds_some(section: str) -> None:
    depths = [line.depth for line in OUTLINE]
    place = next(number for number, line in enumerate(OUTLINE) if line.text == section)
    assert depths[place + 1] > depths[place]


def test_checks_answer_lines_that_exist(answers: dict[str, list[str]]) -> None:
    assert set(answers) <= _LINES


def test_every_check_says_what_it_is_for() -> None:
    for check in checks():
        assert re.fullmatch(r"MAAS-\d{3}", check.code)
        assert all((check.title, check.wanted, check.looks, check.why, check.mend, check.phases)), check.code
        assert not check.title.endswith("."), check.code
        assert {check.code} != set(check.after), check.code


def test_what_follows_from_what_is_known() -> None:
    codes = {check.code for check in checks()}
    for check in checks():
        assert set(check.after) <= codes - {check.code}, check.code


def test_the_page_of_checks_is_up_to_date() -> None:
    assert made.CHECKS.read_text() == made.checks_page(), _AGAIN


def test_the_page_of_prerequisites_is_up_to_date() -> None:
    assert made.PREREQUISITES.read_text() == made.prerequisites_page(), _AGAIN
