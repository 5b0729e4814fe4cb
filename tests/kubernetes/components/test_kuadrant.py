"""Kuadrant and Red Hat Connectivity Link."""

from typing import Any

import pytest

from maas.cluster.components import kuadrant
from maas.cluster.facts.model import Cause, Unread
from maas.cluster.facts.redaction import REDACTED
from maas.cluster.kinds import AUTHORINO, DEPLOYMENT, KUADRANT, LIMITADOR
from maas.readiness.findings import Status
from tests.kubernetes.components.making import (
    AFTER,
    BEFORE,
    ON_OPENSHIFT,
    condition,
    conditions,
    deployment,
    installed_operator,
    object_of,
    one,
    openshift,
    statuses,
)
from tests.kubernetes.offline import facts, found

_NS = "kuadrant-system"
_SERVED = (KUADRANT, AUTHORINO, LIMITADOR)
_PARTS = [deployment(part, _NS) for part in kuadrant.PARTS]
_RHCL = "rhcl-operator"


def _operator(version: str = "v1.5.2", namespace: str = _NS, **fields: Any) -> dict[str, Any]:
    return deployment(kuadrant.OPERATOR, namespace, f"quay.io/kuadrant/kuadrant-operator:{version}", **fields)


def _rhcl(version: str) -> list[dict[str, Any]]:
    return installed_operator(_RHCL, _NS, f"{_RHCL}.v{version}")


def _instance(*given: dict[str, str], name: str = "kuadrant") -> dict[str, Any]:
    return object_of("kuadrant.io/v1beta1", "Kuadrant", name, _NS, status=conditions(*given))


def _authorino(*given: dict[str, str]) -> dict[str, Any]:
    status = conditions(*given)
    return object_of("operator.authorino.kuadrant.io/v1beta1", "Authorino", "authorino", _NS, status=status)


def _limitador(*given: dict[str, str]) -> dict[str, Any]:
    return object_of("limitador.kuadrant.io/v1alpha1", "Limitador", "limitador", _NS, status=conditions(*given))


def test_absence() -> None:
    assert one("MAAS-270", facts(), BEFORE).status is Status.to_install
    assert one("MAAS-270", facts(), AFTER).status is Status.failed
    for code in ("MAAS-271", "MAAS-272", "MAAS-273", "MAAS-274", "MAAS-275", "MAAS-276"):
        assert one(code, facts()).status is Status.skipped


@pytest.mark.parametrize("code", ["MAAS-270", "MAAS-271", "MAAS-275", "MAAS-276"])
def test_unread_deployments_are_unknown(code: str) -> None:
    denied = Unread(Cause.denied, "listing deployments was denied")
    assert one(code, facts(unread={DEPLOYMENT: denied})).status is Status.unknown


def test_upstream_and_rhcl_are_recognised() -> None:
    assert "1.5.2 (manifests) in kuadrant-system" in one("MAAS-270", facts(_operator())).message
    assert "1.4.2 (OLM)" in one("MAAS-270", facts(*_rhcl("1.4.2"), _operator()), ON_OPENSHIFT).message


def test_two_installations_are_a_conflict() -> None:
    finding = one("MAAS-270", facts(_operator(), _operator(namespace="other")))
    assert finding.status is Status.failed and "installed 2 times" in finding.message


def test_the_operators_must_be_available_and_complete() -> None:
    assert statuses("MAAS-271", facts(_operator(), *_PARTS)) == [Status.passed] * 4
    assert statuses("MAAS-271", facts(_operator(available=False), *_PARTS))[0] is Status.failed
    without_dns = facts(_operator(), *_PARTS[:2])
    assert statuses("MAAS-271", without_dns) == [Status.passed] * 3, "nothing asks for DNS"
    assert statuses("MAAS-271", facts(_operator(), *_PARTS[1:]))[1] is Status.failed


def test_a_kuadrant_that_is_ready() -> None:
    assert one("MAAS-272", facts(_operator(), _instance(condition("Ready")))).status is Status.passed


def test_a_status_of_an_older_spec_is_no_proof() -> None:
    ready = condition("Ready")
    changed = [_instance(ready), _limitador(ready)]
    for each in changed:
        each["metadata"] |= {"generation": 3}
        each["status"] |= {"observedGeneration": 2}
    for code in ("MAAS-272", "MAAS-274"):
        finding = one(code, facts(_operator(), *changed))
        assert (finding.status, finding.message) == (Status.warning, "its status is of an older spec")
    for each in changed:
        each["status"] |= {"observedGeneration": 3}
    for code in ("MAAS-272", "MAAS-274"):
        assert statuses(code, facts(_operator(), *changed)) == [Status.passed]


def test_of_two_kuadrants_the_second_needs_no_servers_of_its_own() -> None:
    ready = condition("Ready")
    second = object_of("kuadrant.io/v1beta1", "Kuadrant", "second", "llm", status=conditions(ready))
    there = facts(_operator(), _instance(ready), second, _authorino(ready), _limitador(ready))
    assert Status.failed in statuses("MAAS-272", there)
    assert statuses("MAAS-273", there) == statuses("MAAS-274", there) == [Status.passed]


