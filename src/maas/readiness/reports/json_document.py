"""For programs. The shape is kept: fields are added, none is renamed or dropped without another `schema`."""

import json
from typing import Any

from maas.cluster.changes import Change
from maas.cluster.facts.redaction import redacted, scrubbed
from maas.readiness.findings import Finding, Remedy, Verdict
from maas.readiness.reports.checklist import Line
from maas.readiness.reports.look import Look, escaped
from maas.readiness.reports.quick import Answer
from maas.readiness.reports.report import Report

SCHEMA = "maas.readiness/1"


def json_document(report: Report, look: Look) -> str:
    return escaped(json.dumps(document(report), indent=2, ensure_ascii=look.ascii)) + "\n"


def document(report: Report) -> dict[str, Any]:
    facts, asked = report.facts, report.asked
    return {
        "schema": SCHEMA,
        "verdict": report.verdict.name,
        "ready": report.verdict in (Verdict.ready, Verdict.ready_with_warnings),
        "counts": {status.name: count for status, count in report.counts.items()},
        "left_out": report.left_out,
        "mend_first": report.first_to_mend,
        "unjudged": report.unjudged,
        "source": {"live": facts.source.live, "described": facts.source.described, "taken_at": report.moment},
        "target": asked.target.value,
        "asked": {
            "phase": asked.phase.value,
            "gpu": asked.gpu,
            "models": sorted(asked.models),
            "namespace": asked.namespace,
        },
        "checklist": [_line(line) for line in report.checklist],
        "quick": [_answer(answer) for answer in report.quick],
        "findings": [_finding(finding) for group in report.groups for finding in group.findings],
        "unread": [
            {"what": what, "cause": part.cause.value, "reason": scrubbed(part.reason)} for what, part in report.unread
        ],
        "unreadable": {file: scrubbed(why) for file, why in facts.unreadable.items()},
    }


def _line(line: Line) -> dict[str, Any]:
    return {"text": line.text, "state": line.mark.name, "reason": line.reason, "codes": line.codes}


def _answer(answer: Answer) -> dict[str, Any]:
    keys = [column.lower() for column in answer.columns]
    return {
        "about": answer.about,
        "command": answer.command,
        "rows": [dict(zip(keys, row, strict=True)) for row in answer.rows],
        "more": answer.more,
        "note": answer.note,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "category": finding.category.name,
        "title": finding.title,
        "severity": finding.severity.value,
        "status": finding.status.name,
        "about": finding.about,
        "message": finding.message,
        "wanted": finding.wanted,
        "seen": [{"object": seen.object, "field": seen.field, "value": seen.value} for seen in finding.seen],
        "remedy": _remedy(finding.remedy) if finding.remedy else None,
        "because_of": finding.because_of,
        "see": finding.anchor,
    }


def _remedy(remedy: Remedy) -> dict[str, Any]:
    return {
        "text": remedy.text,
        "commands": remedy.all_commands,
        "changes": [_change(change) for change in remedy.changes],
        "step": remedy.step,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "verb": change.verb.value,
        "kind": change.kind.key,
        "name": change.name,
        "namespace": change.namespace,
        "body": redacted(dict(change.body)),
        "why": change.why,
        "command": scrubbed(change.command),
    }
