"""Findings as text: for people, programs, pipelines, wikis and printers. One module per format, one report for all."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from maas.cluster.facts.model import Facts
from maas.readiness.catalogue import Asked
from maas.readiness.findings import Finding
from maas.readiness.reports.html_page import html_page
from maas.readiness.reports.json_document import json_document
from maas.readiness.reports.junit import junit
from maas.readiness.reports.look import Look
from maas.readiness.reports.markdown import markdown
from maas.readiness.reports.report import Report
from maas.readiness.reports.table import short, table

__all__ = ["Format", "Look", "render"]


class Format(StrEnum):
    table = "table"
    short = "short"
    json = "json"
    junit = "junit"
    markdown = "markdown"
    html = "html"


_FORMATS: dict[Format, Callable[[Report, Look], str]] = {
    Format.table: table,
    Format.short: short,
    Format.json: json_document,
    Format.junit: junit,
    Format.markdown: markdown,
    Format.html: html_page,
}


def render(format: str, findings: Sequence[Finding], facts: Facts, asked: Asked, look: Look | None = None) -> str:
    """The whole text, with its last newline. look: how a terminal may show it; none means plain and unfolded."""
    return _FORMATS[Format(format)](Report(findings, facts, asked), look or Look())
