"""Phrases that all formats share."""

from collections.abc import Sequence

from maas.readiness.findings import Finding

_LISTED = 8


def said(finding: Finding) -> str:
    """With the object that it is about, unless its words name that already."""
    apart = finding.about and finding.about not in finding.message
    return f"{finding.about}: {finding.message}" if apart else finding.message


def listed(codes: Sequence[str]) -> str:
    more = f" and {len(codes) - _LISTED} more" if len(codes) > _LISTED else ""
    return ", ".join(codes[:_LISTED]) + more
