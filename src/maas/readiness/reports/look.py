"""How text for people may look, and the pieces it is made of: colour, symbols, folding.

Messages quote what a cluster said, so control characters are taken out here: no object's status moves a cursor.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from maas.readiness.findings import Status, Verdict

SYMBOLS = {
    Status.passed: "√",
    Status.to_install: "+",
    Status.warning: "‼",
    Status.failed: "×",
    Status.unknown: "?",
    Status.skipped: "-",
}
VERDICT_SYMBOLS = {
    Verdict.ready: "√",
    Verdict.ready_with_warnings: "‼",
    Verdict.not_ready: "×",
    Verdict.nothing_judged: "?",
}
_ASCII = str.maketrans({"√": "[ok]", "‼": "[!]", "×": "[x]", "…": "...", "–": "-", "—": "-", "≥": ">=", "→": "->"})
_COLOURS = {
    "√": "32",
    "+": "36",
    "‼": "33",
    "×": "31",
    "?": "35",
    "-": "2",
    "title": "1",
    "command": "36",
    "dim": "2",
}
_TICKED = re.compile(r"`[^`]+`")
_BLANKS = re.compile(r"[ \t\n\r]+")
_BLANK = "\0"  # which clean() has taken out of everything else
_BIDI = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))  # turn round what is read, and hide what is copied
_UNPRINTABLE = (*range(0x7F, 0xA0), *_BIDI)
_CONTROLS = {code: "�" for code in (*range(0x20), *_UNPRINTABLE) if chr(code) not in "\n\t"}
_ESCAPED = {code: f"\\u{code:04x}" for code in _UNPRINTABLE}


@dataclass(frozen=True)
class Look:
    """width: columns to fold messages at; 0 folds nothing."""

    width: int = 0
    colour: bool = False
    ascii: bool = False

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if self.colour and text else text

    def symbol(self, symbol: str) -> str:
        return self.paint(symbol, symbol)

    def fold(self, text: str, first: str = "", rest: str = "") -> Iterator[str]:
        """The lines of a paragraph, the first after `first`, the others after `rest`. Commands in ticks stay whole."""
        said = clean(" ".join(_BLANKS.split(text.strip())))
        if not self.width:
            yield first + said.replace("\u00a0", " ")
            return
        whole = _TICKED.sub(lambda ticked: ticked[0].replace(" ", _BLANK), said).replace("\u00a0", _BLANK)
        lines = textwrap.wrap(
            whole,
            self.width,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield from (line.replace(_BLANK, " ") for line in lines or [first])

    def finished(self, text: str) -> str:
        """For the stream: plain ASCII where it can show no more."""
        return text.translate(_ASCII).encode("ascii", "replace").decode() if self.ascii else text


def clean(text: str) -> str:
    return text.translate(_CONTROLS)


def escaped(json: str) -> str:
    """JSON that says the same, and does nothing to the terminal it is printed on."""
    return json.translate(_ESCAPED)
