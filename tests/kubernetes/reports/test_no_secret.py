"""What a check quotes of a cluster may hold credentials; no report does."""

from dataclasses import replace

import pytest

from maas.cluster.changes import Change, Verb
from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import DEPLOYMENT
from maas.readiness.catalogue import find
from maas.readiness.findings import Outcome, Remedy, Seen, Status
from maas.readiness.judging import findings
from maas.readiness.reports import Format, render
from tests.kubernetes.reports.sample import ASKED, LOOK, cluster

_CANARY = "sk-canary0123456789abcdefghij"
_QUOTED = f"GET /v1/models failed, Authorization: Bearer {_CANARY}, HF_TOKEN={_CANARY}"
_BODY = {"spec": {"containers": [{"name": "a", "env": [{"name": "HF_TOKEN", "value": _CANARY}]}]}}


@pytest.mark.parametrize("format", Format)
def test_no_report_holds_what_a_check_quoted(format: Format) -> None:
    check = find("MAAS-101")
    assert check
    remedy = Remedy(_QUOTED, (), (Change(Verb.patch, DEPLOYMENT, "d", "llm", _BODY),))
    made = findings([(check, Outcome(Status.failed, _QUOTED, (Seen("Pod p", "log", _QUOTED),), remedy))])
    facts = replace(cluster(), version=Unread(Cause.failed, _QUOTED), unreadable={"f": _QUOTED})
    told = render(format, made, facts, ASKED, LOOK)
    assert "GET /v1/models failed" in told
    assert "canary" not in told


def test_a_remedy_still_does_what_it_must() -> None:
    check = find("MAAS-101")
    assert check
    change = Change(Verb.patch, DEPLOYMENT, "d", "llm", _BODY)
    (made,) = findings([(check, Outcome(Status.failed, "", (), Remedy("", (), (change,))))])
    assert made.remedy
    assert made.remedy.changes == (change,)
