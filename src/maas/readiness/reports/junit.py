"""For CI systems: a test suite per category, a test case per finding.

What makes the verdict "not ready" is a failure or an error, and nothing else is: a pipeline that reads this file ends
as one that reads the exit code. Warnings, and what is yet to install, are passed cases that say so.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from maas.readiness.findings import Category, Finding, Severity, Status, Verdict
from maas.readiness.reports.look import Look
from maas.readiness.reports.report import Group, Report

_NOT_XML = re.compile("[^\t\n\r\u0020-\u007e\u00a0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report, look: Look) -> str:
    suites = Element("testsuites", name=report.name)
    for category, groups in report.categories:
        suites.append(_suite(category, groups, report.moment))
    if report.verdict is Verdict.nothing_judged:
        suites.append(_nothing(report))
    _count(suites, [finding for group in report.groups for finding in group.findings])
    if report.verdict is Verdict.nothing_judged:
        suites.attrib |= {"tests": str(len(report.findings) + 1), "errors": "1"}
    indent(suites)
    text = tostring(suites, encoding="us-ascii" if look.ascii else "unicode")
    shown = text.decode() if isinstance(text, bytes) else f"<?xml version='1.0' encoding='utf-8'?>\n{text}"
    return shown + "\n"


def _nothing(report: Report) -> Element:
    suite = Element("testsuite", name="verdict", timestamp=report.moment.removesuffix("Z"), time="0")
    suite.attrib |= {"tests": "1", "failures": "0", "errors": "1", "skipped": "0"}
    case = SubElement(suite, "testcase", _xml(classname="maas.verdict", name="something was judged", time="0"))
    SubElement(case, "error", _xml(message=report.verdict.value, type="verdict"))
    return suite


def _suite(category: Category, groups: list[Group], moment: str) -> Element:
    findings = [finding for group in groups for finding in group.findings]
    suite = Element("testsuite", name=category.value, timestamp=moment.removesuffix("Z"), time="0")
    _count(suite, findings)
    for finding in findings:
        _case(suite, finding)
    return suite


def _count(element: Element, findings: list[Finding]) -> None:
    outcomes = [_outcome(finding) for finding in findings]
    element.set("tests", str(len(findings)))
    for outcome, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        element.set(attribute, str(outcomes.count(outcome)))


def _outcome(finding: Finding) -> str:
    match finding.status:
        case Status.failed:
            return "failure"
        case Status.unknown if finding.severity is Severity.error:
            return "error"
        case Status.unknown | Status.skipped:
            return "skipped"
    return "system-out" if finding.status in (Status.warning, Status.to_install) else ""


def _case(suite: Element, finding: Finding) -> None:
    name = f"{finding.code} {finding.title}" + (f" [{finding.about}]" if finding.about else "")
    case = SubElement(suite, "testcase", _xml(classname=f"maas.{finding.category.name}", name=name, time="0"))
    outcome = _outcome(finding)
    if not outcome:
        return
    said = f"{finding.status}: {finding.message}"
    if outcome == "system-out":
        SubElement(case, outcome).text = _NOT_XML.sub("�", _details(finding, said))
        return
    told = SubElement(case, outcome, _xml(message=said))
    if outcome != "skipped":
        told.set("type", finding.code)
        told.text = _NOT_XML.sub("�", _details(finding, said))


def _details(finding: Finding, said: str) -> str:
    lines = [said, f"wanted: {finding.wanted}", *(f"seen: {seen}" for seen in finding.seen)]
    if finding.remedy:
        lines += [f"mend: {finding.remedy.text}", *finding.remedy.all_commands]
    if finding.because_of:
        lines.append(f"likely follows from: {', '.join(finding.because_of)}")
    return "\n".join([*lines, f"see {finding.anchor}"])


def _xml(**attributes: str) -> dict[str, Any]:
    return {name: _NOT_XML.sub("�", value) for name, value in attributes.items()}
