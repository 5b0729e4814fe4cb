"""A gateway whose status is good and which does not work all the same."""

import pytest

from maas.readiness.findings import Status
from tests.kubernetes.installed.planting import Change, both, conditioned, drop, facts, problems, put, said

GATEWAY = "Gateway llm/maas-gateway"
DEPLOYMENT = "Deployment llm/maas-gateway-istio"
SLICE = "EndpointSlice llm/maas-gateway-istio-abcde"


def test_a_gateway_that_was_scaled_away_is_found_and_scaled_up() -> None:
    found = problems(facts((DEPLOYMENT, both(put("spec", "replicas", value=0), put("status", value={})))))
    assert found["MAAS-306"].status is Status.failed
    assert found["MAAS-306"].message == "Deployment llm/maas-gateway-istio is scaled to 0 replicas"
    assert found["MAAS-306"].remedy is not None
    (change,) = found["MAAS-306"].remedy.changes
    assert (change.kind.name, change.name, change.body) == (
        "Deployment",
        "maas-gateway-istio",
        {"spec": {"replicas": 1}},
    )


def test_a_gateway_whose_pods_do_not_become_ready_is_found() -> None:
    down = both(
        conditioned("Available", "False", "MinimumReplicasUnavailable"), put("status", "availableReplicas", value=0)
    )
    found = problems(facts((DEPLOYMENT, down)))["MAAS-306"]
    assert "0 of 1 replicas available" in found.message
    assert found.remedy is not None
    assert "gateway.networking.k8s.io/gateway-name=maas-gateway" in found.remedy.commands[0]


def test_a_service_of_the_gateway_without_endpoints_is_found() -> None:
    found = problems(facts((SLICE, put("endpoints", value=[]))))
    assert found["MAAS-306"].message == "Service llm/maas-gateway-istio has no ready endpoint"


def test_a_gateway_that_is_run_in_another_way_is_not_judged() -> None:
    unlabelled = ("Deployment llm/maas-gateway-istio", "Service llm/maas-gateway-istio")
    (found,) = said(facts(*((each, drop("metadata", "labels")) for each in unlabelled)), "MAAS-306")
    assert found.status is Status.skipped


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            conditioned("Programmed", "Unknown", "Pending", at=["listeners", 1]),
            "Programmed is Unknown: Pending",
        ),
        (
            conditioned("Conflicted", "Unknown", "Pending", at=["listeners", 1]),
            "Conflicted is Unknown: Pending",
        ),
        (drop("status", "listeners", 1), "its status is not told"),
        (drop("status", "listeners"), "its status is not told"),
    ],
)
def test_a_listener_of_which_nothing_good_is_known_does_not_pass(change: Change, message: str) -> None:
    found = [each for each in said(facts((GATEWAY, change)), "MAAS-302") if each.message.startswith(message)]
    assert found
    assert {each.status for each in found} == {Status.failed}
    assert found[-1].about == f"{GATEWAY}, listener https"


def test_notes_on_a_listener_are_no_fault() -> None:
    def noted(gateway: dict[str, object]) -> None:
        listeners = gateway["status"]["listeners"]  # type: ignore[index]
        listeners[1]["conditions"].append({"type": "OverlappingTLSConfig", "status": "True", "reason": "x"})
        listeners[1]["conditions"].append({"type": "example.com/Seen", "status": "False", "reason": "x"})

    (found,) = said(facts((GATEWAY, noted)), "MAAS-302")
    assert found.status is Status.passed
