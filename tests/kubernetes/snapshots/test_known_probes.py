"""MAAS-902 counts what was tried by the names that are known, and tells of others."""

from typing import Any

from maas.cluster.facts.model import Cause, Unread
from maas.readiness.findings import Status
from tests.kubernetes.offline import asked, facts, found

_KNOWN: dict[str, Any] = {name: {} for name in ("access", "dns", "dry_run_issuer", "packages", "stray_keys", "tools")}
_SILENT = Unread(Cause.not_exported, "x")


def test_every_probe_counts() -> None:
    (finding,) = found("MAAS-902", facts(probes=_KNOWN), asked())
    assert (finding.status, finding.message) == (Status.passed, "6 probes answered")


def test_other_names_are_told_and_not_counted() -> None:
    told, answered = found("MAAS-902", facts(probes={"dns": [], "b\nc": 1, "a": _SILENT}), asked())
    assert told.status is Status.warning
    assert told.message.startswith("2 entries of probes.json under names")
    assert [seen.field for seen in told.seen] == ["a", "b c"]
    assert answered.message == "1 probe answered"


def test_other_names_alone_are_nothing_tried() -> None:
    told, nothing = found("MAAS-902", facts(probes={"a": 1}), asked())
    assert told.message.startswith("1 entry of probes.json under names")
    assert nothing.status is Status.skipped
