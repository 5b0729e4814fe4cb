"""How far objects are, by their statuses: what is done, what is waited for, and what no waiting helps."""

from typing import Any

import pytest

from maas.cluster.objects import Object
from maas.cluster.plan import conditions
from maas.cluster.plan.model import Stage, Until
from tests.kubernetes.clusters.making import condition

DONE, WAITING, HOPELESS = Stage.done, Stage.waiting, Stage.hopeless


def with_status(generation: int = 1, **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x", "namespace": "llm", "generation": generation}, "status": status}


def told(type: str, status: Any = True, reason: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    return with_status(conditions=[condition(type, status, reason, message, **more)])


def with_replicas(wanted: int | None, observed: int = 1, **counts: int) -> dict[str, Any]:
    found = with_status(observedGeneration=observed, **counts)
    return {**found, "spec": {} if wanted is None else {"replicas": wanted}}


UP = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
LOOKED, REFUSED = condition("Accepted"), condition("Accepted", False, "Invalid", "no such class")
NO_ADDRESS = condition("Programmed", False, "AddressNotAssigned", "no IP")
CASES: list[tuple[Until, Object | None, Stage, str]] = [
    (conditions.exists, None, WAITING, "not there yet"),
    (conditions.exists, {}, DONE, ""),
    (conditions.gone, None, DONE, ""),
    (conditions.gone, {"metadata": {}}, WAITING, "still there"),
    (
        conditions.gone,
        {"metadata": {"deletionTimestamp": "x", "finalizers": ["a/b"]}},
        WAITING,
        "being deleted, and held by a/b",
    ),
    (conditions.established, told("Established"), DONE, ""),
    (conditions.established, {"metadata": {"name": "listed"}}, DONE, ""),
    (
        conditions.established,
        told("NamesAccepted", False, "ListKindConflict", "taken"),
        HOPELESS,
        "ListKindConflict: taken",
    ),
    (
        conditions.ready,
        told("Ready", False, "MissingDependency", "istio"),
        WAITING,
        "Ready is False: MissingDependency: istio",
    ),
    (conditions.ready, with_status(), WAITING, "no condition Ready yet"),
    (
        conditions.ready,
        {**told("Ready", observedGeneration=1), "metadata": {"generation": 2}},
        WAITING,
        "has not looked at it",
    ),
    (conditions.true("Ready", hopeless=("Bad",)), told("Ready", False, "Bad"), HOPELESS, "Bad"),
    (conditions.field(("status", "state"), "ready"), with_status(state="ready"), DONE, ""),
    (conditions.field(("status", "state"), "ready"), with_status(), WAITING, "status.state is empty"),
    (
        conditions.field(("status", "state"), "ready", hopeless=("failed",)),
        with_status(state="failed"),
        HOPELESS,
        "failed",
    ),
    (conditions.observed(conditions.ready), {**told("Ready"), "metadata": {"generation": 1}}, DONE, ""),
    (
        conditions.observed(conditions.ready),
        with_status(generation=2, observedGeneration=1, conditions=[condition("Ready")]),
        WAITING,
        "has not looked at it",
    ),
    (conditions.programmed(), with_status(conditions=[LOOKED, condition("Programmed")]), DONE, ""),
    (conditions.programmed(), with_status(conditions=[LOOKED, NO_ADDRESS]), WAITING, "no address from outside"),
    (conditions.programmed(load_balancer=False), with_status(conditions=[LOOKED, NO_ADDRESS]), DONE, "no address"),
    (conditions.programmed(), with_status(conditions=[REFUSED]), WAITING, "Accepted is False: Invalid: no such class"),
    (conditions.programmed(), with_status(conditions=[condition("Programmed", False, "Invalid")]), HOPELESS, "Invalid"),
    (conditions.available, with_replicas(1, **UP), DONE, ""),
    (conditions.available, with_replicas(None, **UP), DONE, ""),
    (conditions.available, with_replicas(0), DONE, ""),
    (conditions.available, with_replicas(1, observed=0, **UP), WAITING, "has not looked at it"),
    (conditions.available, with_replicas(2, **UP), WAITING, "1 of 2 replicas"),
    (conditions.available, with_replicas(1, **{**UP, "replicas": 2}), WAITING, "replicas"),
    (conditions.available, with_replicas(1, **{**UP, "updatedReplicas": 0}), WAITING, "0 of 1 replicas"),
    (
        conditions.rolled_out,
        with_status(observedGeneration=1, desiredNumberScheduled=2, updatedNumberScheduled=2, numberAvailable=1),
        WAITING,
        "1 of 2 pods",
    ),
    (
        conditions.rolled_out,
        with_status(observedGeneration=1, desiredNumberScheduled=2, updatedNumberScheduled=2, numberAvailable=2),
        DONE,
        "",
    ),
    (conditions.enforced, with_status(conditions=[LOOKED, condition("Enforced")]), DONE, ""),
    (conditions.enforced, with_status(conditions=[LOOKED]), WAITING, "no condition Enforced yet"),
    (
        conditions.enforced,
        with_status(conditions=[condition("Accepted", False, "Conflicted", "x")]),
        HOPELESS,
        "Conflicted",
    ),
    (
        conditions.enforced,
        with_status(conditions=[condition("Accepted", False, "TargetNotFound")]),
        WAITING,
        "TargetNotFound",
    ),
    (conditions.served, told("Ready"), DONE, ""),
    (conditions.served, {"metadata": {}}, WAITING, "has not looked at it"),
    (
        conditions.served,
        with_status(
            conditions=[
                condition("Ready", False),
                condition("PredictorReady", False, "MinimumReplicasUnavailable", "0 up"),
            ]
        ),
        WAITING,
        "PredictorReady is False: MinimumReplicasUnavailable: 0 up",
    ),
    (
        conditions.served,
        with_status(modelStatus={"lastFailureInfo": {"reason": "NoSupportingRuntime", "message": "none"}}),
        HOPELESS,
        "NoSupportingRuntime: none",
    ),
    (conditions.succeeded, with_status(phase="Succeeded"), DONE, ""),
    (
        conditions.succeeded,
        with_status(phase="Failed", reason="InstallCheckFailed", message="x"),
        HOPELESS,
        "InstallCheckFailed: x",
    ),
    (conditions.succeeded, with_status(), WAITING, "not set yet"),
    (conditions.complete, with_status(phase="Complete"), DONE, ""),
    (conditions.complete, with_status(phase="RequiresApproval"), WAITING, "approve"),
    (conditions.complete, with_status(phase="Failed"), HOPELESS, "Failed"),
    (conditions.installed, with_status(installedCSV="x.v1"), DONE, ""),
    (conditions.installed, told("BundleUnpackFailed", True, "BundleUnpackFailed", "image"), HOPELESS, "image"),
    (conditions.installed, told("InstallPlanPending", True, "RequiresApproval"), WAITING, "approve"),
    (conditions.installed, with_status(state="UpgradePending"), WAITING, "(UpgradePending)"),
]


@pytest.mark.parametrize(("until", "object", "stage", "why"), CASES)
def test_how_far_it_is(until: Until, object: Object | None, stage: Stage, why: str) -> None:
    seen = until(object)
    assert seen.stage is stage and why in seen.why
    assert bool(seen.why) or stage is DONE


EVERY = (
    conditions.established, conditions.ready, conditions.programmed(), conditions.attached, conditions.enforced,
    conditions.served, conditions.available, conditions.rolled_out, conditions.succeeded, conditions.complete,
    conditions.installed, conditions.field(("status", "state"), "ready"), conditions.observed(conditions.ready),
)  # fmt: skip


@pytest.mark.parametrize("until", EVERY)
@pytest.mark.parametrize("absurd", [None, {"status": None, "spec": {}}, {"status": {"conditions": "x"}, "metadata": 1}])
def test_what_is_absent_or_absurd_is_not_done(until: Until, absurd: Any) -> None:
    assert until(absurd).stage is WAITING or (
        absurd is not None and until in (conditions.rolled_out, conditions.attached)
    )


def test_an_address_that_does_not_come_is_good_enough() -> None:
    assert conditions.programmed()(with_status(conditions=[LOOKED, NO_ADDRESS])).enough


def route(*parents: dict[str, Any], **conditions_: Any) -> dict[str, Any]:
    refs = [{"name": "maas-gateway", "sectionName": "https"}]
    return {**with_status(parents=list(parents)), "spec": {"parentRefs": refs}}


def parent(*found: dict[str, Any], name: str = "maas-gateway", namespace: str = "llm") -> dict[str, Any]:
    ref = {"name": name, "namespace": namespace, "sectionName": "https"}
    return {"parentRef": ref, "controllerName": "x", "conditions": list(found)}


def test_routes_are_attached_when_every_gateway_says_so() -> None:
    good = parent(condition("Accepted"), condition("ResolvedRefs"))
    assert conditions.attached(route(good)).stage is DONE
    assert "has not looked" in conditions.attached(route()).why
    assert "has not looked" in conditions.attached(route(parent(name="other"))).why
    bad = parent(condition("Accepted"), condition("ResolvedRefs", False, "BackendNotFound", "no such Service"))
    assert "BackendNotFound: no such Service" in conditions.attached(route(bad)).why
