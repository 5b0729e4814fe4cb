"""A diagnosis for programs, and for a ticket: JSON and Markdown."""

import json
from collections.abc import Iterator
from typing import Any

from maas.cluster.changes import Change
from maas.readiness.diagnosis_text import sentence
from maas.readiness.doctor import Cause, Diagnosis
from maas.readiness.findings import Finding, Remedy, verdict
from maas.readiness.reports.look import SYMBOLS, clean, escaped
from maas.readiness.reports.markdown import plain


def document(diagnosis: Diagnosis, described: str) -> str:
    found = {
        "source": described,
        "topic": diagnosis.topic,
        "verdict": verdict(diagnosis.findings).value,
        "chapters": [
            {
                "title": chapter.title,
                "steps": [{"step": s.what, "status": s.status.value, "message": s.message} for s in chapter.steps],
                "excerpts": [{"of": title, "lines": list(lines)} for title, lines in chapter.excerpts],
            }
            for chapter in diagnosis.chapters
        ],
        "causes": [
            {**_finding(c.finding), "consequences": list(map(_finding, c.consequences))} for c in diagnosis.causes
        ],
        "unknown": [_finding(finding) for finding in diagnosis.unknown],
    }
    return escaped(json.dumps(found, indent=2, ensure_ascii=False)) + "\n"


def markdown(diagnosis: Diagnosis, described: str) -> str:
    lines = [f"# maas doctor: {diagnosis.topic}", "", described, ""]
    for chapter in diagnosis.chapters:
        lines += [f"## {chapter.title}", ""]
        lines += [f"- {SYMBOLS[step.status]} **{step.what}**: {plain(step.message)}" for step in chapter.steps]
        for title, quoted in chapter.excerpts:
            lines += ["", f"{title}:", "", "```", *(clean(line).replace("```", "'''") for line in quoted), "```"]
        lines.append("")
    lines += ["## Causes", ""] if diagnosis.causes else ["Nothing is found to be wrong.", ""]
    for number, cause in enumerate(diagnosis.causes, 1):
        lines += [*_cause(number, cause), ""]
    lines += [f"- ? {finding.code} could not be judged: {plain(finding.message)}" for finding in diagnosis.unknown]
    return "\n".join(lines).rstrip() + "\n"


def _cause(number: int, cause: Cause) -> Iterator[str]:
    finding = cause.finding
    yield f"### {number}. {SYMBOLS[finding.status]} {finding.code} {plain(sentence(finding))}"
    yield ""
    yield from (f"- seen: {plain(str(seen))}" for seen in finding.seen)
    yield from (f"- so: {SYMBOLS[f.status]} {f.code} {plain(sentence(f))}" for f in cause.consequences)
    if finding.remedy:
        yield from ["", plain(finding.remedy.text), ""]
        if finding.remedy.all_commands:
            yield from ["```sh", *map(clean, finding.remedy.all_commands), "```"]


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "status": finding.status.value,
        "title": finding.title,
        "about": finding.about,
        "message": finding.message,
        "seen": [{"object": s.object, "field": s.field, "value": s.value} for s in finding.seen],
        "remedy": _remedy(finding.remedy) if finding.remedy else None,
        "documentation": finding.anchor,
    }


def _remedy(remedy: Remedy) -> dict[str, Any]:
    return {"text": remedy.text, "commands": list(remedy.all_commands), "changes": [_change(c) for c in remedy.changes]}


def _change(change: Change) -> dict[str, str]:
    return {
        "verb": change.verb.value,
        "object": f"{change.kind.key}/{change.name}",
        "namespace": change.namespace,
        "why": change.why,
    }
