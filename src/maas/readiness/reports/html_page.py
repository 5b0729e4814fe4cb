"""For a browser or a printer: one page that needs no other file and runs no script."""

import re
from collections.abc import Iterator
from html import escape

from maas.readiness.findings import Finding, Verdict
from maas.readiness.reports.checklist import Line, legend
from maas.readiness.reports.look import SYMBOLS, VERDICT_SYMBOLS, Look, clean
from maas.readiness.reports.quick import Answer
from maas.readiness.reports.report import Group, Report, Told, counted
from maas.readiness.reports.words import said

_TICKED = re.compile(r"`([^`]+)`")
_CODE = re.compile(r"MAAS-\d+")
_COLOURS = {
    Verdict.ready: "passed",
    Verdict.ready_with_warnings: "warning",
    Verdict.not_ready: "failed",
    Verdict.nothing_judged: "unknown",
}
_STYLE = """
:root { color-scheme: light dark; --text: #1c2024; --soft: #5b6570; --ground: #fff; --card: #f5f6f8; --line: #d9dde2;
  --passed: #1a7f37; --to_install: #0969a2; --warning: #9a6700; --failed: #c5221f; --unknown: #7d3fb5;
  --skipped: #5b6570 }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7ea; --soft: #9aa4ae; --ground: #15181b; --card: #1f2428;
  --line: #363d44; --passed: #4cc26a; --to_install: #58b2e8; --warning: #dba73a; --failed: #f47067; --unknown: #c297f0;
  --skipped: #9aa4ae } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem;
  border-bottom: 1px solid var(--line) } h3 { font-size: 1rem; margin: 0 }
p { margin: .4rem 0 } .soft { color: var(--soft) } .symbol { display: inline-block; width: 1.4em; font-weight: 700 }
.line { padding-left: 1.4em; text-indent: -1.4em; margin: .25rem 0 } .line > * { text-indent: 0 }
code, pre { font: 13px/1.5 ui-monospace, monospace } pre { background: var(--ground); border: 1px solid var(--line);
  border-radius: 4px; padding: .5rem .7rem; overflow-x: auto; margin: .5rem 0 }
.problem { background: var(--card); border-left: 4px solid var(--edge); border-radius: 4px; padding: .7rem 1rem;
  margin: .7rem 0 } table { border-collapse: collapse; margin: .3rem 0 1rem } td, th { text-align: left;
  padding: .15rem 1rem .15rem 0; border-bottom: 1px solid var(--line); font-size: 14px; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: 4.5rem 1fr; gap: .1rem .8rem; margin: .4rem 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
@media print { body { margin: 0; max-width: none } .problem { break-inside: avoid } pre { white-space: pre-wrap } }
"""


def html_page(report: Report, look: Look) -> str:
    title = f"{report.name}: {report.verdict}"
    page = clean(
        "\n".join(
            [
                f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f"<style>{_STYLE}</style>\n</head>\n<body>",
                *_body(report),
                "</body>\n</html>\n",
            ]
        )
    )
    return page.encode("ascii", "xmlcharrefreplace").decode() if look.ascii else page


def _body(report: Report) -> Iterator[str]:
    status = _COLOURS[report.verdict]
    yield f"<h1>{_symbol(VERDICT_SYMBOLS[report.verdict], status)}{report.verdict.capitalize()}</h1>"
    where = f"{report.described}, judged for {report.asked.target}"
    yield f'<p>{escape(counted(report))}</p>\n<p class="soft">{escape(where)}</p>'
    yield from (f"<p>{_CODE.sub(lambda code: _link(code[0]), escape(each))}</p>" for each in report.obstacles)
    if report.has_first_screen:
        yield "<h2>pre-installation checklist</h2>"
        yield from map(_checklist_line, report.checklist)
        yield f'<p class="soft">{escape(legend(report.checklist))}</p>'
        yield "<h2>quick validation commands</h2>"
        yield from map(_answer, report.quick)
    for category, groups in report.categories:
        yield f"<h2>{escape(category)}</h2>"
        yield from map(_group, groups)


def _symbol(symbol: str, status: str) -> str:
    return f'<span class="symbol" style="color: var(--{status})">{symbol}</span>'


def _link(code: str) -> str:
    return f'<a href="#{code.lower()}">{code}</a>'


def _checklist_line(line: Line) -> str:
    box = f"[{line.mark}]".replace(" ", "&nbsp;")
    return (
        f'<p class="line"><code>{box}</code> {escape(line.text)}: <span class="soft">{_prose(line.reason)}</span></p>'
    )


def _answer(answer: Answer) -> str:
    head = f"<p><code>{escape(answer.command)}</code></p>"
    if answer.note:
        return f'{head}<p class="soft">{escape(answer.note)}</p>'
    titles = "".join(f"<th>{escape(column)}</th>" for column in answer.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in answer.rows)
    more = f'<p class="soft">and {answer.more} more</p>' if answer.more else ""
    return f"{head}<table><tr>{titles}</tr>{rows}</table>{more}"


def _group(group: Group) -> str:
    first = group.first
    if not group.problems:
        return "".join(map(_quiet, group.findings))
    of = f" ({len(group.problems)} of {len(group.findings)})" if len(group.findings) > 1 else ""
    parts = [
        f'<section class="problem" id="{first.code.lower()}" style="--edge: var(--{group.status.name})">',
        f"<h3>{_symbol(SYMBOLS[group.status], group.status.name)}{first.code} {escape(first.title)}{of}</h3>",
        *map(_problem, group.told()),
        *([f"<p>Likely follows from {', '.join(map(_link, group.because_of))}.</p>"] if group.because_of else []),
        f'<p class="soft">see {escape(first.anchor)}</p></section>',
    ]
    return "\n".join(parts)


def _quiet(finding: Finding) -> str:
    symbol = _symbol(SYMBOLS[finding.status], finding.status.name)
    told = f'{escape(finding.title)}: <span class="soft">{_prose(said(finding))}</span>'
    return f'<p class="line">{symbol}<b>{finding.code}</b> {told}</p>'


def _problem(told: Told) -> str:
    pairs = [("" if number else "seen", str(seen)) for number, seen in enumerate(told.finding.seen)]
    if told.wanted:
        pairs.append(("wanted", told.wanted))
    if told.remedy:
        pairs.append(("mend", told.remedy.text))
    listed = "".join(f"<dt>{name}</dt><dd>{_prose(text)}</dd>" for name, text in pairs)
    commands = "\n".join(told.remedy.all_commands) if told.remedy else ""
    shown = f"<pre>{escape(commands)}</pre>" if commands else ""
    return f"<p>{_prose(said(told.finding))}</p><dl>{listed}</dl>{shown}"


def _prose(text: str) -> str:
    return _TICKED.sub(r"<code>\1</code>", escape(text))
