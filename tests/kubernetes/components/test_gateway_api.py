"""Gateway API's CRDs, their owner, and whether a GatewayClass is accepted."""

from typing import Any

import pytest

from maas.cluster.facts.model import Cause, Unread
from maas.cluster.kinds import CRD, GATEWAY, GATEWAY_CLASS, HTTP_ROUTE
from maas.readiness.findings import Status
from tests.kubernetes.components.making import (
    AFTER,
    BEFORE,
    ON_OPENSHIFT,
    ON_OPENSHIFT_AFTER,
    condition,
    conditions,
    crd,
    object_of,
    one,
    openshift,
    statuses,
)
from tests.kubernetes.offline import facts

_SERVED = (GATEWAY_CLASS, GATEWAY, HTTP_ROUTE)
_OCP = "openshift.io/gateway-controller/v1"
_ISTIO = "istio.io/gateway-controller"


def _crds(version: str = "v1.5.1", channel: str = "standard", **fields: Any) -> list[dict[str, Any]]:
    return [crd(kind.key, bundle_version=version, channel=channel, **fields) for kind in _SERVED]


def _class(controller: str, *given: dict[str, str], name: str = "c") -> dict[str, Any]:
    spec = {"controllerName": controller}
    return object_of("gateway.networking.k8s.io/v1", "GatewayClass", name, spec=spec, status=conditions(*given))


def test_kinds_that_are_served_pass() -> None:
    assert one("MAAS-210", facts(serves=_SERVED)).status is Status.passed


def test_absent_kinds_are_to_install_before_and_a_failure_after() -> None:
    before, after = one("MAAS-210", facts()), one("MAAS-210", facts(), AFTER)
    assert before.status is Status.to_install and before.remedy and before.remedy.step == "gateway-api"
    assert after.status is Status.failed


def test_what_is_missing_of_a_part_is_named() -> None:
    finding = one("MAAS-210", facts(serves=(GATEWAY_CLASS, GATEWAY)))
    assert finding.status is Status.to_install and "HTTPRoute" in finding.message


def test_openshift_must_bring_the_kinds_itself() -> None:
    finding = one("MAAS-210", facts(openshift("4.20.3")), ON_OPENSHIFT)
    assert finding.status is Status.failed
    assert finding.remedy and not finding.remedy.step and not finding.remedy.changes
    assert one("MAAS-210", facts(openshift("4.18.9")), ON_OPENSHIFT).status is Status.to_install


def test_unread_apis_are_unknown() -> None:
    from dataclasses import replace

    nobody = replace(facts(), apis=Unread(Cause.timeout, "discovery timed out"))
    assert one("MAAS-210", nobody).status is Status.unknown


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("v1.5.1", Status.passed),
        ("v1.1.0", Status.passed),
        ("v1.0.0", Status.failed),
        ("", Status.warning),
        ("x", Status.warning),
    ],
)
def test_the_bundle_has_to_be_new_enough(version: str, expected: Status) -> None:
    assert one("MAAS-211", facts(*_crds(version))).status is expected


def test_no_crds_have_no_version_and_no_owner() -> None:
    assert one("MAAS-211", facts()).status is Status.skipped
    assert one("MAAS-212", facts()).status is Status.skipped


def test_crds_that_nobody_may_read_are_unknown() -> None:
    denied = Unread(Cause.denied, "listing customresourcedefinitions was denied")
    assert one("MAAS-211", facts(unread={CRD: denied})).status is Status.unknown


def test_mixed_versions_are_a_warning_and_the_oldest_counts() -> None:
    mixed = [*_crds("v1.5.1")[:2], _crds("v1.4.0")[2]]
    too_old = [*_crds("v1.5.1")[:2], _crds("v0.8.0")[2]]
    assert one("MAAS-211", facts(*mixed)).status is Status.warning
    assert one("MAAS-211", facts(*too_old)).status is Status.failed


def test_the_experimental_channel_is_told() -> None:
    assert "experimental" in one("MAAS-211", facts(*_crds(channel="experimental"))).message


def test_the_platform_owns_them_on_new_openshift() -> None:
    policy = object_of(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy",
        "openshift-ingress-operator-gatewayapi-crd-admission",
    )
    protected = facts(openshift("4.19.9"), *_crds("v1.2.1"), policy)
    assert "leaves them alone" in one("MAAS-212", protected, ON_OPENSHIFT).message
    assert one("MAAS-212", facts(openshift("4.19.9"), *_crds("v1.2.1")), ON_OPENSHIFT).status is Status.warning


