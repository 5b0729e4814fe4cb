"""What people read on a terminal: safe to look at, safe to copy from, and no longer than it must be."""

from dataclasses import replace

import pytest

from maas.cluster.changes import Change, Verb
from maas.cluster.kinds import GATEWAY
from maas.readiness.findings import Remedy, Status
from maas.readiness.reports import Format, Look
from tests.kubernetes.reports.sample import LOOK, findings, rendered

_FAILED = next(finding for finding in findings() if finding.code == "MAAS-241")


def test_no_colour_unless_asked_for() -> None:
    assert "\x1b" not in rendered(Format.table)
    coloured = rendered(Format.table, Look(80, colour=True))
    assert "\x1b[31m×\x1b[0m" in coloured
    assert "\x1b[32m√\x1b[0m" in coloured


def test_colour_carries_nothing_alone() -> None:
    import re

    coloured = rendered(Format.table, Look(80, colour=True))
    assert re.sub(r"\x1b\[\d+m", "", coloured) == rendered(Format.table)


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize(
    "hostile", ["\x1b[2J\x1b]0;pwned\x07", "\x9b31m", "\u202eydaer\u2066", "\r√ all is well", "\x00", "\x08\x08"]
)
def test_what_a_cluster_said_moves_no_cursor(format: Format, hostile: str) -> None:
    remedy = Remedy(hostile, (f"echo {hostile}",), (Change(Verb.delete, GATEWAY, f"x{hostile}"),))
    told = rendered(format, LOOK, [replace(_FAILED, message=hostile, about=f"Gateway {hostile}", remedy=remedy)])
    controls = {*range(32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
    kept = "\n\r" if format is Format.junit else "\n"  # XML's own
    assert not {char for char in told if ord(char) in controls} - set(kept)


def test_a_line_feed_of_the_cluster_begins_no_line_of_ours() -> None:
    told = rendered(Format.table, LOOK, [replace(_FAILED, message="bad\n√ MAAS-101 all is well")])
    assert "\n√" not in told


def test_commands_are_whole_and_can_be_pasted() -> None:
    long = "kubectl patch " + "x" * 60 + ' --type=merge -p \'{"spec": {"a": 1}}\''
    body = {"kind": "Gateway", "metadata": {"name": "g"}}
    apply = Change(Verb.apply, GATEWAY, "g", "llm", body)
    told = rendered(Format.table, LOOK, [replace(_FAILED, remedy=Remedy("Do it.", (long,), (apply,)))])
    assert long in told
    assert f"\n{apply.command}\n" in told  # from the first column: the shell looks for EOF there


def test_commands_in_sentences_stay_whole() -> None:
    said = "some words that take up the line, then `kubectl get pods -A -o yaml` and more words"
    told = rendered(Format.table, LOOK, [replace(_FAILED, message=said)])
    assert "`kubectl get pods -A -o yaml`" in told


def test_a_thousand_findings_of_a_check_are_a_few_and_a_number() -> None:
    many = [replace(_FAILED, about=f"Pod llm/p-{number}") for number in range(1000)]
    told = rendered(Format.table, LOOK, many)
    assert "(1000 of 1000)" in told
    assert "and 995 more; -o json has all" in told
    assert told.count(str(_FAILED.seen[0])[:40]) == 5
    assert told.count("Wait for the operator") == 1
    assert "1 failed" in told


def test_each_finding_keeps_a_remedy_of_its_own() -> None:
    one, two = (replace(_FAILED, about=name, remedy=Remedy(f"Mend {name}.")) for name in ("Node a", "Node b"))
    told = rendered(Format.table, LOOK, [one, two])
    assert told.index("Node a: ") < told.index("Mend Node a.") < told.index("Node b: ") < told.index("Mend Node b.")


def test_one_reason_for_many_checks_is_said_once() -> None:
    unknown = replace(_FAILED, status=Status.unknown, message="listing pods was denied", seen=(), remedy=None)
    told = rendered(Format.short, LOOK, [replace(unknown, code=f"MAAS-{code}") for code in (241, 242, 243)])
    assert "? MAAS-241, MAAS-242, MAAS-243: listing pods was denied\n" in told
    assert told.count("denied") == 1


def test_consequences_name_their_causes_and_are_not_the_first_to_mend() -> None:
    told = rendered(Format.short)
    assert "likely follows from MAAS-131, MAAS-241: mend that first" in told
    assert "Mend first: MAAS-131, MAAS-241." in told
    assert "Could not be judged, and must be: MAAS-111." in told


def test_an_ascii_terminal_gets_ascii() -> None:
    told = rendered(Format.table, Look(80, ascii=True))
    assert told.isascii()
    assert "[ok] MAAS-101" in told
    assert "[x] MAAS-131" in told
    assert "[!] MAAS-151" in told


@pytest.mark.parametrize("format", Format)
def test_every_format_can_do_without_unicode(format: Format) -> None:
    assert rendered(format, Look(ascii=True)).isascii()


@pytest.mark.parametrize("format", Format)
def test_every_format_can_tell_of_nothing(format: Format) -> None:
    assert rendered(format, LOOK, [])


@pytest.mark.parametrize("look", [Look(), LOOK], ids=["pipe", "terminal"])
def test_blanks_are_blanks(look: Look) -> None:
    assert "\u00a0" not in rendered(Format.table, look)


def test_what_was_not_looked_at_is_counted() -> None:
    assert "9 left out" in rendered(Format.table, LOOK, [findings()[0]])
    assert "left out" not in rendered(Format.short, LOOK).splitlines()[-1]