def test_an_operator_without_a_kuadrant() -> None:
    assert one("MAAS-272", facts(_operator(), serves=_SERVED)).status is Status.to_install
    assert one("MAAS-272", facts(_operator(), serves=_SERVED), AFTER).status is Status.failed


def test_two_kuadrants_fail() -> None:
    two = facts(_operator(), _instance(condition("Ready")), _instance(condition("Ready"), name="second"))
    finding = found("MAAS-272", two, BEFORE)[0]
    assert finding.status is Status.failed and "there are 2" in finding.message


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("MissingDependency", "restart the operator"),
        ("LimitadorNotReady", "MAAS-274"),
        ("AuthorinoNotReady", "MAAS-273"),
    ],
)
def test_the_reasons_have_their_own_advice(reason: str, advice: str) -> None:
    bad = _instance(condition("Ready", "False", reason, "[Gateway API provider] is not installed"))
    finding = one("MAAS-272", facts(_operator(), bad))
    assert finding.status is Status.failed and reason in finding.message
    assert finding.remedy and advice in finding.remedy.text


def test_a_kuadrant_without_its_operator() -> None:
    finding = one("MAAS-272", facts(_instance()))
    assert finding.status is Status.failed and finding.remedy and "operator is not there" in finding.remedy.text


def test_authorino_and_limitador_and_their_deployments() -> None:
    ready = condition("Ready")
    up = [deployment("authorino", _NS), deployment("limitador-limitador", _NS)]
    there = facts(_operator(), _instance(ready), _authorino(ready), _limitador(ready), *up)
    for code in ("MAAS-273", "MAAS-274"):
        assert statuses(code, there) == [Status.passed, Status.passed]


def test_authorino_and_limitador_tell_what_is_wrong() -> None:
    bad = condition("Ready", "False", "DeploymentNotReady", "0 of 1")
    there = facts(
        _operator(),
        _instance(),
        _authorino(bad),
        deployment("limitador-limitador", _NS, available=False),
        _limitador(condition("Ready")),
    )
    assert "0 of 1" in one("MAAS-273", there).message
    assert statuses("MAAS-274", there) == [Status.passed, Status.failed]


def test_a_server_that_was_never_made_asks_for_a_restart() -> None:
    finding = one("MAAS-273", facts(_operator(), _instance(), serves=_SERVED))
    assert finding.status is Status.failed and finding.remedy
    assert finding.remedy.changes[0].command.startswith("kubectl rollout restart")


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([_operator("v1.5.2")], Status.passed),
        ([_operator("v1.4.1")], Status.failed),
        ([_operator("latest")], Status.warning),
        (_rhcl("1.3.0"), Status.passed),
        (_rhcl("1.2.0"), Status.failed),
        (_rhcl("1.4.0"), Status.failed),
        (_rhcl("1.4.2"), Status.passed),
    ],
)
def test_versions(objects: list[Any], expected: Status) -> None:
    assert one("MAAS-275", facts(*objects), ON_OPENSHIFT).status is expected


def test_the_bad_version_is_named_with_its_danger() -> None:
    assert "without authentication" in one("MAAS-275", facts(*_rhcl("1.4.0")), ON_OPENSHIFT).message


def test_the_controller_of_the_gateway_must_be_known() -> None:
    ocp = openshift("4.20.0")
    assert one("MAAS-276", facts(_operator())).status is Status.passed
    finding = one("MAAS-276", facts(_operator(), ocp), ON_OPENSHIFT)
    assert finding.status is Status.failed and finding.remedy
    assert (
        "kubectl set env" in finding.remedy.commands[0] and "istio.io/gateway-controller," in finding.remedy.commands[0]
    )
    known = _operator(
        env={kuadrant.CONTROLLERS_VARIABLE: "istio.io/gateway-controller, openshift.io/gateway-controller/v1"}
    )
    assert one("MAAS-276", facts(known, ocp), ON_OPENSHIFT).status is Status.passed


def test_with_olm_the_variable_goes_into_the_subscription_beside_the_others() -> None:
    objects = _rhcl("1.4.2")
    objects[0]["spec"]["config"] = {"env": [{"name": "OTHER", "value": "1"}]}
    finding = one("MAAS-276", facts(*objects, _operator(), openshift("4.20.0")), ON_OPENSHIFT)
    assert finding.remedy is not None
    (change,) = finding.remedy.changes
    assert change.kind.name == "Subscription"
    assert [each["name"] for each in change.body["spec"]["config"]["env"]] == ["OTHER", kuadrant.CONTROLLERS_VARIABLE]


def test_a_redacted_variable_is_not_judged() -> None:
    hidden = _operator(env={kuadrant.CONTROLLERS_VARIABLE: REDACTED})
    assert one("MAAS-276", facts(hidden), ON_OPENSHIFT).status is Status.unknown