def test_who_installed_them_is_told_and_several_owners_are_a_warning() -> None:
    helm = {"app.kubernetes.io/managed-by": "Helm"}
    by_helm, by_hand = _crds(labels=helm), _crds()
    assert "Helm, and `maas install` leaves them alone" in one("MAAS-212", facts(*by_helm)).message
    assert "manifests" in one("MAAS-212", facts(*by_hand)).message
    assert one("MAAS-212", facts(*by_helm[:1], *by_hand[1:])).status is Status.warning


def test_the_policy_against_downgrades_is_told() -> None:
    policy = object_of(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy",
        "safe-upgrades.gateway.networking.k8s.io",
    )
    assert "downgrades are denied" in one("MAAS-212", facts(*_crds(), policy)).message


def _ingress(*given: dict[str, str]) -> dict[str, Any]:
    return object_of("config.openshift.io/v1", "ClusterOperator", "ingress", status=conditions(*given))


def test_the_ingress_operator_is_judged_by_its_conditions() -> None:
    well = facts(_ingress(condition("Available"), condition("Degraded", "False")))
    assert one("MAAS-213", well, ON_OPENSHIFT).status is Status.passed
    assert one("MAAS-213", facts()).status is Status.skipped
    gone = facts(_ingress(condition("Available", "False", "IngressUnavailable", "no endpoints")))
    assert one("MAAS-213", gone, ON_OPENSHIFT).status is Status.failed


@pytest.mark.parametrize(
    ("reason", "message", "advice"),
    [
        ("GatewayAPICRDsDegraded", "Unmanaged Gateway API CRDs found: tcproutes", "Delete the CRDs"),
        ("GatewayAPIInstallConflict", "servicemeshoperator3", "Remove the Service Mesh"),
        ("IngressDegraded", "GatewayAPIOSSMConflict: x", "Remove the Service Mesh"),
        ("Other", "y", "Read its message"),
    ],
)
def test_the_reasons_for_gateway_api_have_their_own_advice(reason: str, message: str, advice: str) -> None:
    finding = one("MAAS-213", facts(_ingress(condition("Degraded", "True", reason, message))), ON_OPENSHIFT)
    assert finding.status is Status.failed and message in finding.message
    assert finding.remedy and advice in finding.remedy.text


def test_an_accepted_class_passes() -> None:
    assert one("MAAS-214", facts(_class(_ISTIO, condition("Accepted")))).status is Status.passed


def test_a_class_that_waits_fails_with_its_reason() -> None:
    waiting = _class(_OCP, condition("Accepted", "Unknown", "Pending", "Waiting for controller"))
    finding = one("MAAS-214", facts(openshift("4.19.9"), waiting), ON_OPENSHIFT)
    assert finding.status is Status.failed and "Waiting for controller" in finding.message


def test_a_class_tells_why_openshift_could_not_install_istio() -> None:
    stuck = _class(
        _OCP,
        condition("Accepted"),
        condition("CRDsReady", "False", "UnknownManagement", "Istio CRDs are managed by an unknown party"),
        name="bad",
    )
    stuck["status"]["conditions"][0]["status"] = "Unknown"
    finding = one("MAAS-214", facts(openshift("4.22.0"), stuck), ON_OPENSHIFT)
    assert "unknown party" in finding.message and "CRDsReady" in finding.seen[0].field


def test_one_accepted_class_is_enough_and_others_a_warning() -> None:
    two = facts(_class(_ISTIO, condition("Accepted"), name="a"), _class(_ISTIO, name="b"))
    assert statuses("MAAS-214", two) == [Status.passed, Status.warning]


def test_without_a_class_it_is_to_install_and_can_be_created_afterwards() -> None:
    assert one("MAAS-214", facts(), BEFORE).status is Status.to_install
    assert one("MAAS-214", facts(), AFTER).status is Status.failed
    finding = one("MAAS-214", facts(openshift("4.20.0")), ON_OPENSHIFT_AFTER)
    assert finding.status is Status.failed and finding.remedy is not None
    assert finding.remedy.changes[0].body["spec"] == {"controllerName": _OCP}


def test_a_class_of_another_controller_does_not_count_and_is_named() -> None:
    finding = one("MAAS-214", facts(_class("example.com/nginx", condition("Accepted"), name="nginx")))
    assert finding.status is Status.to_install and "nginx" in finding.message
