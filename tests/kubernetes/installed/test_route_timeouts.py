"""Routes that cut off what models stream."""

import pytest

from maas.readiness.checks.route_timeouts import seconds
from maas.readiness.findings import Status
from tests.kubernetes.installed.planting import Change, both, facts, problems, put

ROUTE = "HTTPRoute llm/simulator"
RULE = ("spec", "rules", 0)


def lasting(**timeouts: str) -> Change:
    return put(*RULE, "timeouts", value=timeouts)


def by(path: str) -> Change:
    return put(*RULE, "matches", value=[{"path": {"type": "PathPrefix", "value": path}}])


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (lasting(request="10s"), "10s"),
        (lasting(request="4m59s"), "4m59s"),
        (lasting(request="600s", backendRequest="500ms"), "500ms"),
        (lasting(request="300s"), ""),
        (lasting(request="1h"), ""),
        (lasting(request="0s"), ""),
        (lasting(request="soon"), ""),
        (put(*RULE, "timeouts", value=None), ""),
        (both(lasting(request="5s"), by("/v1/models")), ""),
        (both(lasting(request="5s"), by("/llm/simulator")), "5s"),
    ],
)
def test_a_route_that_cuts_answers_off_is_told(change: Change, after: str) -> None:
    found = problems(facts((ROUTE, change)))
    assert set(found) == ({"MAAS-307"} if after else set())
    if after:
        assert found["MAAS-307"].status is Status.warning
        assert found["MAAS-307"].message == f"cuts answers off after {after}"
        assert found["MAAS-307"].about == ROUTE


def test_what_leads_to_no_model_may_be_short() -> None:
    elsewhere = both(
        lasting(request="5s"), by("/shop"), put(*RULE, "backendRefs", 0, "name", value="maas-gateway-istio")
    )
    assert "MAAS-307" not in problems(facts((ROUTE, elsewhere)))


@pytest.mark.parametrize(
    ("written", "meant"), [("1m30s", 90.0), ("500ms", 0.5), ("2h", 7200.0), ("10", None), ("", None), ("1d", None)]
)
def test_durations(written: str, meant: float | None) -> None:
    assert seconds(written) == meant
