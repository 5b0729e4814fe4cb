"""What programs read: JSON of a stable shape, JUnit that agrees with the exit code, Markdown and HTML without holes."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from typing import Any
from xml.etree import ElementTree

import pytest

from maas.cli.judged import exit_code
from maas.readiness.findings import Seen, Severity, Status
from maas.readiness.reports import Format, Look
from tests.kubernetes.reports.sample import findings, rendered

_FAILED = next(finding for finding in findings() if finding.code == "MAAS-241")
_HOSTILE = "<script>alert(1)</script> ]]> & \"quoted\" 'too' `ticked` | [a](javascript:b) \x0b\ufffe\x1b"


def document(*some: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(rendered(Format.json, some=some or None))
    return loaded


def test_json_says_everything() -> None:
    told = document()
    assert (told["verdict"], told["ready"], told["target"]) == ("not_ready", False, "openshift")
    assert told["counts"] == {"passed": 2, "to_install": 1, "warning": 1, "failed": 3, "unknown": 1, "skipped": 2}
    assert len(told["findings"]) == len(findings())
    assert told["unreadable"] == {"namespaces/llm/broken.yaml": "line 3: mapping values are not allowed here"}
    assert told["unread"][0]["what"] == "servicemeshmemberrolls.maistra.io"
    assert told["unread"][0]["cause"] == "denied"
    finding = next(each for each in told["findings"] if each["code"] == "MAAS-403")
    assert finding["because_of"] == ["MAAS-131", "MAAS-241"]
    assert finding["remedy"]["changes"][0]["verb"] == "restart"
    assert finding["remedy"]["commands"] == ["kubectl rollout restart deployments.apps/ko -n k"]
    assert finding["about"] == "Kuadrant k/kuadrant"


def test_json_keeps_what_a_cluster_said() -> None:
    assert document(replace(_FAILED, message=_HOSTILE))["findings"][0]["message"] == _HOSTILE


@pytest.mark.parametrize(("status", "severity"), list(product(Status, Severity)))
def test_junit_fails_when_the_command_does(status: Status, severity: Severity) -> None:
    one = replace(_FAILED, status=status, severity=severity)
    suites = ElementTree.fromstring(rendered(Format.junit, some=[one]))
    bad = int(suites.attrib["failures"]) + int(suites.attrib["errors"])
    assert (bad > 0) == (exit_code([one], strict=False) != 0)
    assert bad == len(suites.findall(".//failure")) + len(suites.findall(".//error"))
    assert int(suites.attrib["skipped"]) == len(suites.findall(".//skipped"))
    assert int(suites.attrib["tests"]) == len(suites.findall(".//testcase"))


def test_junit_counts_each_suite() -> None:
    suites = ElementTree.fromstring(rendered(Format.junit))
    for suite in suites:
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        assert int(suite.attrib["failures"]) == len(suite.findall(".//failure"))
    assert sum(int(suite.attrib["tests"]) for suite in suites) == int(suites.attrib["tests"]) == len(findings())


def test_junit_says_how_to_mend() -> None:
    failure = ElementTree.fromstring(rendered(Format.junit, some=[_FAILED])).find(".//failure")
    assert failure is not None
    assert failure.attrib["type"] == "MAAS-241"
    assert "oc get csv -A -w" in (failure.text or "")


@pytest.mark.parametrize("ascii", [False, True])
def test_junit_is_xml_whatever_a_cluster_said(ascii: bool) -> None:
    hostile = replace(_FAILED, message=_HOSTILE, about=_HOSTILE, seen=(Seen(_HOSTILE, value=_HOSTILE),))
    text = rendered(Format.junit, Look(ascii=ascii), [hostile])
    failure = ElementTree.fromstring(text.encode()).find(".//failure")
    assert failure is not None
    assert "<script>alert(1)</script> ]]> &" in (failure.text or "")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("message", ["all is well", _HOSTILE])
def test_the_page_is_whole_and_runs_nothing(message: str) -> None:
    hostile = replace(_FAILED, code="MAAS-242", message=message, about=message, seen=(Seen(message),))
    text = rendered(Format.html, some=[*findings(), hostile, replace(hostile, code="MAAS-243", status=Status.passed)])
    page = _Page()
    page.feed(text)
    page.close()
    assert not page.open
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "form", "base"}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset")]
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in text
    assert "@import" not in text


def test_links_of_the_page_lead_somewhere() -> None:
    page = _Page()
    page.feed(rendered(Format.html))
    places = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    targets = [(attributes["href"] or "")[1:] for tag, attributes in page.tags if tag == "a"]
    assert targets
    assert set(targets) <= places


def test_markdown_keeps_a_cluster_from_writing_markup() -> None:
    text = rendered(Format.markdown, some=[replace(_FAILED, message="<b>x</b> [a](b) # *c* | d\n# head\n- item")])
    assert "\\<b\\>x\\</b\\> \\[a\\](b) \\# \\*c\\* \\| d \\# head - item" in text


def test_markdown_fences_every_command() -> None:
    text = rendered(Format.markdown, some=[_FAILED])
    assert text.count("```") == 2
    assert "\noc get csv -A -w\n" in text
